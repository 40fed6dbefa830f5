import Addresses
import BootServer
import DroneLayout
import Foundation
import Linux
import SecureChannel
import SystemPackage
import TestSupport
import Testing
import TydCommand
import Workshop

@testable import tyd

/// What others on this machine or this network can do to the program, and cannot.
@Suite struct HostileNeighbourTests {
  @Test("whoever asks for metrics within a second gets the text that was made for the first")
  func metrics() throws {
    let server = try MetricsServer(.init(address: IPv4Address(127, 0, 0, 1), port: 0))
    var made = 0
    let text = { () -> [UInt8] in
      made += 1
      return [UInt8(made)]
    }
    #expect([1000, 1001, 1999].map { server.freshText($0, text) } == [[1], [1], [1]])
    #expect(server.freshText(2000, text) == [2])
    #expect(made == 2)
  }

  @Test("a boot server that does not read is noticed and not waited for")
  func pipe() throws {
    let pipe = Foundation.Pipe()
    guard let descriptor = Descriptor(dup(pipe.fileHandleForWriting.fileDescriptor)) else {
      Issue.record("no descriptor")
      return
    }
    let end = PipeEnd(descriptor)
    let line = [UInt8](repeating: 7, count: 4096)
    var sent = 0
    while end.send(line) { sent += 1 }
    // A pipe holds 64 KiB (pipe(7)).
    #expect(sent <= 16)
    _ = pipe.fileHandleForReading.readData(ofLength: 8192)
    let again = end.send(line)
    #expect(again)
  }

  @Test("of the file with the cluster's certificate the certificate is served, and not a key that lies beside it")
  func certificate() async throws {
    let key = try SigningKey()
    let authority = try Certificate.authority(
      name: [UInt8]("lab".utf8), key: key, notBefore: 1_700_000_000, notAfter: 2_000_000_000)
    try await withTemporaryFolder(in: FilePath(NSTemporaryDirectory())) { folder in
      let content = [UInt8](repeating: 0x55, count: 1024)
      for index in 0..<ServedFile.count {
        try await put(content, folder, "\(try #require(ServedFile.at(index)).source)")
      }
      try await put(content, folder, "\(MediumPath.root)")
      try await put(
        PublicPart(size: 1024, digest: [UInt8](repeating: 1, count: 32)).text, folder, "\(MediumPath.publicPart)")
      try await put(key.pem + authority.pem + key.pem, folder, "\(CredentialFile.certificate)")
      let path = Path([UInt8](folder.string.utf8))
      let table = try ServedContent(ServedFolders(standard: path, wide: nil), credentialIn: path)
      let root = try #require(table.names.firstIndex(of: [UInt8]("\(MediumPath.root)".utf8)))
      let served = String(decoding: try #require(table.read(root, 0, table.size(root))), as: UTF8.self)
      #expect(served.contains("BEGIN CERTIFICATE"))
      #expect(!served.contains("PRIVATE KEY"))
    }
  }

  /// A folder with the credential of a new cluster, and a network with a neighbour on which nothing runs, 10.0.0.2.
  private func withNetwork(_ body: (_ here: NetworkThread, _ environment: String) throws -> Void) async throws {
    let key = try SigningKey()
    let authority = try Certificate.authority(
      name: [UInt8]("lab".utf8), key: key, notBefore: 1_700_000_000, notAfter: 4_000_000_000)
    try await withTemporaryFolder(in: FilePath(NSTemporaryDirectory())) { folder in
      try await put(authority.pem, folder, "\(CredentialFile.certificate)")
      try await put(key.pem, folder, "\(CredentialFile.key)")
      let (here, there) = (try NetworkThread(), try NetworkThread())
      try NetworkThread.join(here, "10.0.0.1/24", there, "10.0.0.2/24")
      try body(
        here,
        "cd \(folder); export LD_LIBRARY_PATH='\(TydProgram.libraries)' TYD_RUN=$PWD/run TYD_CLUSTER=$PWD")
    }
  }

  @Test(
    "a tyd that finds its port taken ends with a sentence that says what to do",
    .enabled(if: NetworkThread.isPossible && TydProgram.isThere, "needs tyd, root and iproute2"),
    arguments: ["Proto => 'udp'", "Proto => 'tcp', Listen => 1"])
  func taken(_ socket: String) async throws {
    try await withNetwork { here, environment in
      let said = try here.command(
        "/bin/sh", "-c",
        """
        \(environment)
        perl -MIO::Socket -e "\\$held = IO::Socket::INET->new(\(socket), LocalPort => \(ClusterPorts.control)); sleep 60" &
        holder=$!
        for try in $(seq 100); do grep -qi ':0cce ' /proc/net/tcp /proc/net/udp && break; sleep 0.1; done
        \(TydProgram.path) -D; echo "status $?"; kill -9 $holder
        """)
      #expect(
        said.contains("another program holds TCP or UDP 3278 on this computer; `ss -lntup` names it."), "\(said)")
      #expect(said.contains("status 1"), "\(said)")
    }
  }

  @Test(
    "a tyd that cannot start, or join, leaves what a former run demands",
    .enabled(if: hasTransforms && TydProgram.isThere, "needs tyd, root, iproute2 and a kernel with XFRM"))
  func failedStart() async throws {
    try await withNetwork { here, environment in
      let said = try here.command(
        "/bin/sh", "-c",
        """
        \(environment)
        tail='priority 200 tmpl proto esp mode transport'
        ip xfrm policy add src 10.0.0.1/32 dst 10.0.0.9/32 dir out $tail
        ip xfrm policy add src 10.0.0.9/32 dst 10.0.0.1/32 dir in $tail
        \(TydProgram.path) -D -m 10.0.0.2; echo "status $?"; ip xfrm policy
        """)
      #expect(said.contains("status 1"), "\(said)")
      #expect(said.contains("dst 10.0.0.9/32") && said.contains("src 10.0.0.9/32"), "\(said)")
    }
  }

  private func put(_ bytes: [UInt8], _ folder: FilePath, _ name: String) async throws {
    let file = folder.appending(name)
    try FileManager.default.createDirectory(
      atPath: file.removingLastComponent().string, withIntermediateDirectories: true)
    try await write(bytes, to: file)
  }
}
