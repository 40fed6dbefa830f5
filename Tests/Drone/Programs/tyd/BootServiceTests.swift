import Addresses
import BootServer
import DroneLayout
import Foundation
import SystemPackage
import TestSupport
import Testing
import Workshop

private let isPossible = NetworkThread.isPossible && TydProgram.isThere

/// tyd's boot server as a process, asked by programs that others use.
@Suite(.enabled(if: isPossible, "needs tyd, root, iproute2 and nftables"), .serialized)
struct BootServiceTests {
  /// A server at 192.168.1.11 and a client without an address on one cable, while `body` runs.
  private func withServer(
    _ role: String = "alone", _ body: (_ client: NetworkThread, _ medium: FilePath, _ folder: FilePath) throws -> Void
  ) async throws {
    try await withTemporaryFolder(in: FilePath(NSTemporaryDirectory())) { folder in
      let medium = folder.appending("medium")
      let cluster = folder.appending("cluster")
      for name in ["medium/pxe", "medium/isolinux", "medium/chaos", "cluster", "empty"] {
        try FileManager.default.createDirectory(
          atPath: folder.appending(name).string, withIntermediateDirectories: true)
      }
      for index in 0..<ServedFile.count {
        let name = try #require(ServedFile.at(index)).source
        try await write(
          (0..<70_000).map { UInt8(truncatingIfNeeded: $0 &* (index + 7)) }, to: medium.appending("\(name)"))
      }
      let root = [UInt8](repeating: 0, count: 1024)
      try await write(root, to: medium.appending("\(MediumPath.root)"))
      let digest = [UInt8](repeating: 0xA5, count: 32)
      try await write(PublicPart(size: 1024, digest: digest).text, to: medium.appending("\(MediumPath.publicPart)"))
      try await write(try certificate(), to: cluster.appending("ca.crt"))

      let server = try NetworkThread()
      let client = try NetworkThread()
      try NetworkThread.join(server, "192.168.1.11/24", client, "")
      // It ends with its standard input.
      try server.command(
        "/bin/sh", "-c",
        """
        cd \(folder); export LD_LIBRARY_PATH='\(TydProgram.libraries)'
        (sh -c 'echo $$ >process; exec sleep 60' | \(TydProgram.path) --boot-server eth0 192.168.1.11 255.255.255.0 \
        192.168.1.100-192.168.1.200 0.0.0.0 \(medium) \(cluster) \(folder)/empty \(role) watch) >news 2>&1 &
        for try in $(seq 100); do grep -q ready news && exit 0; sleep 0.1; done; cat news; exit 1
        """)
      defer { _ = try? server.command("/bin/sh", "-c", "kill $(cat \(folder)/process)") }
      try body(client, medium, folder)
    }
  }

  /// A certificate in PEM form, as OpenSSL's own program makes it.
  private func certificate() throws -> [UInt8] {
    let file = NSTemporaryDirectory() + "ca-\(UUID()).crt"
    defer { try? FileManager.default.removeItem(atPath: file) }
    try NetworkThread().command(
      "/usr/bin/openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-keyout", "/dev/null", "-out", file, "-subj",
      "/CN=test", "-days", "1")
    return [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
  }

  private static let udhcpc = [
    "/usr/bin/busybox", "udhcpc", "-f", "-q", "-n", "-i", "eth0", "-s", "/bin/true", "-t", "5", "-T", "2",
  ]
  static let clients: [(name: String, words: [String])] = [
    ("udhcpc", udhcpc), ("udhcpc with a client identifier", udhcpc + ["-x", "0x3d:ff00000001000100012a2b2c"]),
    ("dhclient", ["/usr/sbin/dhclient", "-d", "-1", "-sf", "/bin/true", "-pf", "/dev/null", "eth0"]),
  ]

  @Test("a client that others use gets an address and keeps the answer to its identifier", arguments: clients.indices)
  func address(_ index: Int) async throws {
    try await withServer { client, _, folder in
      let words = Self.clients[index].words
      var line = words.joined(separator: " ")
      if words[0].hasSuffix("dhclient") {
        try Data("send dhcp-client-identifier \"abc\";\n".utf8).write(
          to: URL(fileURLWithPath: folder.appending("conf").string))
        // It stays, to renew: it has what it wanted when its lease is there.
        line = """
          \(line.replacing(" eth0", with: "")) -cf \(folder)/conf -lf \(folder)/leases eth0 >/dev/null 2>&1 & asker=$!
          for try in $(seq 100); do grep -q dhcp-client-identifier \(folder)/leases && break; sleep 0.1; done
          kill $asker; grep -q 'dhcp-client-identifier "abc"' \(folder)/leases
          """
      }
      try client.command("/bin/sh", "-c", line)
      let news = try self.news(in: folder) { $0.contains(/leased [0-9a-f:]+ 192\.168\.1\.[12][0-9][0-9] dhcp/) }
      #expect(news.contains(/leased [0-9a-f:]+ 192\.168\.1\.[12][0-9][0-9] dhcp/), "\(news)")
    }
  }

  static let fetchers: [(name: String, words: [String])] = [
    ("curl", ["/usr/bin/curl", "-s", "-f", "-m", "20", "-o", "got", "tftp://192.168.1.11/chaos/bzImage"]),
    ("atftp", ["/usr/bin/atftp", "--get", "-r", "chaos/bzImage", "-l", "got", "192.168.1.11"]),
    (
      "atftp with blocks of 1,428",
      ["/usr/bin/atftp", "--option", "'blksize 1428'", "--get", "-r", "chaos/bzImage", "-l", "got", "192.168.1.11"]
    ),
    // It tells each acknowledgement: 137 blocks, the last of a window and of the file, and that of the options.
    (
      "atftp with windows of 8 blocks",
      [
        "/usr/bin/atftp", "--trace", "--option", "'windowsize 8'", "--get", "-r", "chaos/bzImage", "-l", "got",
        "192.168.1.11", ">trace", "2>&1", "&&", "test", "$(grep -c 'sent ACK' trace)", "=", "19",
      ]
    ),
    (
      "busybox",
      ["/usr/bin/busybox", "tftp", "-g", "-b", "1408", "-r", "chaos/bzImage", "-l", "got", "192.168.1.11"]
    ),
  ]

  @Test("a client that others use fetches a file whole", arguments: fetchers.indices)
  func file(_ index: Int) async throws {
    try await withServer { client, medium, folder in
      try client.command("ip", "address", "add", "192.168.1.150/24", "dev", "eth0")
      let line = Self.fetchers[index].words.joined(separator: " ")
      try client.command("/bin/sh", "-c", "cd \(folder) && \(line) && cmp got \(medium)/chaos/bzImage")
      let sent = "sent 192.168.1.150 100 chaos/bzImage"
      #expect(try news(in: folder) { $0.contains(sent) }.contains(sent))
    }
  }

  @Test("beside another server a boot ROM is offered a file and told it at port 4011, and a client gets no answer")
  func proxy() async throws {
    try await withServer("192.168.1.1") { client, _, folder in
      // No lease, nor anything else.
      #expect(throws: (any Error).self) {
        try client.command("/bin/sh", "-c", Self.udhcpc.joined(separator: " ") + " -t 2 -T 1")
      }
      try client.command("ip", "address", "add", "192.168.1.150/24", "dev", "eth0")
      // What a boot ROM says: fixed fields, cookie, type, class (RFC 951, RFC 2131, PXE 2.1), by other code than ours.
      let said = try client.command(
        "/usr/bin/python3", "-c",
        """
        import socket, struct
        def ask(kind, ciaddr, to, port):
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
            s.bind(("", port))
            s.settimeout(20)
            vendor = b"PXEClient:Arch:00000:UNDI:002001"
            s.sendto(struct.pack("!BBBB4sHH4s12x6s202x4s", 1, 1, 6, 0, b"wxyz", 0, 0, socket.inet_aton(ciaddr),
              bytes.fromhex("525400000001"), bytes.fromhex("63825363")) + bytes([53, 1, kind, 60, len(vendor)]) + vendor
              + bytes([97, 17]) + bytes(17) + bytes([255]), to)
            b, sender = s.recvfrom(1500)
            options, i = {}, 240
            while b[i] != 255:
                if b[i] == 0: i += 1
                else:
                    options[b[i]] = b[i + 2:i + 2 + b[i + 1]]
                    i += 2 + b[i + 1]
            print(b[4:8], sender, socket.inet_ntoa(b[16:20]), socket.inet_ntoa(b[20:24]), b[108:236].rstrip(bytes(1)),
                  options[53][0], options[60], options[43].hex(), options[97].hex(), socket.inet_ntoa(options[54]))
        ask(1, "0.0.0.0", ("255.255.255.255", 67), 68)
        ask(3, "192.168.1.150", ("192.168.1.11", 4011), 68)
        ask(8, "192.168.1.150", ("192.168.1.11", 4011), 3000)
        """)
      let rest = "0.0.0.0 192.168.1.11 b'pxelinux.0'"
      let tail = "b'PXEClient' 060108ff \(String(repeating: "00", count: 17)) 192.168.1.11"
      #expect(
        said.split(separator: "\n") == [
          "b'wxyz' ('192.168.1.11', 67) \(rest) 2 \(tail)", "b'wxyz' ('192.168.1.11', 4011) \(rest) 5 \(tail)",
          "b'wxyz' ('192.168.1.11', 4011) \(rest) 5 \(tail)",
        ], "\(said)")
      let news = try self.news(in: folder) { $0.contains("leased 52:54:00:00:00:01 192.168.1.150 rom") }
      #expect(news.contains("leased 52:54:00:00:00:01 192.168.1.150 rom"), "\(news)")
    }
  }

  @Test("a boot server runs as nobody in an empty folder, and may not become anybody else")
  func rights() async throws {
    try await withServer { _, _, folder in
      func text(_ file: String) -> String {
        String(decoding: FileHandle(forReadingAtPath: file)?.readDataToEndOfFile() ?? Data(), as: UTF8.self)
      }
      let process = try FileManager.default.contentsOfDirectory(atPath: "/proc").first {
        text("/proc/\($0)/comm") == "tyd-boot\n" && text("/proc/\($0)/cmdline").contains(folder.string)
      }
      let place = "/proc/\(try #require(process))"
      let status = text(place + "/status")
      #expect(status.contains("Uid:\t65534\t65534\t65534\t65534\n"), "\(status)")
      #expect(status.contains("Gid:\t65534\t65534\t65534\t65534\n"), "\(status)")
      #expect(status.contains("NoNewPrivs:\t1\n") && status.contains("CapEff:\t0000000000000000\n"), "\(status)")
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: place + "/root") == "\(folder)/empty")
    }
  }

  /// What the server has told, once it is what is waited for or some seconds have gone: a client may be done before the server hears
  /// so.
  private func news(in folder: FilePath, _ isWanted: (String) -> Bool) throws -> String {
    for _ in 0..<100 {
      let news = try String(contentsOfFile: folder.appending("news").string, encoding: .utf8)
      if isWanted(news) { return news }
      usleep(50_000)
    }
    return try String(contentsOfFile: folder.appending("news").string, encoding: .utf8)
  }
}
