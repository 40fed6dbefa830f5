import Addresses
import Glibc
import Linux
import SystemPackage
import VirtualMachine
import Workshop

/// The end of what a console printed, for the next viewer.
struct ConsoleTail {
  private(set) var bytes: [UInt8] = []

  mutating func append(_ piece: [UInt8]) {
    bytes += piece
    if bytes.count > 8192 { bytes.removeFirst(bytes.count - 4096) }
  }

  mutating func clear() { bytes = [] }

  var lines: [String] { String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init) }

  /// Process 1 has announced that it switches the power off.
  var isSwitchedOff: Bool { lines.suffix(8).contains { $0.contains("switching off (") } }
}

// The machines: power on and off, and what their consoles report.
extension Army {
  func startDue(_ now: UInt64) throws {
    for index in order.next(progress, at: now) { try start(index, now) }
  }

  func start(_ index: Int, _ now: UInt64) throws {
    let number = index + 1
    var machine = MachineConfiguration(
      target: settings.target,
      boot: .kernel(
        settings.kernel, initramfs: FilePath("/proc/\(getpid())/fd/\(initramfs.number)"),
        commandLine: plan.bootLine(of: number, contact: contact(for: index), words: settings.words)),
      cards: [NetworkCard(.rtl8139, on: Emulator.network, address: plan.hardware(of: number))])
    machine.hasScreen = false
    machine.translationCache = 32
    emulators[index] = try Emulator(machine)
    progress[index].start(at: now)
    consoles[index].clear()
    if !terminal.isInteractive { report(number, progress[index].starts == 1 ? "started" : "started again", now) }
  }

  /// Where a drone joins: at any drone that is in, else at the first one, which therefore starts a new cluster only when
  /// nobody is in.
  private func contact(for index: Int) -> IPv4Address? {
    let members = progress.indices.filter { $0 != index && progress[$0].isMember && network.isPlugged($0) }
    if let member = members.first { return plan.address(of: member + 1) }
    return index == 0 ? nil : plan.address(of: 1)
  }

  /// Ends the machine at once; its wires go with it.
  func cutPower(_ index: Int) {
    guard let emulator = emulators[index] else { return }
    emulators[index] = nil
    progress[index].end()
    emulator.end()
    inquiry.drop(index)
  }

  func hear(_ index: Int, _ now: UInt64) {
    guard let emulator = emulators[index], let piece = read(emulator.console), !piece.isEmpty else { return }
    consoles[index].append(piece)
    showConsole(index, piece, now)
    for client in clients where client.console == index { client.send(piece) }
    guard progress[index].hear(console: piece, at: now), !terminal.isInteractive else { return }
    report(index + 1, "shell after \(spoken(progress[index].sinceStart(progress[index].shellAt)))", now)
  }

  func tellMember(_ index: Int, _ now: UInt64) {
    let drone = progress[index]
    let shell = drone.shellAt.map { ", shell after \(spoken(drone.sinceStart($0)))" } ?? ""
    report(index + 1, "in the cluster after \(spoken(drone.sinceStart(drone.memberAt)))\(shell)", now)
    if allInAt == nil, progress.allSatisfy(\.isMember) {
      allInAt = now
      let all = plan.count == 1 ? "The drone is" : "All \(plan.count) drones are"
      report("\(all) in after \(spoken(now - began)).", now)
    }
  }

  /// The emulator has printed something, or has ended.
  func hearEmulator(_ index: Int, _ now: UInt64) {
    guard let emulator = emulators[index], let piece = read(emulator.log) else { return }
    emulator.words = (emulator.words + piece).suffix(1024)
    guard piece.isEmpty else { return }
    // The last of its console's output may still be on the way.
    while let rest = read(emulator.console), !rest.isEmpty { consoles[index].append(rest) }
    let hadShell = progress[index].shellAt != nil
    cutPower(index)
    if consoles[index].isSwitchedOff { return report(index + 1, "has switched itself off", now) }
    if hadShell {
      report(index + 1, "has ended by itself and is started again", now)
      do { try start(index, now) } catch { report(index + 1, "\(error)", now) }
      return
    }
    let words = String(decoding: emulator.words, as: UTF8.self).split(separator: "\n").last.map(String.init)
    report(index + 1, "has ended: \(words ?? consoles[index].lines.last ?? "without a word")", now)
    if progress.allSatisfy({ $0.starts > 0 && !$0.isRunning }) { ending = 1 }
  }

  /// What has come on a wire; empty at its end, nil when there is nothing now.
  func read(_ wire: borrowing Descriptor) -> [UInt8]? {
    do throws(SystemError) { return try wire.receiveSome(upTo: 64 << 10) } catch { return [] }
  }
}

/// Milliseconds as people say them.
func spoken(_ milliseconds: UInt64?) -> String {
  milliseconds.map { spoken(Duration.milliseconds(Int64(clamping: $0))) } ?? "?"
}
