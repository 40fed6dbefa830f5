import Addresses
import Foundation
import TestSupport
import Testing
import Workshop

@testable import TreeService

@Suite struct TreeServiceTests {
  private static let all: Set<String> = [
    "pxelinux.0", "boot.ipxe", "shimx64.efi", "grubx64.efi", "mmx64.efi", "grubia32.efi", "drone-x64.efi", "chaos",
  ]

  private static func service(
    range: String? = nil, tree: String = "/srv/tree", holding files: Set<String> = all, canHTTP: Bool = true
  ) throws -> TreeService {
    try TreeService(
      on: ServedCard(
        name: "eth0", address: IPv4Address(192, 168, 1, 11), netmask: try #require(Netmask(prefixLength: 24))),
      range: range.flatMap { AddressRange(text: [UInt8]($0.utf8)) }, tree: tree,
      as: ServiceAccount(user: "alice", group: "staff"), holding: files, canHTTP: canHTTP)
  }

  @Test("no file of the computer's is read or written, no other card is answered on, and the servers are not root")
  func contained() throws {
    for range in [nil, "192.168.1.100-192.168.1.200"] {
      let words = try Self.service(range: range).dnsmasq
      for word in [
        "--keep-in-foreground", "--conf-file=/dev/null", "--leasefile-ro", "--pid-file=", "--port=0",
        "--interface=eth0", "--bind-interfaces", "--user=alice", "--group=staff", "--enable-tftp",
        "--tftp-root=/srv/tree",
      ] {
        #expect(words.contains(word), "\(word)")
      }
    }
  }

  @Test("beside another server it gives no address, and UEFI gets one file")
  func proxy() throws {
    let service = try Self.service()
    let about = service.dnsmasq.filter { $0.hasPrefix("--dhcp-") || $0.hasPrefix("--pxe-") }
    #expect(
      about == [
        "--dhcp-range=192.168.1.0,proxy,255.255.255.0", "--pxe-service=x86PC,Drone,pxelinux.0",
        "--pxe-service=x86-64_EFI,Drone,drone-x64.efi", "--pxe-service=BC_EFI,Drone,drone-x64.efi",
      ])
    #expect(service.webServer == nil)
    #expect(
      service.summary == [
        "/srv/tree on eth0 (192.168.1.11), beside the network's DHCP server.",
        "For BIOS, UEFI of 64 bits without Secure Boot.",
      ])
  }

  @Test("as the DHCP server it knows each kind of computer by its architecture, and iPXE by its option")
  func server() throws {
    let service = try Self.service(range: "192.168.1.100-192.168.1.200")
    let about = service.dnsmasq.filter { $0.hasPrefix("--dhcp-") || $0.hasPrefix("--bootp") }
    #expect(
      about == [
        "--dhcp-range=192.168.1.100,192.168.1.200,255.255.255.0,1h", "--dhcp-authoritative",
        "--dhcp-option=option:router", "--bootp-dynamic", "--dhcp-match=set:ipxe,175",
        "--dhcp-match=set:efi32,option:client-arch,6", "--dhcp-match=set:efi64,option:client-arch,7",
        "--dhcp-match=set:efi64,option:client-arch,9", "--dhcp-match=set:http,option:client-arch,16",
        "--dhcp-boot=tag:!efi32,tag:!efi64,tag:!http,tag:!ipxe,pxelinux.0",
        "--dhcp-boot=tag:!efi32,tag:!efi64,tag:!http,tag:ipxe,boot.ipxe", "--dhcp-boot=tag:efi32,grubia32.efi",
        "--dhcp-boot=tag:efi64,tag:!ipxe,shimx64.efi", "--dhcp-boot=tag:efi64,tag:ipxe,drone-x64.efi",
        "--dhcp-option-force=tag:http,60,HTTPClient", "--dhcp-boot=tag:http,http://192.168.1.11/drone-x64.efi",
      ])
    #expect(
      service.webServer == [
        "httpd", "-f", "-vv", "-c", "/dev/null", "-p", "192.168.1.11:80", "-u", "alice:staff", "-h", "/srv/tree",
      ])
  }

  @Test("nobody is offered a file that the tree lacks, nor HTTP where the port is taken")
  func less() throws {
    let small = try Self.service(range: "192.168.1.100-192.168.1.200", holding: ["pxelinux.0", "boot.ipxe"])
    #expect(small.dnsmasq.allSatisfy { !$0.hasSuffix(".efi") && !$0.contains("HTTPClient") })
    #expect(small.webServer == nil && small.summary[1] == "For BIOS.")
    let taken = try Self.service(range: "192.168.1.100-192.168.1.200", canHTTP: false)
    #expect(taken.webServer == nil && taken.dnsmasq.allSatisfy { !$0.contains("http://") })
  }

  @Test(
    "a range that does not fit the network is one sentence",
    arguments: [
      ("192.168.2.100-192.168.2.200", "192.168.2.100 is not of eth0's network, 192.168.1.0/24"),
      ("192.168.1.100-192.168.2.1", "192.168.2.1 is not of eth0's network"),
      ("192.168.1.2-192.168.1.20", "holds 192.168.1.11, which is this computer's own"),
      ("192.168.1.0-192.168.1.5", "holds 192.168.1.0, which is the network's"),
      ("192.168.1.200-192.168.1.255", "holds 192.168.1.255, which is for all"),
    ])
  func refused(_ range: String, _ says: String) throws {
    let error = #expect(throws: ServiceError.self) { try Self.service(range: range) }
    #expect(error?.description.contains(says) == true, "\(error?.description ?? "")")
  }

  @Test("a path that dnsmasq would split is refused", arguments: ["/srv/a,b", "/srv/a\nb", "tree"])
  func path(_ path: String) {
    #expect(throws: ServiceError.self) { try Self.service(tree: path) }
  }

  @Test("dnsmasq takes every word", arguments: [nil, "192.168.1.100-192.168.1.200"])
  func taken(_ range: String?) async throws {
    let words = try Self.service(range: range, tree: NSTemporaryDirectory()).dnsmasq
      .filter { !$0.hasPrefix("--user=") && !$0.hasPrefix("--group=") }
    _ = try await Command("dnsmasq", ["--test"] + words).output()
  }
}

@Suite struct ServiceLogTests {
  /// A computer with UEFI that boots from a server, as dnsmasq 2.90 tells it; one of a BIOS beside another server; and what is
  /// left out.
  static let said: [(String, String?)] = [
    ("dnsmasq[8]: started, version 2.90 DNS disabled", "Serving until Ctrl-C."),
    ("dnsmasq-dhcp[8]: DHCP, IP range 192.168.1.100 -- 192.168.1.150, lease time 10m", nil),
    ("dnsmasq-dhcp[8]: 1085123616 available DHCP range: 192.168.1.100 -- 192.168.1.150", nil),
    ("dnsmasq-dhcp[8]: 1085123616 vendor class: PXEClient:Arch:00007:UNDI:003000", nil),
    ("dnsmasq-dhcp[8]: 1085123616 DHCPDISCOVER(lan) 52:54:00:12:34:56 ", nil),
    ("dnsmasq-dhcp[8]: 1085123616 DHCPOFFER(lan) 192.168.1.111 52:54:00:12:34:56 ", nil),
    ("dnsmasq-dhcp[8]: 1085123616 sent size: 12 option: 67 bootfile-name  shimx64.efi", nil),
    (
      "dnsmasq-dhcp[8]: 1085123616 DHCPACK(lan) 192.168.1.111 52:54:00:12:34:56 ",
      "52:54:00:12:34:56 has 192.168.1.111 (UEFI of 64 bits)"
    ),
    ("dnsmasq-tftp[8]: error 8 User aborted the transfer received from 192.168.1.111", nil),
    ("dnsmasq-tftp[8]: sent /srv/tree/shimx64.efi to 192.168.1.111", "192.168.1.111 has fetched shimx64.efi"),
    ("dnsmasq-tftp[8]: sent /srv/tree/shimx64.efi to 192.168.1.111", nil),
    ("dnsmasq-tftp[8]: file /srv/tree/revocations_sku.efi not found for 192.168.1.111", nil),
    (
      "dnsmasq-tftp[8]: failed sending /srv/tree/x86_64/chaos.rdz to 192.168.1.111",
      "192.168.1.111 did not get all of x86_64/chaos.rdz"
    ),
    ("dnsmasq-dhcp[9]: 7 DHCPACK(lan) 192.168.1.112 52:54:00:00:00:22 drone", "52:54:00:00:00:22 has 192.168.1.112"),
    ("dnsmasq-dhcp: 5 vendor class: PXEClient:Arch:00000:UNDI:002001", nil),
    ("dnsmasq-dhcp: 5 PXE(lan) 52:54:00:00:00:23 proxy", "52:54:00:00:00:23 asks what to boot (BIOS)"),
    ("dnsmasq-dhcp: 5 PXE(lan) 192.168.1.20 52:54:00:00:00:23 drone", nil),
    ("dnsmasq-dhcp: 6 vendor class: PXEClient:Arch:00011:UNDI:003000", nil),
    (
      "dnsmasq-dhcp: 6 PXE(lan) 52:54:00:00:00:24 proxy",
      "52:54:00:00:00:24 asks what to boot (another kind of computer: PXEClient 00011)"
    ),
    (
      "dnsmasq-dhcp: no address range available for DHCP request via lan",
      "no address range available for DHCP request via lan"
    ),
    ("dnsmasq-tftp: sent /srv/tree/\u{1B}[2J to 10.0.0.1", "10.0.0.1 has fetched ?[2J"), ("", nil),
    ("dnsmasq-tftp: ", nil),
  ]

  @Test("of dnsmasq's lines those are shown that tell what a computer did")
  func shown() {
    var log = ServiceLog(tree: "/srv/tree")
    for (line, expected) in Self.said { #expect(log.read(dnsmasq: line) == expected, "\(line)") }
  }

  @Test("of the web server's lines each file is shown once")
  func web() {
    var log = ServiceLog(tree: "/srv/tree")
    #expect(log.read(web: "192.168.1.111:1843: url:/drone-x64.efi") == "192.168.1.111 fetches drone-x64.efi by HTTP")
    #expect(log.read(web: "192.168.1.111:1843: response:200") == nil)
    #expect(log.read(web: "192.168.1.111:1844: url:/drone-x64.efi") == nil)
    #expect(log.read(web: "192.168.1.111:1844: error: Broken pipe") == nil)
  }
}

@Suite struct ServiceLogFuzzTests {
  @Test("any line gives nothing or a short one that a terminal takes")
  func fuzzing() {
    let samples = ServiceLogTests.said.map { [UInt8]($0.0.utf8) } + [[UInt8]("10.0.0.1:80: url:/x".utf8)]
    let fault = Fuzzing.configured.firstFault { generator in
      var log = ServiceLog(tree: "/srv/tree")
      for _ in 0..<4 {
        let line = String(
          decoding: (samples.randomElement(using: &generator) ?? []).damaged(&generator), as: UTF8.self)
        for shown in [log.read(dnsmasq: line), log.read(web: line)] {
          guard let shown else { continue }
          if shown.utf8.count > 160 || !shown.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) { return line }
        }
      }
      return nil
    }
    #expect(fault == nil)
  }
}
