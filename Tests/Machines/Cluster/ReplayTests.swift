import Foundation
import SystemPackage
import Testing
import VirtualMachine
import Workshop

/// What somebody on the wire can do with ESP frames that he has seen.
@Suite struct ReplayTests {
  @Test(
    "ESP frames that are sent again, or changed by a byte, are refused and counted by the kernel; no datagram arrives twice, and the tunnel goes on"
  )
  func replay() async throws {
    let folder = FilePath(NSTemporaryDirectory()).appending("replay-\(UUID())")
    try makeFolder(folder)
    defer { try? FileManager.default.removeItem(atPath: folder.string) }
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      try await withDrones(["192.168.1.11", "192.168.1.21"], in: network) { drones in
        try await formCluster(drones)
        let (sender, receiver) = (drones[0], drones[1])
        #expect(try await sender.reaches(receiver.address))
        try await receiver.machine.succeeds("{ timeout 200 nc -u -l -p 6000 </dev/null >/tmp/got & }")
        // One sender all the time: the listener takes what comes from its port, and what is replayed comes from there.
        try await sender.machine.succeeds(
          "mkfifo /tmp/say; { timeout 200 nc -u 192.168.1.21 6000 </tmp/say >/dev/null & }; "
            + "{ sleep 200 >/tmp/say & }; n=0; while [ $n -lt 30 ]; do echo datagram $n >/tmp/say; usleep 20000; n=$((n+1)); done"
        )
        #expect(try await receiver.got(lines: 30) == 30)

        let seen = try capturedFrames(in: receiver.capture).filter { $0.isESP(from: [192, 168, 1, 11]) }
        let replayed = seen.suffix(20).map { [UInt8]($0) }
        let before = try #require(try await receiver.status().refusedPackets)
        try await network.sendFrames(replayed, keptIn: folder.appending("replayed"))
        let afterReplay = try await receiver.waits(for: "20 replays counted") {
          ($0.refusedPackets?.replayed ?? 0) >= before.replayed + 20
        }
        #expect(afterReplay.refusedPackets?.replayed == before.replayed + 20)
        #expect(afterReplay.refusedPackets?.unproven == before.unproven)

        // Numbers that have not been seen, as a forger would take them, and each frame with one byte of its text changed, too.
        let changed = replayed.enumerated().map { index, frame in
          var frame = frame
          frame[Self.sequence + 2] &+= 1
          frame[Self.text + index] ^= 0x40
          return frame
        }
        try await network.sendFrames(changed, keptIn: folder.appending("changed"))
        let afterChange = try await receiver.waits(for: "20 forgeries counted") {
          ($0.refusedPackets?.unproven ?? 0) >= before.unproven + 20
        }
        #expect(afterChange.refusedPackets?.unproven == before.unproven + 20)

        // Nothing of it arrived, and what is sent now does.
        try await sender.machine.succeeds("echo after >/tmp/say")
        #expect(try await receiver.got(lines: 31) == 31)
        #expect(try await receiver.machine.output("sort /tmp/got | uniq -d; tail -n 1 /tmp/got") == "after")
        #expect(try await sender.reaches(receiver.address))
        #expect(try await receiver.status().alive.count == 2)
        #expect(try await receiver.clearFrames(with: sender.address) == [])
      }
    }
  }

  // Ethernet's 14 bytes and IPv4's 20 come first, then ESP's index (RFC 4303 §2); its own number is 4 bytes on, its text 16.
  private static let sequence = 34 + 4
  private static let text = 34 + 16
}

extension ArraySlice<UInt8> {
  fileprivate func isESP(from source: [UInt8]) -> Bool {
    count > 70 && self[startIndex + 12] == 8 && self[startIndex + 14] == 0x45 && self[startIndex + 23] == 50
      && self[(startIndex + 26)..<(startIndex + 30)].elementsEqual(source)
  }
}

extension Drone {
  /// How many lines have come, as soon as they are so many, or after ten seconds.
  fileprivate func got(lines: Int) async throws -> Int {
    let count = try await machine.output(
      "n=0; until [ $(wc -l </tmp/got) -ge \(lines) ] || [ $n = 50 ]; do usleep 200000; n=$((n+1)); done; wc -l </tmp/got"
    )
    return Int(count.filter(\.isNumber)) ?? 0
  }
}
