import CLinux
import NFS

/// Files that are open for reading or writing, so that not every call opens its file anew.
struct OpenFiles {
  private struct Entry {
    let object: UInt64
    let descriptor: Int32
    let reads: Bool
    let writes: Bool
    var lastUse: UInt64
    var sweeps: UInt8
  }

  private var entries: [Entry] = []
  private var uses: UInt64 = 0
  private let limit: Int

  /// Whoever has not been used between so many sweeps is closed.
  private static let patience: UInt8 = 2

  init(limit: Int) { self.limit = max(limit, 1) }

  var count: Int { entries.count }

  /// A descriptor that can do it, if one is open.
  mutating func descriptor(_ object: UInt64, writing: Bool) -> Int32? {
    guard let place = entries.firstIndex(where: { $0.object == object && (writing ? $0.writes : $0.reads) }) else {
      return nil
    }
    uses &+= 1
    entries[place].lastUse = uses
    entries[place].sweeps = 0
    return entries[place].descriptor
  }

  /// Keeps a descriptor, in the place of that which was not used for longest when there are too many.
  mutating func keep(_ descriptor: Int32, of object: UInt64, reads: Bool, writes: Bool) {
    while entries.count >= limit, let oldest = entries.indices.min(by: { entries[$0].lastUse < entries[$1].lastUse }) {
      release(entries.remove(at: oldest).descriptor)
    }
    uses &+= 1
    entries.append(
      Entry(object: object, descriptor: descriptor, reads: reads, writes: writes, lastUse: uses, sweeps: 0))
  }

  /// What is written is complete: a program that is open for writing cannot be executed on this node (ETXTBSY, execve(2)).
  mutating func closeWriters(_ object: UInt64) { close { $0.object == object && $0.writes } }

  mutating func forget(_ object: UInt64) { close { $0.object == object } }

  mutating func sweep() {
    for place in entries.indices { entries[place].sweeps &+= 1 }
    close { $0.sweeps >= OpenFiles.patience }
  }

  mutating func closeAll() { close { _ in true } }

  private mutating func close(_ isOver: (Entry) -> Bool) {
    for entry in entries where isOver(entry) { release(entry.descriptor) }
    entries.removeAll(where: isOver)
  }
}

/// Opens the file at a place to read or write it. What its owner made read-only while it was open stays writable for clients: they had
/// it open when that happened (RFC 1813 §4.4).
/// - Parameter user: whom the process acts for.
/// - Returns: the descriptor, and what it can do.
func openFile(_ place: Int32, writing: Bool, user: UInt32) throws(NFSStatus) -> (
  descriptor: Int32, reads: Bool, writes: Bool
) {
  if writing {
    let both = linux_reopen(place, O_RDWR)
    if both >= 0 { return (both, true, true) }
  }
  let flags = writing ? O_WRONLY : O_RDONLY
  let one = linux_reopen(place, flags)
  if one >= 0 { return (one, !writing, writing) }
  let status = NFSStatus.ofKernel
  guard status == .access, let found = try? readAttributes(place), found.owner == user, found.kind == .file else {
    throw status
  }
  let mode = found.mode & 0o7777
  guard mode & 0o600 != 0o600, linux_change_mode(place, mode | 0o600) == 0 else { throw status }
  let again = linux_reopen(place, flags)
  let result = again >= 0 ? nil : NFSStatus.ofKernel
  _ = linux_change_mode(place, mode)
  if let result { throw result }
  return (again, !writing, writing)
}
