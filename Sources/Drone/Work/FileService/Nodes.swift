import Bytes
import CLinux
import NFS

/// An object that a handle stands for, with its place open.
struct Node {
  let number: UInt64
  let tree: UInt32
  let place: Int32
  let kind: FileKind
}

/// A folder that is being changed, as it was before.
struct ChangedFolder {
  let node: Node
  let before: AttributesBefore?
}

extension FileServer {
  func node(_ handle: ObjectHandle?) throws(NFSStatus) -> Node {
    guard let handle, handle.secret == secret, Int(clamping: handle.tree) < trees.count else { throw .badHandle }
    let place = try objects.descriptor(handle.object, tree: handle.tree)
    guard let kind = objects.kind(handle.object) else { throw .stale }
    return Node(number: handle.object, tree: handle.tree, place: place, kind: kind)
  }

  func folder(_ handle: ObjectHandle?) throws(NFSStatus) -> Node {
    let node = try node(handle)
    guard node.kind == .folder else { throw .notFolder }
    return node
  }

  func tree(_ node: Node) -> Tree { trees[Int(clamping: node.tree)].tree }

  /// Throws unless the node's tree may be changed.
  func requireWritable(_ node: Node) throws(NFSStatus) {
    guard !tree(node).isReadOnly else { throw .readOnly }
  }

  func handle(_ number: UInt64, tree: UInt32) -> ObjectHandle {
    ObjectHandle(secret: secret, tree: tree, object: number)
  }

  func attributes(_ found: linux_attributes, tree: UInt32) -> FileAttributes {
    let place = Int(clamping: tree)
    return found.attributes(
      fileSystem: trees[place].fileSystem, fileID: trees[place].fileID(device: found.device, inode: found.inode))
  }

  /// Nil where they cannot be had; replies have no more to say then.
  func attributes(of node: Node?) -> FileAttributes? {
    guard let node, let found = try? readAttributes(node.place) else { return nil }
    return attributes(found, tree: node.tree)
  }

  /// Throws unless the name is one of a single step downwards, and shown.
  func requireName(_ name: [UInt8], in folder: Node) throws(NFSStatus) {
    guard name.count <= 255 else { throw .nameTooLong }
    // RFC 1813 §3.2: what is no name is refused as not allowed.
    guard !name.isEmpty, !name.contains(UInt8(ascii: "/")), !name.contains(0), !name.spells("."), !name.spells("..")
    else { throw .access }
    guard isShown(name, in: folder.number, tree: folder.tree) else { throw .missing }
  }

  /// A tree's own folder may show some of its names only.
  func isShown(_ name: [UInt8], in folder: UInt64, tree: UInt32) -> Bool {
    let offered = trees[Int(clamping: tree)]
    return offered.root != folder || offered.tree.shows(name)
  }

  /// Finds what a name stands for, and holds it.
  func step(_ folder: Node, _ name: [UInt8]) throws(NFSStatus) -> (node: Node, found: linux_attributes) {
    let descriptor = try opened(withName(name) { linux_step(folder.place, $0) })
    return try hold(descriptor, folder, name)
  }

  /// Takes the place that a name stands for.
  func hold(
    _ descriptor: Int32, _ folder: Node, _ name: [UInt8]
  ) throws(NFSStatus) -> (node: Node, found: linux_attributes) {
    let found: linux_attributes
    do throws(NFSStatus) {
      found = try readAttributes(descriptor)
    } catch {
      release(descriptor)
      throw error
    }
    let number = try objects.number(
      tree: folder.tree, found, parent: folder.number, name: name, descriptor: descriptor)
    return (try node(handle(number, tree: folder.tree)), found)
  }

  func lookUp(_ place: NameInFolder) -> NFSReply {
    var folder: Node?
    do throws(NFSStatus) {
      let found = try self.folder(place.folder)
      folder = found
      let root = trees[Int(clamping: found.tree)].root
      if place.name.spells(".") || place.name.spells("..") && found.number == root {
        let own = attributes(of: found)
        return .found(handle(found.number, tree: found.tree), own, folder: own)
      }
      try requireName(place.name, in: found)
      let (node, look) = try step(found, place.name)
      return .found(
        handle(node.number, tree: node.tree), attributes(look, tree: node.tree), folder: attributes(of: found))
    } catch {
      return .failed(error, .attributes(attributes(of: folder)))
    }
  }

  func attributes(_ handle: ObjectHandle?) -> NFSReply {
    do throws(NFSStatus) {
      let node = try node(handle)
      return .attributes(attributes(try readAttributes(node.place), tree: node.tree))
    } catch {
      return .failed(error, .nothing)
    }
  }

  func access(_ handle: ObjectHandle?, _ rights: AccessRights) -> NFSReply {
    do throws(NFSStatus) {
      let node = try node(handle)
      var allowed: AccessRights = []
      if linux_may(node.place, R_OK) == 0 { allowed.insert(.read) }
      if !tree(node).isReadOnly, linux_may(node.place, W_OK) == 0 {
        allowed.formUnion(node.kind == .folder ? [.modify, .extend, .delete] : [.modify, .extend])
      }
      if linux_may(node.place, X_OK) == 0 { allowed.insert(node.kind == .folder ? .lookUp : .execute) }
      return .access(attributes(of: node), allowed.intersection(rights))
    } catch {
      return .failed(error, .attributes(nil))
    }
  }

  func readLink(_ handle: ObjectHandle?) -> NFSReply {
    var seen: Node?
    do throws(NFSStatus) {
      let node = try node(handle)
      seen = node
      guard node.kind == .link else { throw .invalid }
      var length = 0
      let target = [UInt8](unsafeUninitializedCapacity: 4096) { bytes, count in
        length = linux_link_text(node.place, bytes.baseAddress, bytes.count)
        count = max(0, min(length, 4096))
      }
      guard length >= 0 else { throw .ofKernel }
      return .link(attributes(of: node), target: target)
    } catch {
      return .failed(error, .attributes(attributes(of: seen)))
    }
  }

  func fileSystem(_ handle: ObjectHandle?) -> NFSReply {
    do throws(NFSStatus) {
      let node = try node(handle)
      var use = linux_use()
      try check(linux_read_use(node.place, &use))
      return .fileSystem(
        attributes(of: node),
        FileSystemUse(
          bytes: use.bytes, freeBytes: use.free_bytes, availableBytes: use.available_bytes, files: use.files,
          freeFiles: use.free_files, availableFiles: use.available_files))
    } catch {
      return .failed(error, .attributes(nil))
    }
  }

  func limits(_ handle: ObjectHandle?) -> NFSReply {
    do throws(NFSStatus) {
      let node = try node(handle)
      return .limits(
        attributes(of: node),
        TransferLimits(
          most: FileServer.mostBytes, preferred: FileServer.preferredBytes,
          preferredListing: FileServer.preferredListing))
    } catch {
      return .failed(error, .attributes(nil))
    }
  }

  func pathLimits(_ handle: ObjectHandle?) -> NFSReply {
    do throws(NFSStatus) {
      return .pathLimits(attributes(of: try node(handle)), longestName: 255, mostLinks: 32_000)
    } catch {
      return .failed(error, .attributes(nil))
    }
  }
}
