import CLinux
import NFS

/// A name as the kernel lists it.
struct ListedName {
  let name: [UInt8]
  let inode: UInt64
  /// Where the names behind it begin.
  let cookie: UInt64
}

/// A folder that is being listed. It stays open between calls: the kernel then knows the place among the names also where cookies alone
/// do not, while names come and go.
struct FolderStream {
  let object: UInt64
  let descriptor: Int32
  /// What the kernel gave and clients have not had.
  private var buffer: [UInt8] = []
  private var place = 0
  /// The cookie of the name that was given last.
  private(set) var position: UInt64 = 0
  var lastUse: UInt64 = 0
  var sweeps: UInt8 = 0

  private static let room = 32 << 10

  init(object: UInt64, descriptor: Int32) {
    self.object = object
    self.descriptor = descriptor
  }

  mutating func go(to cookie: UInt64) throws(NFSStatus) {
    guard cookie == 0 || cookie != position else { return }
    buffer = []
    place = 0
    guard linux_go_to_name(descriptor, cookie) == 0 else { throw .badCookie }
    position = cookie
  }

  /// The next name; nil at the end.
  mutating func peek() throws(NFSStatus) -> ListedName? {
    if place >= buffer.count { try fill() }
    return at(place)?.name
  }

  /// The name that `peek` gave has been given.
  mutating func take() {
    guard let (name, next) = at(place) else { return }
    position = name.cookie
    place = next
  }

  private mutating func fill() throws(NFSStatus) {
    var got = 0
    buffer = [UInt8](unsafeUninitializedCapacity: FolderStream.room) { bytes, count in
      got = Int(linux_read_names(descriptor, bytes.baseAddress, bytes.count))
      count = max(0, min(got, FolderStream.room))
    }
    place = 0
    guard got >= 0 else { throw .ofKernel }
  }

  private func at(_ place: Int) -> (name: ListedName, next: Int)? {
    var found = linux_name()
    let next = buffer.withUnsafeBytes { linux_name_at($0.baseAddress, $0.count, place, &found) }
    guard next > place, let start = Int(exactly: found.start), let length = Int(exactly: found.length), start >= 0,
      length >= 0, length <= buffer.count - start
    else { return nil }
    let name = [UInt8](buffer[start..<start + length])
    return (ListedName(name: name, inode: found.inode, cookie: found.next), Int(next))
  }
}

/// The folders that are being listed.
struct FolderStreams {
  private var streams: [FolderStream] = []
  private var uses: UInt64 = 0
  private static let most = 16
  private static let patience: UInt8 = 30

  /// Takes out the stream that stands at the cookie, else one that can go there. A list from the beginning has its own.
  mutating func take(_ object: UInt64, cookie: UInt64) -> FolderStream? {
    guard cookie != 0 else { return nil }
    let there = streams.firstIndex { $0.object == object && $0.position == cookie }
    return (there ?? streams.firstIndex { $0.object == object }).map { streams.remove(at: $0) }
  }

  mutating func put(_ stream: FolderStream) {
    while streams.count >= FolderStreams.most,
      let oldest = streams.indices.min(by: { streams[$0].lastUse < streams[$1].lastUse })
    {
      release(streams.remove(at: oldest).descriptor)
    }
    uses &+= 1
    var stream = stream
    stream.lastUse = uses
    stream.sweeps = 0
    streams.append(stream)
  }

  mutating func forget(_ object: UInt64) { close { $0.object == object } }

  mutating func sweep() {
    for place in streams.indices { streams[place].sweeps &+= 1 }
    close { $0.sweeps >= FolderStreams.patience }
  }

  mutating func closeAll() { close { _ in true } }

  private mutating func close(_ isOver: (FolderStream) -> Bool) {
    for stream in streams where isOver(stream) { release(stream.descriptor) }
    streams.removeAll(where: isOver)
  }
}
