import Addresses
import ChannelFailure
import Foundation
import Testing

@testable import SecureChannel

/// The `openssl` program as the other side: TLS that we did not write.
@Suite("Peers of other makers", .serialized)
struct ForeignPeerTests {
  /// A cluster's files for the openssl program.
  private struct Files {
    let cluster: Cluster
    let folder: String
    var authority: String { folder + "/ca.crt" }
    var certificate: String { folder + "/node.crt" }
    var key: String { folder + "/node.key" }

    init(_ folder: String) throws {
      cluster = try Cluster()
      self.folder = folder
      let node = try SigningKey()
      try Data(cluster.authority.pem).write(to: URL(filePath: authority))
      try Data(cluster.authority.issue(for: node.publicKey, key: cluster.key).pem).write(to: URL(filePath: certificate))
      try Data(node.pem).write(to: URL(filePath: key))
    }

    var own: [String] { ["-cert", certificate, "-key", key, "-CAfile", authority] }
  }

  /// Runs `openssl s_client` with `arguments` against a server of ours; gives how that ended and what it received.
  private func serve(
    _ arguments: (Files) -> [String], admitting: SecureConnection.Admission = .membersAndJoiners
  ) throws -> (connection: SecureConnection, received: [UInt8]) {
    try withFolder { folder in
      let files = try Files(folder)
      let listener = try LocalSocket.listening()
      let input = Pipe()
      let client = try started(
        ["s_client", "-connect", "127.0.0.1:\(listener.port)", "-ign_eof", "-quiet"] + arguments(files),
        input: input.fileHandleForReading)
      try input.fileHandleForWriting.write(contentsOf: Data("hello from openssl".utf8))
      // Nobody waits for it: a program started at the same moment may hold the descriptor by which its end is seen.
      defer { kill(client.processIdentifier, SIGKILL) }
      let connection = try SecureConnection(
        files.cluster.member(), as: .server, admitting: admitting, at: present, started: 0)
      return (connection, try pump(connection, try listener.accepted()))
    }
  }

  /// Carries bytes between a connection and a socket until the connection closed, the peer did, or text came.
  private func pump(_ connection: SecureConnection, _ socket: LocalSocket) throws -> [UInt8] {
    var received: [UInt8] = []
    while connection.reason == nil, received.isEmpty {
      try socket.send(connection.takeOutput())
      guard let bytes = try socket.received(), !bytes.isEmpty else {
        connection.transportEnded()
        break
      }
      connection.receive(bytes)
      received += connection.takeReceived()
    }
    try socket.send(connection.takeOutput())
    return received
  }

  @Test("openssl with a member's certificate comes in as a member, and what it says arrives")
  func member() throws {
    let (connection, received) = try serve { $0.own + ["-tls1_3", "-alpn", "droneforge/1"] }
    #expect(connection.peer?.isMember == true, "\(connection.state)")
    #expect(received == ascii("hello from openssl"))
  }

  @Test(
    "openssl that does not do as a node does is refused, each time for its own reason",
    arguments: [
      (["-tls1_2", "-alpn", "droneforge/1"], ClosedReason.oldVersion),
      (["-tls1_2"], .oldVersion),
      (["-tls1_3"], .otherProtocol),
      (["-tls1_3", "-alpn", "h2,http/1.1"], .otherProtocol),
      (["-tls1_3", "-alpn", "droneforge/1", "-groups", "P-256"], .damaged),
      (["-tls1_3", "-alpn", "droneforge/1", "-ciphersuites", "TLS_AES_256_GCM_SHA384"], .damaged),
      (["-tls1_3", "-alpn", "droneforge/1", "-sigalgs", "rsa_pss_rsae_sha256"], .damaged),
    ] as [([String], ClosedReason)])
  func refused(options: [String], reason: ClosedReason) throws {
    let (connection, received) = try serve { $0.own + options }
    #expect(connection.reason == reason && received == [])
  }

  @Test("openssl without a certificate is refused")
  func noCertificate() throws {
    let (connection, received) = try serve { ["-CAfile", $0.authority, "-tls1_3", "-alpn", "droneforge/1"] }
    #expect(connection.reason == .noCertificate && received == [])
  }

  @Test(
    "openssl as a server is believed with a member's certificate and TLS 1.3, and not otherwise",
    arguments: [
      (["-tls1_3", "-alpn", "droneforge/1", "-Verify", "1"], nil),
      (["-tls1_2", "-alpn", "droneforge/1"], ClosedReason.oldVersion),
      (["-tls1_3"], .otherProtocol),
      (["-tls1_3", "-alpn", "h2"], .otherProtocol),
    ] as [([String], ClosedReason?)])
  func server(options: [String], reason: ClosedReason?) throws {
    try withFolder { folder in
      let files = try Files(folder)
      let port = try LocalSocket.freePort()
      let server = try started(
        ["s_server", "-accept", "127.0.0.1:\(port)", "-quiet"] + files.own + options, input: Pipe().fileHandleForReading
      )
      defer { kill(server.processIdentifier, SIGKILL) }
      let socket = try LocalSocket.connected(to: port)
      let connection = try SecureConnection(files.cluster.member(), as: .client, at: present, started: 0)
      while connection.state == .handshaking {
        try socket.send(connection.takeOutput())
        guard let bytes = try socket.received(), !bytes.isEmpty else { break }
        connection.receive(bytes)
      }
      #expect(connection.reason == reason)
      #expect((connection.peer?.isMember == true) == (reason == nil))
    }
  }

  @Test("openssl that renews its keys again and again is cut off after four times", arguments: ["k", "K"])
  func keyUpdates(command: String) throws {
    try withFolder { folder in
      let files = try Files(folder)
      let listener = try LocalSocket.listening()
      let input = Pipe()
      let client = try started(
        ["s_client", "-connect", "127.0.0.1:\(listener.port)", "-tls1_3", "-alpn", "droneforge/1"] + files.own,
        input: input.fileHandleForReading)
      defer { kill(client.processIdentifier, SIGKILL) }
      let connection = try SecureConnection(files.cluster.member(), as: .server, at: present, started: 0)
      let socket = try listener.accepted()
      var updates = 0
      while connection.reason == nil, updates < 16 {
        try socket.send(connection.takeOutput())
        if connection.peer != nil {
          // s_client reads a letter alone on its line as a command: k renews its own keys, K asks for the other side's as well.
          try input.fileHandleForWriting.write(contentsOf: Data("\(command)\n".utf8))
          updates += 1
        }
        guard let bytes = try socket.received(), !bytes.isEmpty else { break }
        connection.receive(bytes)
      }
      #expect(connection.reason == .flooded && updates == 5)
    }
  }
}
