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
      for name in ["pxe", "isolinux", "chaos/x86_64", "boot"].map({ "medium/\($0)" }) + ["cluster", "empty"] {
        try FileManager.default.createDirectory(
          atPath: folder.appending(name).string, withIntermediateDirectories: true)
      }
      for index in 0..<ServedFile.count {
        let name = try #require(ServedFile.at(index)).source
        try await write(
          (0..<70_000).map { UInt8(truncatingIfNeeded: $0 &* (index + 7)) }, to: medium.appending("\(name)"))
      }
      for (root, part, seed) in [
        (MediumPath.root, MediumPath.publicPart, 0), (MediumPath.wideRoot, MediumPath.widePublicPart, 1),
      ] {
        let digest = [UInt8](repeating: 0xA5, count: 32)
        // Behind the public part there is what nobody may fetch.
        try await write(
          [UInt8](repeating: UInt8(seed), count: 1024) + Array("secret".utf8), to: medium.appending("\(root)"))
        try await write(PublicPart(size: 1024, digest: digest).text, to: medium.appending("\(part)"))
      }
      // Nothing is run of it; its header says what it is (Documentation/arch/x86/boot.rst).
      var kernel = try contents(of: medium.appending("\(MediumPath.wideKernel)"))
      kernel.replaceSubrange(0..<2, with: "MZ".utf8)
      kernel.replaceSubrange(0x202..<0x208, with: Array("HdrS".utf8) + [0x0F, 0x02])
      kernel[0x236] = 0b1011
      try await write(kernel, to: medium.appending("\(MediumPath.wideKernel)"))
      try FileManager.default.copyItem(
        atPath: "/usr/lib/systemd/boot/efi/linuxx64.efi.stub", toPath: medium.appending("\(MediumPath.bootStub)").string
      )
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
        192.168.1.100-192.168.1.200 0.0.0.0 \(medium) \(cluster) \(folder)/empty \(role) watch \(medium)) >news 2>&1 &
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

  static let browsers: [(name: String, words: String)] = [
    ("curl", "/usr/bin/curl -s -f -m 20 -o got"), ("curl with HTTP/1.0", "/usr/bin/curl -s -f -0 -m 20 -o got"),
    ("wget", "/usr/bin/wget -q -T 20 -t 1 -O got"),
  ]

  @Test(
    "programs that others use fetch the one file for UEFI by HTTP; others take it apart, and of the root only the public part is in it",
    arguments: browsers.indices)
  func unified(_ index: Int) async throws {
    try await withServer { client, medium, folder in
      try client.command("ip", "address", "add", "192.168.1.150/24", "dev", "eth0")
      try client.command(
        "/bin/sh", "-c",
        """
        set -e; cd \(folder); \(Self.browsers[index].words) http://192.168.1.11/drone-x64.efi
        for part in linux initrd cmdline; do objcopy -O binary --only-section=.$part got $part; done
        head -c 70000 linux | cmp - \(medium)/chaos/x86_64/bzImage
        head -c 1024 \(medium)/chaos/x86_64/chaos.rdz >public; head -c 1024 initrd | cmp - public
        grep -q tyd=any cmdline; if grep -q secret got; then exit 1; fi
        tail -c +1025 initrd | cpio --list --quiet >listed; grep -qx credential/ca.crt listed
        curl -s -f -m 20 -o tftp tftp://192.168.1.11/drone-x64.efi; cmp got tftp
        test "$(curl -s -I -m 20 http://192.168.1.11/drone-x64.efi | grep -c -e '200 OK' -e 'application/efi')" = 2
        if curl -s -f -m 20 http://192.168.1.11/chaos/public; then exit 1; fi
        """)
      let sent = "sent 192.168.1.150 100 drone-x64.efi"
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
