import Foundation
import SecureChannel
import Testing
import VirtualMachine

/// Two clusters whose nodes are on one wire.
@Suite struct TwoClustersTests {
  @Test(
    "another cluster's credential is refused with a sentence and counted; two clusters on one network are found by -m any, each its own, and neither sees the other"
  )
  func sideBySide() async throws {
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      let addresses = ["192.168.1.11", "192.168.1.21", "192.168.1.31", "192.168.1.41"]
      try await withDrones(addresses, in: network) { drones in
        let (ours, theirs) = (drones[0...1], drones[2...3])
        let key = try SigningKey()
        let now = Int64(Date().timeIntervalSince1970)
        let authority = try Certificate.authority(
          name: Array("other".utf8), key: key, notBefore: now - 86_400, notAfter: now + 86_400)
        for drone in theirs {
          try await drone.machine.succeeds("mkdir -m 700 /run/other")
          try await drone.machine.write(authority.pem, to: "/run/other/ca.crt")
          try await drone.machine.write(key.pem, to: "/run/other/ca.key")
          try await drone.machine.succeeds("export TYD_CLUSTER=/run/other")
        }

        try await drones[0].machine.succeeds("tyd")
        let refused = try await drones[2].machine.run("tyd -m 192.168.1.11")
        #expect(refused.status == 1 && refused.output.contains("is of another cluster"), "\(refused.output)")
        try await drones[0].waits(for: "one of another cluster counted") { ($0.refusals["wrongCluster"] ?? 0) >= 1 }

        try await drones[2].machine.succeeds("tyd")
        for drone in [drones[1], drones[3]] { try await drone.machine.succeeds("tyd -m any") }
        for side in [ours, theirs] {
          let own = Set(side.map(\.address))
          for drone in side {
            let status = try await drone.waits(for: "\(own) alive") { $0.alive == own }
            #expect(status.nodes.count == 2, "\(status.nodes)")
          }
        }
        #expect(try await ours[0].status().cluster != theirs[2].status().cluster)
        #expect(try await drones[0].reaches("192.168.1.21"))
        #expect(try await drones[2].reaches("192.168.1.41"))
        for (drone, stranger) in [(drones[1], "192.168.1.31"), (drones[3], "192.168.1.11")] {
          #expect(try await drone.machine.run("ping -c1 -W2 \(stranger)").status != 0)
          #expect(try await drone.frames("esp and host \(stranger)") == [])
        }
        #expect(try await drones[0].clearFrames(with: "192.168.1.21") == [])
        #expect(try await drones[2].clearFrames(with: "192.168.1.41") == [])
      }
    }
  }
}

extension VirtualMachine {
  /// Types a text file, for its owner alone.
  fileprivate func write(_ text: [UInt8], to path: String) async throws {
    let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
    try await succeeds("umask 077; : >\(path)")
    for line in lines { try await succeeds("echo '\(line)' >>\(path)") }
  }
}
