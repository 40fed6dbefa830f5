import Foundation
import SystemPackage
import TestSupport
import Testing
import Workshop

/// The samples that lie in every tree for the network, as the programs that they are for read them. What each computer gets
/// from them is tested with the real servers in Tests/Machines.
@Suite struct SampleTests {
  private static let isolinux = checkout.appending("isolinux")

  static let readers: [(sample: String, program: String, arguments: [String])] = [
    ("dnsmasq.conf", "dnsmasq", ["--test", "--conf-file="]), ("dhcpd.conf", "dhcpd", ["-t", "-cf", ""]),
    ("kea-dhcp4.conf", "kea-dhcp4", ["-t", ""]),
  ]

  @Test("each server takes its sample", arguments: readers.indices)
  func taken(_ number: Int) async throws {
    let (sample, program, arguments) = Self.readers[number]
    let file = Self.isolinux.appending(sample).string
    let words = arguments.dropLast() + [(arguments.last ?? "") + file]
    // Debian keeps servers where only root's PATH has them.
    _ = try await Command("/usr/sbin/\(program)", Array(words)).output()
  }

  @Test("the lines for a network with another DHCP server are taken, too")
  func beside() async throws {
    let text = String(decoding: try contents(of: Self.isolinux.appending("dnsmasq.conf")), as: UTF8.self)
    let lines = text.split(separator: "\n").filter { line in
      !["dhcp-range", "dhcp-option", "dhcp-boot"].contains { line.hasPrefix($0) }
    }.map { ["#dhcp-range", "#pxe-service"].contains(where: $0.hasPrefix) ? $0.dropFirst() : $0 }
    #expect(lines.contains("dhcp-range=192.168.1.0,proxy"))
    try await withFolder { folder in
      let file = folder.appending("dnsmasq.conf")
      try await write(lines.joined(separator: "\n").utf8, to: file)
      _ = try await Command("/usr/sbin/dnsmasq", ["--test", "--conf-file=\(file)"]).output()
    }
  }

  @Test("each sample names the file of each kind of firmware", arguments: readers.map(\.sample))
  func files(_ sample: String) throws {
    let text = String(decoding: try contents(of: Self.isolinux.appending(sample)), as: UTF8.self)
    for file in [
      "pxelinux.0", "boot.ipxe", "shimx64.efi", "grubia32.efi", "drone-x64.efi", "http://192.168.1.11/drone-x64.efi",
      "HTTPClient",
    ] {
      #expect(text.contains(file), "\(file)")
    }
  }
}
