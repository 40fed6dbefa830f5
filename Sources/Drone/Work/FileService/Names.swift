import Bytes
import CLinux
import NFS

// What changes names: CREATE, MKDIR, SYMLINK, MKNOD, REMOVE, RMDIR, RENAME, LINK.
extension FileServer {
  /// The folder of a name that is to be made or removed, as it is before.
  private func changing(_ place: NameInFolder, _ watched: inout ChangedFolder?) throws(NFSStatus) -> Node {
    let folder = try watch(place, &watched)
    try requireWritable(folder)
    try requireName(place.name, in: folder)
    return folder
  }

  private func watch(_ place: NameInFolder, _ watched: inout ChangedFolder?) throws(NFSStatus) -> Node {
    let folder = try folder(place.folder)
    watched = ChangedFolder(node: folder, before: attributes(of: folder)?.before)
    return folder
  }

  private func change(_ watched: ChangedFolder?) -> Change {
    Change(before: watched?.before, after: attributes(of: watched?.node))
  }

  func create(_ place: NameInFolder, _ creation: Creation) -> NFSReply {
    var watched: ChangedFolder?
    do throws(NFSStatus) {
      let folder = try changing(place, &watched)
      let node = try makeFile(folder, place.name, creation)
      return .made(handle(node.number, tree: node.tree), attributes(of: node), folder: change(watched))
    } catch {
      return .failed(error, .change(change(watched)))
    }
  }

  private func makeFile(_ folder: Node, _ name: [UInt8], _ creation: Creation) throws(NFSStatus) -> Node {
    var setting: AttributeSetting
    switch creation {
    case .unchecked(let wanted), .guarded(let wanted): setting = wanted
    // The client sets what it wants by a second call.
    case .exclusive: setting = AttributeSetting()
    }
    let file = withName(name) { linux_create(folder.place, $0, (setting.mode ?? 0o600) & 0o7777) }
    guard file >= 0 else {
      let status = NFSStatus.ofKernel
      guard status == .exists else { throw status }
      return try existing(folder, name, creation)
    }
    let found: Node
    do throws(NFSStatus) {
      found = try hold(try opened(linux_place_of(file)), folder, name).node
    } catch {
      release(file)
      throw error
    }
    // Its mode may keep everybody from opening it again.
    files.keep(file, of: found.number, reads: true, writes: true)
    if case .exclusive(let verifier) = creation {
      exclusives.append((found.number, verifier))
      if exclusives.count > FileServer.mostExclusives { exclusives.removeFirst() }
    }
    setting.mode = nil
    if setting.size == 0 { setting.size = nil }
    try set(setting, found)
    return found
  }

  private static let mostExclusives = 64

  private func existing(_ folder: Node, _ name: [UInt8], _ creation: Creation) throws(NFSStatus) -> Node {
    let node = try step(folder, name).node
    switch creation {
    case .guarded: throw .exists
    case .exclusive(let verifier):
      guard exclusives.contains(where: { $0.object == node.number && $0.verifier == verifier }) else { throw .exists }
    case .unchecked(let setting):
      guard node.kind == .file else { throw node.kind == .folder ? .isFolder : .exists }
      // As open(2) with O_TRUNC: of a file that is there nothing else is set.
      if let size = setting.size { try set(AttributeSetting(size: size), node) }
    }
    return node
  }

  func makeFolder(_ place: NameInFolder, _ setting: AttributeSetting) -> NFSReply {
    make(place, setting) { folder in
      withName(place.name) { linux_make_folder(folder, $0, (setting.mode ?? 0o700) & 0o7777) }
    }
  }

  func makeLink(_ place: NameInFolder, _ target: [UInt8]) -> NFSReply {
    // PATH_MAX with its zero.
    guard target.count < 4096, !target.contains(0) else {
      return .failed(target.count < 4096 ? .invalid : .nameTooLong, .change(Change()))
    }
    return make(place, AttributeSetting()) { folder in
      withName(place.name) { name in withName(target) { linux_make_symbolic_link(folder, name, $0) } }
    }
  }

  /// Devices would be this node's to users of another; a user may not make them anyway.
  func makeSpecial(_ place: NameInFolder, _ special: SpecialFile) -> NFSReply {
    switch special {
    case .fifo(let setting):
      make(place, setting) { folder in
        withName(place.name) { linux_make_fifo(folder, $0, (setting.mode ?? 0o600) & 0o7777) }
      }
    case .socket(let setting):
      make(place, setting) { folder in
        withName(place.name) { linux_make_socket(folder, $0, (setting.mode ?? 0o600) & 0o7777) }
      }
    case .device: .failed(.notOwner, .change(Change()))
    case .other: .failed(.badType, .change(Change()))
    }
  }

  private func make(_ place: NameInFolder, _ setting: AttributeSetting, _ act: (Int32) -> Int32) -> NFSReply {
    var watched: ChangedFolder?
    do throws(NFSStatus) {
      let folder = try changing(place, &watched)
      try check(act(folder.place))
      let node = try step(folder, place.name).node
      var rest = setting
      rest.mode = nil
      rest.size = nil
      try set(rest, node)
      return .made(handle(node.number, tree: node.tree), attributes(of: node), folder: change(watched))
    } catch {
      return .failed(error, .change(change(watched)))
    }
  }

  func remove(_ place: NameInFolder, isFolder: Bool) -> NFSReply {
    var watched: ChangedFolder?
    do throws(NFSStatus) {
      let folder = try changing(place, &watched)
      let object = known(folder, place.name)
      try check(withName(place.name) { linux_remove(folder.place, $0, isFolder ? 1 : 0) })
      lost(object, folder, place.name)
      return .changed(change(watched))
    } catch {
      return .failed(error, .change(change(watched)))
    }
  }

  /// What a client has a handle of by this name, with its place open: once the name is gone only that tells whether others are left.
  private func known(_ folder: Node, _ name: [UInt8]) -> Node? {
    guard let found = try? readAttributes(folder.place, name),
      let number = objects.known(tree: folder.tree, found)
    else { return nil }
    return try? step(folder, name).node.number == number ? node(handle(number, tree: folder.tree)) : nil
  }

  /// A name was taken from an object.
  private func lost(_ object: Node?, _ folder: Node, _ name: [UInt8]) {
    guard let object else { return }
    if let found = try? readAttributes(object.place), found.links > 0, found.kind != .folder {
      objects.lostName(object.number, parent: folder.number, name: name)
    } else {
      forget(object.number)
    }
  }

  func rename(_ from: NameInFolder, _ to: NameInFolder) -> NFSReply {
    var watchedFrom: ChangedFolder?
    var watchedTo: ChangedFolder?
    do throws(NFSStatus) {
      let source = try watch(from, &watchedFrom)
      let target = try watch(to, &watchedTo)
      for (folder, name) in [(source, from.name), (target, to.name)] {
        try requireWritable(folder)
        try requireName(name, in: folder)
      }
      let moved = known(source, from.name)
      let replaced = known(target, to.name)
      try check(
        withName(from.name) { old in
          withName(to.name) { linux_rename(source.place, old, target.place, $0) }
        })
      // Two names of one file stay as they are (rename(2)).
      if let moved, moved.number == replaced?.number {
        objects.moved(moved.number, parent: target.number, name: to.name)
      } else {
        lost(replaced, target, to.name)
        if let moved { follow(moved, target, to.name) }
      }
      return .renamed(from: change(watchedFrom), to: change(watchedTo))
    } catch {
      return .failed(error, .changes(change(watchedFrom), change(watchedTo)))
    }
  }

  /// An object has another name now, in its tree or in another.
  private func follow(_ object: Node, _ folder: Node, _ name: [UInt8]) {
    if object.tree == folder.tree {
      objects.moved(object.number, parent: folder.number, name: name)
    } else {
      forget(object.number)
    }
  }

  func link(_ handle: ObjectHandle?, _ place: NameInFolder) -> NFSReply {
    var watched: ChangedFolder?
    var seen: Node?
    do throws(NFSStatus) {
      let node = try node(handle)
      seen = node
      let folder = try changing(place, &watched)
      guard !tree(node).isReadOnly else { throw .otherFileSystem }
      guard node.kind != .folder else { throw .isFolder }
      try check(withName(place.name) { linux_link(node.place, folder.place, $0) })
      return .linked(attributes(of: node), folder: change(watched))
    } catch {
      return .failed(error, .link(attributes(of: seen), change(watched)))
    }
  }
}
