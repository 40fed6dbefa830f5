import Foundation
import SystemPackage
import TestCluster
import TestSupport
import Testing
import VirtualMachine
import Workshop

/// What docs/manual says to type, typed where it says. (`ManualTests` proves the rest.)
@Suite struct ManualInMachinesTests {
  /// Lines that are not run here, with the reason.
  static let leftOut = [
    "make test": Self.itself, "make unit": Self.itself, "make unit ONLY=Membership": Self.itself,
    "make lint": "CI runs it before the tests",
    "make iso": Self.before, "make pxe": Self.before, "make master": Self.before,
    "make iso CLUSTER=lab": "it would replace the image that the other tests boot",
    "build/bin/droneforge run --serial build/drone.iso": Self.console,
    "build/bin/droneforge run --boot secureboot build/drone.iso": Self.console,
    "build/bin/droneforge doctor": "its exit status is the computer's; DoctorTests prove what it finds",
    "make army TARGET=x86_64 N=2": "it ends when somebody types Ctrl-C; ArmyTests and FirstArmyTests run armies",
    "make run TARGET=x86_64": Self.console, "make run BOOT=uefi": Self.console,
    "make run BOOT=uefi32": Self.console, "make run BOOT=secureboot": Self.console,
    "build/bin/droneforge sysroot refresh openssl": Self.sources,
    "build/bin/droneforge sysroot refresh": Self.sources,
  ]
  private static let itself = "it is what runs this test, or a part of that"
  private static let before = "`make test` runs it before the tests, which boot what it made"
  private static let console = "it ends when somebody types Ctrl-A X"
  private static let sources =
    "it changes what the next image is built from; DebianArchiveTests refresh from an archive of their own"

  private static func blocks(_ places: String...) -> [ManualBlock] {
    ManualBlock.all.filter { places.contains($0.place) }
  }

  @Test("whatever is left out still stands in the manual", arguments: leftOut.keys.sorted())
  func stands(_ line: String) { #expect(ManualBlock.all.contains { $0.place == "sh" && $0.commands.contains(line) }) }

  static let buildersPages = Set(blocks("sh", "sh fails 1").map(\.page)).sorted()

  @Test("on the builder's machine, each page from top to bottom", arguments: buildersPages)
  func builder(_ page: String) async throws {
    let folder = FilePath(NSTemporaryDirectory()).appending("manual-\(UUID())")
    try makeFolder(folder)
    defer { try? FileManager.default.removeItem(atPath: folder.string) }
    try project(in: folder)
    for block in Self.blocks("sh", "sh fails 1") where block.page == page {
      for line in block.commands where Self.leftOut[line] == nil {
        let status = try await Command(
          "timeout", ["600", "/bin/sh", "-c", "cd \"$0\" && { \(line); } >&2; echo $?", folder.string],
          environment: ["XDG_CONFIG_HOME": folder.appending("settings").string]
        ).output()
        #expect(
          String(decoding: status, as: UTF8.self) == (block.place == "sh" ? "0\n" : "1\n"), "\(block.page): \(line)")
      }
    }
  }

  /// The project, with a folder `build` of its own that holds what was built.
  private func project(in folder: FilePath) throws {
    let files = FileManager.default
    for name in try files.contentsOfDirectory(atPath: checkout.string) where name != "build" && name != ".build" {
      try files.createSymbolicLink(
        atPath: folder.appending(name).string, withDestinationPath: checkout.appending(name).string)
    }
    try makeFolder(folder.appending("build"))
    for name in ["bin", "drone.iso", "drone.manifest.json"] {
      try files.createSymbolicLink(
        atPath: folder.appending("build").appending(name).string,
        withDestinationPath: Image.build.appending(name).string)
    }
  }

  @Test("on a drone that has just booted, on one without a cluster, and on a node: every line does its work")
  func drones() async throws {
    for place in ["sh drone", "sh first", "sh node"] { #expect(!Self.blocks(place).isEmpty) }
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      let card = NetworkCard(
        .rtl8139, on: .tap(try await network.tap("manual")), address: "52:54:00:00:00:21")
      try await withMachineGroup(of: 2) {
        try await withDrones(["192.168.1.11"], in: network) { drones in
          try await drones[0].machine.succeeds("tyd")
          try await withVirtualMachine(try Image.cd(cards: [card]), in: network) { machine in
            try await machine.expect("boot:")
            machine.type("drone ip=off\n")
            try await machine.expectShell()
            for block in Self.blocks("sh drone") { try await type(block, on: machine) }
            try await machine.succeeds("ifconfig eth0 192.168.1.21")
            for block in Self.blocks("sh first") {
              try await leave(machine)
              try await type(block, on: machine)
            }
            for block in Self.blocks("sh node") {
              try await leave(machine)
              try await machine.succeeds("tyd -m 192.168.1.11")
              try await drones[0].waits(for: "two alive") { $0.alive.count == 2 }
              try await type(block, on: machine)
            }
          }
        }
      }
    }
  }

  private func type(_ block: ManualBlock, on machine: VirtualMachine) async throws {
    for line in block.lines {
      let answer = try await machine.run(line.hasSuffix("&") ? "{ \(line) }" : line)
      #expect(answer.status == 0, "\(block.page): \(line): \(answer.output)")
    }
  }

  /// Ends tyd, if it runs, and waits until it has.
  private func leave(_ machine: VirtualMachine) async throws {
    try await machine.run("tyd --leave")
    try await machine.succeeds(
      "n=0; while ps | grep -q '[ /][t]yd' && [ $n -lt 100 ]; do sleep 0.2; n=$((n+1)); done; ! ps | grep '[ /][t]yd'")
  }
}
