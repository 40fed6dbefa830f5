import Addresses
import Addressing
import Bytes
import Foundation
import TestSupport
import Testing

/// What dnsmasq gives, as BusyBox's udhcpc hears it.
@Suite(.enabled(if: NetworkThread.isPossible, "needs root, iproute2 and nftables"))
struct RealServerTests {
  /// A lease of this server, from a network of its own.
  private func lease(_ options: [String]) throws -> LeaseEvent {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lease-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    // Each value with a NUL behind it, as a client's script gets them.
    let script = folder.appendingPathComponent("script").path
    try Data("#!/bin/sh\n[ $1 = bound ] && tr '\\0' '\\n' </proc/self/environ >\(folder.path)/lease\nexit 0\n".utf8)
      .write(to: URL(fileURLWithPath: script))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script)

    let server = try NetworkThread()
    let client = try NetworkThread()
    try NetworkThread.join(server, "192.168.77.1/24", client, "")
    let process = "\(folder.path)/process"
    let words =
      [
        "--port=0", "--conf-file=/dev/null", "--no-ping", "--interface=eth0", "--bind-interfaces",
        "--dhcp-range=192.168.77.100,192.168.77.200,255.255.255.0,\(options.first ?? "")",
        "--dhcp-leasefile=\(folder.path)/leases", "--pid-file=\(process)", "--user=root",
      ] + options.dropFirst().map { "--dhcp-option-force=\($0)" }
    try server.command("/bin/sh", "-c", "dnsmasq \(words.map { "'\($0)'" }.joined(separator: " "))")
    defer { _ = try? server.command("/bin/sh", "-c", "kill $(cat \(process))") }
    let asked = LeaseEvent.askedOptions.map { String(decoding: hexadecimalByte($0.number), as: UTF8.self) }.joined()
    try client.command(
      "/usr/bin/busybox", "udhcpc", "-f", "-q", "-n", "-i", "eth0", "-s", script, "-t", "5", "-T", "1", "-o", "-x",
      "0x37:\(asked)")
    var values: [String: [UInt8]] = [:]
    for line in try Data(contentsOf: folder.appendingPathComponent("lease")).split(separator: UInt8(ascii: "\n")) {
      guard let equals = line.firstIndex(of: UInt8(ascii: "=")) else { continue }
      values[String(decoding: line[..<equals], as: UTF8.self)] = [UInt8](line[(equals + 1)...])
    }
    return try #require(LeaseEvent(event: [UInt8]("bound".utf8)) { values["\($0)"] })
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    /// The lease's time and the options.
    let options: [String]
    let routes: [StaticRoute]
    var mtu: UInt16?
    var testDescription: String { name }
  }

  private static func standard(_ last: UInt8, of third: UInt8 = 77) -> StaticRoute {
    StaticRoute(network: .unspecified, mask: .everywhere, gateway: IPv4Address(192, 168, third, last))
  }

  private static func link(_ address: IPv4Address) -> StaticRoute {
    StaticRoute(network: address, mask: .host, gateway: nil)
  }

  static let cases: [Case] = [
    Case(name: "a router", options: ["1h", "3,192.168.77.1"], routes: [standard(1)]),
    Case(
      name: "a router and classless routes with another",
      options: ["1h", "3,192.168.77.1", "121,0.0.0.0/0,192.168.77.9"],
      routes: [standard(9)]),
    Case(name: "classless routes alone", options: ["1h", "3", "121,0.0.0.0/0,192.168.77.1"], routes: [standard(1)]),
    Case(
      name: "a router on the link", options: ["1h", "3", "121,192.168.7.1/32,0.0.0.0,0.0.0.0/0,192.168.7.1"],
      routes: [link(IPv4Address(192, 168, 7, 1)), standard(1, of: 7)]),
    Case(name: "Microsoft's routes", options: ["1h", "3", "249,00:c0:a8:4d:01"], routes: [standard(1)]),
    Case(
      name: "the mask of one address", options: ["1h", "1,255.255.255.255", "3,192.168.7.1"],
      routes: [link(IPv4Address(192, 168, 7, 1)), standard(1, of: 7)]),
    Case(name: "an MTU", options: ["1h", "3,192.168.77.1", "26,1400"], routes: [standard(1)], mtu: 1400),
    Case(name: "an MTU that is none", options: ["1h", "3,192.168.77.1", "26,60"], routes: [standard(1)]),
    Case(name: "a lease without end", options: ["infinite", "3,192.168.77.1"], routes: [standard(1)]),
  ]

  @Test("a lease of a real server gives the routes and the MTU that it should", arguments: cases)
  func lease(_ one: Case) throws {
    guard case .bound(let configuration) = try lease(one.options).kind else {
      return #expect(Bool(false), "no lease")
    }
    #expect(configuration.reachableRoutes == one.routes)
    #expect(configuration.mtu == one.mtu)
  }
}
