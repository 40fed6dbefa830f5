import Bytes
import CLinux
import NFS

// READDIR and READDIRPLUS.
extension FileServer {
  func list(_ request: ListingRequest, withAttributes: Bool) -> NFSReply {
    var seen: Node?
    do throws(NFSStatus) {
      let folder = try folder(request.folder)
      seen = folder
      var stream = try stream(folder, request.cookie)
      do throws(NFSStatus) {
        try stream.go(to: request.cookie)
        let (listing, isAtEnd) = try fill(request, folder, &stream, withAttributes: withAttributes)
        if isAtEnd { release(stream.descriptor) } else { streams.put(stream) }
        return .listed(attributes(of: folder), verifier: 0, listing, isAtEnd: isAtEnd)
      } catch {
        release(stream.descriptor)
        throw error
      }
    } catch {
      return .failed(error, .attributes(attributes(of: seen)))
    }
  }

  private func stream(_ folder: Node, _ cookie: UInt64) throws(NFSStatus) -> FolderStream {
    if let stream = streams.take(folder.number, cookie: cookie) { return stream }
    return FolderStream(
      object: folder.number, descriptor: try opened(linux_reopen(folder.place, O_RDONLY | O_DIRECTORY)))
  }

  private func fill(
    _ request: ListingRequest, _ folder: Node, _ stream: inout FolderStream, withAttributes: Bool
  ) throws(NFSStatus) -> (Listing, isAtEnd: Bool) {
    let limit = min(request.limit, FileServer.mostListing)
    var listing = Listing(withAttributes: withAttributes, names: request.names, limit: limit)
    let own = try readAttributes(folder.place)
    while let name = try stream.peek() {
      guard listing.hasRoom(name: name.name) else {
        guard listing.count > 0 else { throw .tooSmall }
        return (listing, false)
      }
      add(name, to: &listing, folder, own, withAttributes: withAttributes)
      stream.take()
    }
    return (listing, true)
  }

  /// Adds a name unless it is not shown, or gone since the kernel listed it.
  private func add(
    _ name: ListedName, to listing: inout Listing, _ folder: Node, _ own: linux_attributes, withAttributes: Bool
  ) {
    let place = Int(clamping: folder.tree)
    if name.name.spells(".") || name.name.spells("..") {
      // Nothing is above a tree.
      let isOwn = name.name.spells(".") || folder.number == trees[place].root
      let fileID = trees[place].fileID(device: own.device, inode: isOwn ? own.inode : name.inode)
      _ = listing.add(fileID: fileID, name: name.name, cookie: name.cookie)
      return
    }
    guard isShown(name.name, in: folder.number, tree: folder.tree) else { return }
    guard withAttributes else {
      let fileID = trees[place].fileID(device: own.device, inode: name.inode)
      _ = listing.add(fileID: fileID, name: name.name, cookie: name.cookie)
      return
    }
    do throws(NFSStatus) {
      let found = try readAttributes(folder.place, name.name)
      // No descriptor is opened before the client uses the handle.
      let number = try objects.number(tree: folder.tree, found, parent: folder.number, name: name.name)
      let attributes = attributes(found, tree: folder.tree)
      _ = listing.add(
        fileID: attributes.fileID, name: name.name, cookie: name.cookie, attributes,
        handle(number, tree: folder.tree))
    } catch {
      if error == .missing { return }
      let fileID = trees[place].fileID(device: own.device, inode: name.inode)
      _ = listing.add(fileID: fileID, name: name.name, cookie: name.cookie)
    }
  }
}
