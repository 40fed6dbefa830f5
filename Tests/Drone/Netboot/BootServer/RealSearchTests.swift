import Addresses
import Addressing
import BootServer
import Foundation
import Linux
import TestSupport
import Testing

/// The search for another server, against a real one.
@Suite(.enabled(if: NetworkThread.isPossible, "needs root, iproute2 and nftables"))
struct RealSearchTests {
  @Test("dnsmasq with the sample that every tree holds is found, though it pings an address before it offers it")
  func sample() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("search-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let sample = try String(contentsOfFile: checkout.appending("isolinux/dnsmasq.conf").string, encoding: .utf8)
      .replacing("/srv/tftp/drone", with: folder.path)
    try Data(sample.utf8).write(to: folder.appendingPathComponent("dnsmasq.conf"))
    let server = try NetworkThread()
    let drone = try NetworkThread()
    try NetworkThread.join(server, "192.168.1.2/24", drone, "")
    let process = "\(folder.path)/process"
    try server.command(
      "dnsmasq", "--conf-file=\(folder.path)/dnsmasq.conf", "--dhcp-leasefile=\(folder.path)/leases",
      "--pid-file=\(process)", "--user=root")
    defer { _ = try? server.command("/bin/sh", "-c", "kill $(cat \(process))") }
    // "2: eth0@if3: <…> … link/ether 52:54:00:00:00:01 brd …"
    let words = try drone.command("ip", "-o", "link", "show", "eth0").split(separator: " ")
    let index = try #require(words.first.flatMap { Int32($0.dropLast()) })
    let position = try #require(words.firstIndex(of: "link/ether"))
    let hardware = try #require(MACAddress(text: Array(words[position + 1].utf8)))
    let found = try drone.run { () throws -> IPv4Address? in
      let socket = try PacketSocket(interface: index, .ipv4)
      var search = ServerSearch(hardware: hardware, transaction: 7, start: millisecondsSinceStart())
      while let due = search.nextDue {
        let now = millisecondsSinceStart()
        var commands = search.step(at: now)
        if commands.isEmpty,
          waitReadable([socket.descriptor], milliseconds: Int(clamping: due > now ? due - now : 0))[0]
        {
          while commands.isEmpty, let frame = try socket.receive() { commands = search.receive(frame) }
        }
        for command in commands {
          switch command {
          case .send(let frame): try socket.send(frame)
          case .yield(let server, _): return server
          case .serve: return nil
          }
        }
      }
      return nil
    }
    #expect(found == IPv4Address(192, 168, 1, 2))
  }
}
