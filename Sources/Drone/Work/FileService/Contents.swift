import CLinux
import NFS

// What files hold: READ, WRITE, COMMIT, and SETATTR, which also cuts them.
extension FileServer {
  /// A descriptor of a file that is open for it.
  private func file(_ node: Node, writing: Bool) throws(NFSStatus) -> Int32 {
    switch node.kind {
    case .file: break
    case .folder: throw .isFolder
    default: throw .invalid
    }
    if let open = files.descriptor(node.number, writing: writing) { return open }
    let (descriptor, reads, writes) = try openFile(node.place, writing: writing, user: user)
    files.keep(descriptor, of: node.number, reads: reads, writes: writes)
    return descriptor
  }

  /// fdatasync(2) is about the file, whichever descriptor it was written by: one for reading will do when the mode was changed meanwhile.
  private func anyDescriptor(_ node: Node) throws(NFSStatus) -> Int32 {
    do throws(NFSStatus) {
      return try file(node, writing: true)
    } catch {
      guard error == .access else { throw error }
      return try file(node, writing: false)
    }
  }

  func read(_ handle: ObjectHandle?, _ offset: UInt64, _ count: UInt32) -> NFSReply {
    var seen: Node?
    do throws(NFSStatus) {
      let node = try node(handle)
      seen = node
      let descriptor = try file(node, writing: false)
      let room = Int(clamping: min(count, FileServer.mostBytes))
      var failure: NFSStatus?
      var data: [UInt8] = []
      if let offset = Int64(exactly: offset), offset <= Int64.max - Int64(FileServer.mostBytes) {
        data = [UInt8](unsafeUninitializedCapacity: room) { bytes, filled in
          filled = 0
          while filled < room {
            let got = linux_read_at(
              descriptor, bytes.baseAddress?.advanced(by: filled), room - filled, offset + Int64(filled))
            if got < 0 && linux_errno() == EINTR { continue }
            if got < 0 && filled == 0 { failure = .ofKernel }
            if got <= 0 { break }
            filled += got
          }
        }
      }
      if let failure { throw failure }
      counters.bytesRead &+= UInt64(clamping: data.count)
      let attributes = attributes(try readAttributes(descriptor), tree: node.tree)
      // Past what Int64 can say there is nothing.
      let (end, isBeyond) = offset.addingReportingOverflow(UInt64(clamping: data.count))
      return .read(attributes, data: data, isAtEnd: isBeyond || end >= attributes.size)
    } catch {
      return .failed(error, .attributes(attributes(of: seen)))
    }
  }

  func write(_ handle: ObjectHandle?, _ offset: UInt64, _ stability: Stability, _ data: ArraySlice<UInt8>) -> NFSReply {
    var change = Change()
    var seen: Node?
    do throws(NFSStatus) {
      let node = try node(handle)
      seen = node
      change.before = attributes(of: node)?.before
      try requireWritable(node)
      let descriptor = try file(node, writing: true)
      let written = try put(data.prefix(Int(clamping: FileServer.mostBytes)), descriptor, offset)
      counters.bytesWritten &+= UInt64(clamping: written)
      if stability != .unstable { try bringToMedium(descriptor, node) }
      change.after = attributes(of: node)
      if stability != .unstable { files.closeWriters(node.number) }
      return .written(change, count: UInt32(clamping: written), stability, verifier: verifier)
    } catch {
      change.after = attributes(of: seen)
      return .failed(error, .change(change))
    }
  }

  /// Writes bytes; fewer than all when there is no room for more.
  private func put(_ data: ArraySlice<UInt8>, _ descriptor: Int32, _ offset: UInt64) throws(NFSStatus) -> Int {
    guard let start = Int64(exactly: offset), start <= Int64.max - Int64(FileServer.mostBytes) else { throw .tooLarge }
    var failure: NFSStatus?
    let written = data.withUnsafeBytes { bytes in
      var done = 0
      while done < bytes.count {
        let went = linux_write_at(
          descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done, start + Int64(done))
        if went < 0 && linux_errno() == EINTR { continue }
        if went < 0 && done == 0 { failure = .ofKernel }
        if went <= 0 { break }
        done += went
      }
      return done
    }
    if let failure { throw failure }
    return written
  }

  private func bringToMedium(_ descriptor: Int32, _ node: Node) throws(NFSStatus) {
    guard tree(node).isDurable else { return }
    try check(fdatasync(descriptor))
  }

  /// A client commits when a program closes the file or asks for it.
  func commit(_ handle: ObjectHandle?) -> NFSReply {
    var change = Change()
    var seen: Node?
    do throws(NFSStatus) {
      let node = try node(handle)
      seen = node
      change.before = attributes(of: node)?.before
      try requireWritable(node)
      try bringToMedium(try anyDescriptor(node), node)
      files.closeWriters(node.number)
      change.after = attributes(of: node)
      return .committed(change, verifier: verifier)
    } catch {
      change.after = attributes(of: seen)
      return .failed(error, .change(change))
    }
  }

  func setAttributes(_ handle: ObjectHandle?, _ setting: AttributeSetting, _ guardTime: FileTime?) -> NFSReply {
    var change = Change()
    var seen: Node?
    do throws(NFSStatus) {
      let node = try node(handle)
      seen = node
      change.before = attributes(of: node)?.before
      try requireWritable(node)
      if let guardTime, guardTime != change.before?.changed { throw .notSynchronized }
      try set(setting, node)
      change.after = attributes(of: node)
      return .changed(change)
    } catch {
      change.after = attributes(of: seen)
      return .failed(error, .change(change))
    }
  }

  /// The size first, which also sets times; the owner before the mode, whose bits it can take away.
  func set(_ setting: AttributeSetting, _ node: Node) throws(NFSStatus) {
    if let size = setting.size {
      guard let size = Int64(exactly: size) else { throw .tooLarge }
      let descriptor = try file(node, writing: true)
      try check(linux_change_size(descriptor, size))
    }
    if setting.owner != nil || setting.group != nil {
      try check(linux_change_owner(node.place, setting.owner ?? .max, setting.group ?? .max))
    }
    // A link has no mode of its own.
    if let mode = setting.mode, node.kind != .link { try check(linux_change_mode(node.place, mode & 0o7777)) }
    guard setting.accessed != .keep || setting.modified != .keep else { return }
    let accessed = setting.accessed.parts
    let modified = setting.modified.parts
    try check(
      linux_change_times(node.place, accessed.seconds, accessed.part, modified.seconds, modified.part))
  }
}

extension TimeSetting {
  /// As `linux_change_times` wants it.
  fileprivate var parts: (seconds: Int64, part: Int32) {
    switch self {
    case .keep: (0, -1)
    case .now: (0, -2)
    case .to(let time): (Int64(time.seconds), Int32(clamping: time.nanoseconds))
    }
  }
}
