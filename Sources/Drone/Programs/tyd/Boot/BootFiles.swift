import DroneLayout
import BootServer
import Bytes
import Integrity
import Linux
import MachineReadings
import MemoryBudget
import ProcessControl

/// The files that this node boots others with: copied from its medium into memory, so that the medium may be taken out, or
/// where memory is short left on the mounted medium.
struct BootFiles {
  /// Laid out as on the medium.
  let folder: Path
  let isInMemory: Bool
  /// In bytes, all together.
  let size: Int

  /// Where the drone's process 1 mounts the medium.
  private static let medium = Path(DronePath.medium)
  /// What must stay free beside the copies: the cluster, a shell and what the operator runs.
  private static let reserve: UInt64 = 8 << 20
  /// What must stay free where the copies are.
  private static let logs: UInt64 = 256 << 10
  /// The search itself gives up after 30 s; without a medium nobody waits for so long.
  private static let patience: UInt64 = 15_000
  private static let piece = 64 << 10

  init(_ places: Places, isResuming: Bool) throws(Failure) {
    let copies = places.run / "boot"
    if isResuming, let size = BootFiles.size(copies) {
      folder = copies
      isInMemory = true
      self.size = size
      return
    }
    let wasMounted = BootFiles.isMounted
    if !wasMounted { try BootFiles.mount() }
    guard let size = BootFiles.size(BootFiles.medium) else {
      throw Failure("the medium on /mnt/boot lacks files to boot others with: make iso makes one that has them.")
    }
    self.size = size
    // The readings are in KiB.
    let room = fileSystemUse(of: places.run)?.free ?? 0
    isInMemory =
      readMachine().memoryAvailable << 10 >= UInt64(size) &+ BootFiles.reserve
      && room << 10 >= UInt64(size) &+ BootFiles.logs
    folder = isInMemory ? copies : BootFiles.medium
    do throws(SystemError) {
      try BootFiles.readOnce(copyingTo: isInMemory ? copies : nil)
      if isInMemory, !wasMounted { try? unmount(BootFiles.medium) }
    } catch {
      throw Failure([UInt8]("the files to boot others with: ") + error.text)
    }
  }

  /// For the report.
  var text: [UInt8] {
    let kilobytes = decimalText((size + 1023) / 1024) + [UInt8](" KiB of files ")
    return isInMemory
      ? kilobytes + [UInt8]("in memory: the medium may be taken out")
      : kilobytes + [UInt8]("on /mnt/boot: the medium must stay in, memory is short")
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

  /// The size of all files in a folder; nil when one is missing.
  private static func size(_ folder: Path) -> Int? {
    var total = 0
    for index in 0..<ServedFile.count {
      guard let source = ServedFile.at(index)?.source, let file = try? Descriptor(folder / source, .read),
        let size = file.size
      else { return nil }
      total += Int(clamping: size)
    }
    return exists(folder / MediumPath.publicPart) ? total : nil
  }

  /// Reads everything once: proves that the archive begins with what is public, and copies that much and the other files.
  private static func readOnce(copyingTo copies: Path?) throws(SystemError) {
    let text = try readFile(medium / MediumPath.publicPart, limit: 256)
    guard let part = PublicPart(text: text) else {
      throw SystemError("read", [UInt8](MediumPath.publicPart), number: 22)
    }
    if let copies {
      try makeDirectory(copies, permissions: 0o700)
      for name: StaticString in ["chaos", "isolinux", "pxe"] { try makeDirectory(copies / name, permissions: 0o700) }
    }
    for index in 0..<ServedFile.count {
      guard let source = ServedFile.at(index)?.source else { continue }
      let isRoot = source.withUTF8Buffer { $0.elementsEqual([UInt8](MediumPath.root)) }
      if isRoot {
        try copy(source, upTo: part.size, to: copies, proving: part.digest)
      } else if copies != nil {
        try copy(source, upTo: Int.max, to: copies, proving: nil)
      }
    }
    // Last: a run after a crash looks for it.
    if let copies { try replaceFile(copies / MediumPath.publicPart, text, permissions: 0o600) }
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
