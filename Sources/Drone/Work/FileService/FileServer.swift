import Bytes
import CLinux
import Linux
import NFS

/// What a server has done.
public struct FileCounters: Equatable, Sendable {
  public internal(set) var calls: UInt64 = 0
  /// Calls that were answered from memory: the client had sent them before.
  public internal(set) var repeats: UInt64 = 0
  public internal(set) var bytesRead: UInt64 = 0
  public internal(set) var bytesWritten: UInt64 = 0
}

/// Serves a user's files to one node: MOUNT and NFS, both of version 3 (RFC 1813). It acts with the rights of its process, which are the
/// user's; so the kernel decides what is allowed.
///
/// It never leaves its trees: each name is one step from a folder that is in one, links are given as text and never followed, and nothing
/// leads upwards. What is moved out of a tree while a client has it stays what the client has; nothing above it can be reached.
public final class FileServer {
  let secret: SessionSecret
  /// Tells a client that what it wrote and did not commit may be lost: another number, another server (RFC 1813 §3.3.7).
  let verifier: UInt64
  /// Whom the process acts for.
  var user: UInt32 = geteuid()
  var trees: [OfferedTree] = []
  var objects: ObjectTable
  var files: OpenFiles
  var streams = FolderStreams()
  var replies = ReplyMemory()
  /// The verifiers of files that were made exclusively.
  var exclusives: [(object: UInt64, verifier: UInt64)] = []
  public internal(set) var counters = FileCounters()

  /// The most bytes of a READ or WRITE, and what is preferred: a small drone's memory holds several of them.
  static let mostBytes: UInt32 = 1 << 20
  static let preferredBytes: UInt32 = 256 << 10
  /// The most bytes of a folder's list.
  static let mostListing: UInt32 = 128 << 10
  static let preferredListing: UInt32 = 64 << 10

  /// How many files are open at a time.
  private static let openFiles = 64
  /// What the process needs besides objects: open files, folders, connections.
  private static let otherDescriptors: UInt64 = 256
  /// More than these are closed and opened again: each keeps about a kilobyte of the kernel's memory.
  private static let mostDescriptors: UInt64 = 32_768

  /// How long a client may go on with what others have removed from a tree that can be written, in milliseconds.
  private static let patience: UInt64 = 60_000
  private static let lookedAtPerSweep = 2048

  /// - Parameters:
  ///   - secret: what opens this session.
  ///   - verifier: random, another one for each server.
  public convenience init(secret: SessionSecret, verifier: UInt64) {
    let limit = linux_descriptor_limit()
    let most = limit > 2 * FileServer.otherDescriptors ? limit - FileServer.otherDescriptors : limit / 2
    self.init(secret: secret, verifier: verifier, descriptors: Int(min(most, FileServer.mostDescriptors)))
  }

  /// - Parameter descriptors: how many may be held for objects.
  init(secret: SessionSecret, verifier: UInt64, descriptors: Int) {
    self.secret = secret
    self.verifier = verifier
    objects = ObjectTable(limit: descriptors)
    files = OpenFiles(limit: min(FileServer.openFiles, max(descriptors, 1)))
  }

  deinit {
    files.closeAll()
    streams.closeAll()
    objects.closeAll()
  }

  /// Readies a process that serves files and does nothing else: it gets as many descriptors as it may have, and what it makes has the
  /// mode that the client says, which has applied its own mask.
  public static func prepareProcess() {
    linux_set_descriptor_limit(.max)
    setCreationMask(0)
  }

  /// From now on clients may mount the tree. One with the same path takes its place; handles stay.
  public func offer(_ tree: Tree) throws(SystemError) {
    if let place = trees.firstIndex(where: { $0.tree.path == tree.path }) {
      trees[place].tree = tree
      return
    }
    let descriptor = withName(tree.path) { linux_place($0) }
    guard descriptor >= 0 else { throw SystemError("open", tree.path) }
    var found = linux_attributes()
    guard linux_read_attributes(descriptor, "", &found) == 0 else {
      let error = SystemError("stat", tree.path)
      release(descriptor)
      throw error
    }
    guard found.kind == .folder else {
      release(descriptor)
      throw SystemError("open", tree.path, number: ENOTDIR)
    }
    let place = UInt32(clamping: trees.count)
    do throws(NFSStatus) {
      let root = try objects.number(tree: place, found, parent: 0, name: [], descriptor: descriptor)
      // Never another session's, so that a client does not take two sessions' trees for one.
      let fileSystem = SplitMix64.mix(verifier &+ UInt64(place))
      trees.append(OfferedTree(tree, root: root, fileSystem: fileSystem, device: found.device))
    } catch {
      throw SystemError("open", tree.path, number: EIO)
    }
  }

  /// The handle of a tree's own folder, as MNT gives it; nil when the tree was not offered. Whoever mounts with it (nfs_mount_data, version
  /// 6, nfs(5)) need not show the path with the secret, which everybody could read in /proc/mounts.
  public func root(of tree: [UInt8]) -> ObjectHandle? {
    guard let place = trees.firstIndex(where: { $0.tree.path == tree }) else { return nil }
    return ObjectHandle(secret: secret, tree: UInt32(clamping: place), object: trees[place].root)
  }

  /// Answers one call.
  /// - Parameter record: as `RecordReader` gives it.
  /// - Returns: the reply as a marked record, ready to be sent; nil when this is no call: the connection is to be closed.
  public func answer(_ record: [UInt8]) -> [UInt8]? {
    counters.calls &+= 1
    objects.closeUnused()
    do throws(RPCRefusal) {
      let call = try RPCCall(record)
      switch try call.request() {
      case .mount(let request): return answer(request).record(call.xid)
      case .nfs(let request):
        if request.isRepeatable { return answer(request).record(call.xid) }
        let digest = ReplyMemory.digest(record)
        if let reply = replies.reply(call.xid, digest) {
          counters.repeats &+= 1
          return reply
        }
        let answer = answer(request)
        let reply = answer.record(call.xid)
        // What is to be asked again later is.
        if case .failed(.later, _) = answer { return reply }
        replies.keep(call.xid, digest, reply)
        return reply
      }
    } catch {
      switch error {
      case .notRPC: return nil
      case .denied(let reply): return reply
      }
    }
  }

  /// Does what must happen now and then, about once a second: closes files that nobody reads or writes any more, and lets go what others
  /// have removed.
  /// - Parameter milliseconds: the time of a clock that does not go back.
  public func sweep(at milliseconds: UInt64 = millisecondsSinceStart()) {
    files.sweep()
    streams.sweep()
    let writable = trees.indices.filter { !trees[$0].tree.isReadOnly }.map { UInt32(clamping: $0) }
    // A library that was replaced goes on for the programs that use it: only what can be written is let go.
    for number in objects.abandoned(
      at: milliseconds, patience: FileServer.patience, lookingAt: FileServer.lookedAtPerSweep, in: writable)
    {
      forget(number)
    }
  }

  /// An object's handle is stale from now on.
  func forget(_ number: UInt64) {
    files.forget(number)
    streams.forget(number)
    objects.forget(number)
    exclusives.removeAll { $0.object == number }
  }

  private func answer(_ request: MountRequest) -> MountReply {
    switch request {
    case .null, .unmount, .unmountAll: return .nothing
    case .dump, .exports: return .emptyList
    case .mount(let path):
      guard let path, path.secret == secret else { return .failed(.access) }
      return root(of: path.tree).map { .mounted($0) } ?? .failed(.missing)
    }
  }

  private func answer(_ request: NFSRequest) -> NFSReply {
    let reply = carryOut(request)
    if case .failed(.later, _) = reply, !hasDescriptors { objects.tighten() }
    return reply
  }

  /// Whether the process can still open something.
  private var hasDescriptors: Bool {
    let descriptor = linux_place("/")
    release(descriptor)
    return descriptor >= 0
  }

  private func carryOut(_ request: NFSRequest) -> NFSReply {
    switch request {
    case .null: .null
    case .attributes(let handle): attributes(handle)
    case .setAttributes(let handle, let setting, let guardTime): setAttributes(handle, setting, guardTime)
    case .lookUp(let place): lookUp(place)
    case .access(let handle, let rights): access(handle, rights)
    case .readLink(let handle): readLink(handle)
    case .read(let handle, let offset, let count): read(handle, offset, count)
    case .write(let handle, let offset, _, let stability, let data): write(handle, offset, stability, data)
    case .create(let place, let creation): create(place, creation)
    case .makeFolder(let place, let setting): makeFolder(place, setting)
    case .makeLink(let place, _, let target): makeLink(place, target)
    case .makeSpecial(let place, let special): makeSpecial(place, special)
    case .remove(let place): remove(place, isFolder: false)
    case .removeFolder(let place): remove(place, isFolder: true)
    case .rename(let from, let to): rename(from, to)
    case .link(let handle, let place): link(handle, place)
    case .list(let listing): list(listing, withAttributes: false)
    case .listWithAttributes(let listing): list(listing, withAttributes: true)
    case .fileSystem(let handle): fileSystem(handle)
    case .limits(let handle): limits(handle)
    case .pathLimits(let handle): pathLimits(handle)
    case .commit(let handle, _, _): commit(handle)
    }
  }
}
