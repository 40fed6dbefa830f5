import Addresses
import Bytes
import DroneLayout
import Jobs
import Linux

/// The files of one user of one home node, mounted by the kernel's NFS client where mosd alone sees them.
struct SessionMounts {
  let folder: Path

  init(_ folder: Path) { self.folder = folder }

  var system: Path { folder / "system" }
  /// Names of trees are as long as paths: a digest of the path stands for it.
  func tree(_ path: [UInt8]) -> Path { folder / ([UInt8]("tree-") + hexadecimalText(digest(path))) }

  /// FNV-1a, 64 bits. Two trees of one user may meet in theory, and then that user sees one for the other.
  private func digest(_ path: [UInt8]) -> [UInt8] {
    var value: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in path { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
    var out: [UInt8] = []
    out.append(networkOrder: value)
    return out
  }

  /// Mounts what is not mounted yet. Jobs of one session that begin at once wait for each other.
  func mount(from home: IPv4Address, _ voucher: JobVoucher) throws(SystemError) {
    try makeDirectory(folder, permissions: 0o700)
    let lock = try lock()
    defer { withExtendedLifetime(lock) {} }
    // A program that runs needs no look at what cannot change under it: no question on the wire for it (nfs(5)).
    try mount(
      from: home, voucher, [UInt8(ascii: "/")], on: system, flags: [.readOnly],
      caching: [UInt8]("nocto,actimeo=600"))
    for path in voucher.trees {
      // A folder that the user may not enter is none of his job's either; where that starts in it, it says so.
      try? mount(
        from: home, voucher, path, on: tree(path), flags: [],
        caching: [UInt8]("acregmin=1,acregmax=3,acdirmin=1,acdirmax=3"))
    }
  }

  /// Only one process mounts or unmounts.
  private func lock() throws(SystemError) -> OpenSocket {
    let file = OpenSocket(try Descriptor(folder / "lock", .keep, permissions: 0o600))
    var tries = 0
    while !file.descriptor.lock() {
      tries += 1
      guard tries < 500 else { throw SystemError("lock", number: timedOut) }
      pause(milliseconds: 20)
    }
    return file
  }

  func isMounted(_ target: Path) -> Bool { exists(mark(target)) }

  private func mark(_ target: Path) -> Path { Path(target.bytes + [UInt8](".mounted")) }

  private func mount(
    from home: IPv4Address, _ voucher: JobVoucher, _ path: [UInt8], on target: Path, flags: MountFlags, caching: [UInt8]
  ) throws(SystemError) {
    if isMounted(target) { return }
    try makeDirectory(target, permissions: 0o700)
    let port = decimalText(voucher.port)
    let source = home.text + [UInt8](":/") + hexadecimalText(voucher.secret) + path
    let options =
      [UInt8]("vers=3,proto=tcp,nolock,hard,port=") + port + [UInt8](",mountport=") + port
      + [UInt8](",mountvers=3,mountproto=tcp,timeo=50,retrans=2,addr=") + home.text + [UInt8](",mountaddr=")
      + home.text + [UInt8](",") + caching
    try mountFileSystem(
      source, on: target, type: [UInt8]("nfs"), flags: flags.union([.noSetuid, .noDevices, .noAccessTimes]),
      options: options)
    try replaceFile(mark(target), [])
  }

  /// Lets everything go, also what waits for a home node that is gone.
  func release() {
    let lock = try? lock()
    defer { withExtendedLifetime(lock) {} }
    for name in directoryEntries(folder) where !name.spells("lock") {
      let place = folder / name
      if name.suffix(8).spells(".mounted") { continue }
      unmountForcibly(place)
      removeFile(mark(place))
      try? removeDirectory(place)
    }
    removeFile(folder / "lock")
    try? removeDirectory(folder)
  }
}
