import Glibc
import Linux
import SystemPackage
import VirtualNetwork
import Workshop

// The switch's work: frames from one machine's wire to others'.
extension Army {
  func receive(from index: Int, _ now: UInt64) {
    guard let emulator = emulators[index], let piece = read(emulator.wire), !piece.isEmpty else { return }
    emulator.frames.append(piece)
    do throws(FrameReader.Failure) {
      while let frame = try emulator.frames.next() {
        let ports = network.forward(frame, from: index, at: now)
        if !ports.isEmpty { capture?.append(frame) }
        for port in ports {
          emulators[port]?.queue.append(frame)
          send(to: port)
        }
      }
    } catch {
      // Its emulator speaks no frames any more.
      cutPower(index)
      report(index + 1, "has ended: what came from its network card was no frame", now)
    }
  }

  /// Sends as many of a machine's pending frames as it accepts now.
  func send(to index: Int) {
    guard let emulator = emulators[index] else { return }
    while !emulator.queue.isEmpty {
      let piece = [UInt8](emulator.queue.pending.prefix(64 << 10))
      guard let count = try? emulator.wire.sendSome(piece), count > 0 else { return }
      emulator.queue.remove(count)
    }
  }
}

/// A pcap file of all frames that went through the switch.
final class CaptureFile {
  private let file: Descriptor

  init(_ path: FilePath) throws {
    do throws(SystemError) {
      file = try Descriptor(Path([UInt8](path.string.utf8)), .create, permissions: 0o600)
      try file.write(PacketCapture.header)
    } catch {
      throw BuildError.input("The capture cannot be written: \(String(decoding: error.text, as: UTF8.self)).")
    }
  }

  func append(_ frame: [UInt8]) {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    let time = UInt64(clamping: now.tv_sec) &* 1_000_000 &+ UInt64(clamping: now.tv_nsec) / 1000
    try? file.write(PacketCapture.record(frame, at: time))
  }
}
