import DroneLayout
import BootServer
import Bytes
import Integrity
import Linux
import MachineReadings
import MemoryBudget
import ProcessControl

/// The files that this node boots others with: copied from its medium into memory, so that the medium may be taken out, or
/// where memory is short left on the mounted medium, those for PCs of 64 bits first.
struct BootFiles {
  let folders: ServedFolders
  /// For the report: how large, and where.
  let text: [UInt8]

  /// Where the drone's process 1 mounts the medium.
  private static let medium = Path(DronePath.medium)
  /// What must stay free beside the copies: the cluster, a shell and what the operator runs.
  private static let reserve: UInt64 = 8 << 20
  /// What must stay free where the copies are.
  private static let logs: UInt64 = 256 << 10
  /// The search itself gives up after 30 s; without a medium nobody waits for so long.
  private static let patience: UInt64 = 15_000
  private static let piece = 64 << 10
  /// In the folder of the copies, once all that the medium has is there. A run after a crash looks for it.
  private static let whole: StaticString = "whole"

  init(_ places: Places, isResuming: Bool) throws(Failure) {
    let copies = places.run / "boot"
    if isResuming, exists(copies / BootFiles.whole), let sizes = BootFiles.sizes(copies) {
      self.init(sizes, standard: copies, wide: copies)
      return
    }
    let wasMounted = BootFiles.isMounted
    if !wasMounted { try BootFiles.mount() }
    guard let sizes = BootFiles.sizes(BootFiles.medium) else {
      throw Failure("the medium on /mnt/boot lacks files to boot others with: make iso makes one that has them.")
    }
    // The readings are in KiB.
    func room(_ kilobytes: UInt64, without kept: UInt64) -> UInt64 { max(kilobytes << 10, kept) - kept }
    let room = min(
      room(readMachine().memoryAvailable, without: BootFiles.reserve),
      room(fileSystemUse(of: places.run)?.free ?? 0, without: BootFiles.logs))
    // Those of a group go into memory together or not at all.
    let holdsStandard = room >= sizes.standard
    let holdsAll = room >= sizes.standard + sizes.wide
    do throws(SystemError) {
      removeFile(copies / BootFiles.whole)
      try BootFiles.readOnce(.standard, copyingTo: holdsStandard ? copies : nil)
      try BootFiles.readOnce(.wide, copyingTo: holdsAll ? copies : nil)
      if holdsAll {
        try replaceFile(copies / BootFiles.whole, [], permissions: 0o600)
        if !wasMounted { try? unmount(BootFiles.medium) }
      }
    } catch {
      throw Failure([UInt8]("the files to boot others with: ") + error.text)
    }
    self.init(
      sizes, standard: holdsStandard ? copies : BootFiles.medium, wide: holdsAll ? copies : BootFiles.medium)
  }

  private init(_ sizes: (standard: UInt64, wide: UInt64), standard: Path, wide: Path) {
    folders = ServedFolders(standard: standard, wide: sizes.wide > 0 ? wide : nil)
    func kilobytes(_ size: UInt64) -> [UInt8] { decimalText((size + 1023) / 1024) + [UInt8](" KiB ") }
    let all = kilobytes(sizes.standard + sizes.wide) + [UInt8]("of files ")
    let rest: [UInt8]
    if wide.bytes != BootFiles.medium.bytes {
      rest = all + [UInt8]("in memory: the medium may be taken out")
    } else if standard.bytes == BootFiles.medium.bytes {
      rest = all + [UInt8]("on /mnt/boot: the medium must stay in, memory is short")
    } else {
      rest =
        kilobytes(sizes.standard) + [UInt8]("of files in memory, and ") + kilobytes(sizes.wide)
        + [UInt8]("for PCs of 64 bits on /mnt/boot: the medium must stay in, memory is short")
    }
    text = rest + [UInt8](folders.servesUEFI ? "; for BIOS and UEFI" : "; for BIOS alone")
  }

  private static var isMounted: Bool { exists(medium / MediumPath.root) }

  /// Has the drone's own search find and mount the medium.
  private static func mount() throws(Failure) {
    let start = millisecondsSinceStart()
    guard
      let process = try? Program(Path(ProgramPath.initialization), arguments: [[UInt8](InitProgram.medium.name)])
        .start()
    else {
      throw Failure("the search for the boot medium cannot be started.")
    }
    var ended = false
    while !isMounted, !ended, millisecondsSinceStart() &- start < patience {
      pause(milliseconds: 100)
      ended = collectChild(process) != nil
    }
    if !ended, waitForChildBriefly(process) == nil {
      sendSignal(.kill, to: process)
      _ = waitForChild(process)
    }
    guard isMounted else {
      throw Failure("there is no medium to boot others from: put the drone's CD or stick in.")
    }
  }

  /// What mounts it has a word more to say.
  private static func waitForChildBriefly(_ process: Int32) -> Ending? {
    for _ in 0..<20 {
      if let (_, ending) = collectChild(process) { return ending }
      pause(milliseconds: 50)
    }
    return nil
  }

  /// The sizes of the groups' files in a folder; nil when one is missing.
  private static func sizes(_ folder: Path) -> (standard: UInt64, wide: UInt64)? {
    func size(_ group: ServedFile.Group) -> UInt64? {
      var total: UInt64 = 0
      for source in sources(group, in: folder) {
        guard let file = try? Descriptor(folder / source, .read), let size = file.size else { return nil }
        total &+= UInt64(clamping: size)
      }
      return total
    }
    guard let standard = size(.standard), let wide = size(.wide) else { return nil }
    return (standard, wide)
  }

  /// Paths below the top folder. Of the second group those that the medium is made with.
  private static func sources(_ group: ServedFile.Group, in folder: Path) -> [StaticString] {
    let hasDrone = group == .standard || exists(folder / MediumPath.wideKernel)
    var sources: [StaticString] = []
    for index in 0..<ServedFile.count {
      if hasDrone, let file = ServedFile.at(index), file.group == group { sources.append(file.source) }
    }
    switch group {
    case .standard: sources.append(MediumPath.publicPart)
    case .wide:
      if hasDrone { sources.append(MediumPath.widePublicPart) }
      if exists(folder / MediumPath.bootStub) { sources.append(MediumPath.bootStub) }
    }
    return sources
  }

  /// Reads everything once: proves that a root archive begins with what is public, and copies that much and the other files.
  private static func readOnce(_ group: ServedFile.Group, copyingTo copies: Path?) throws(SystemError) {
    let sources = sources(group, in: medium)
    if let copies, !sources.isEmpty {
      try makeDirectory(copies, permissions: 0o700)
      for name: StaticString in ["chaos", "chaos/x86_64", "boot", "isolinux", "pxe"] {
        try makeDirectory(copies / name, permissions: 0o700)
      }
    }
    for source in sources {
      if let root = ServedRoot(at: source) {
        guard let part = PublicPart(text: try readFile(medium / root.publicPart, limit: 256)) else {
          throw SystemError("read", [UInt8](root.publicPart), number: 22)
        }
        try copy(source, upTo: part.size, to: copies, proving: part.digest)
      } else if copies != nil {
        try copy(source, upTo: Int.max, to: copies, proving: nil)
      }
    }
  }

  private static func copy(
    _ source: StaticString, upTo limit: Int, to copies: Path?, proving digest: [UInt8]?
  ) throws(SystemError) {
    let from = try Descriptor(medium / source, .read)
    var digesting = ContentDigest()
    var done = 0
    if let copies { removeFile(copies / source) }
    while done < limit {
      let bytes = try from.read(at: Int64(done), count: min(piece, limit - done))
      if bytes.isEmpty { break }
      if digest != nil { digesting.add(bytes.span) }
      if let copies { try appendToFile(copies / source, bytes, permissions: 0o600) }
      done += bytes.count
    }
    guard let digest else { return }
    guard done == limit, digesting.finish() == digest else {
      throw SystemError("the archive is not the one that the build made", [UInt8](source), number: 5)
    }
  }
}
