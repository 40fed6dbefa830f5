import ClusterStore
import Foundation
import SecureChannel
import SystemPackage
import Testing
import VirtualMachine
import Workshop

/// What a stranger does to TCP 3278 of the running program: it is closed, counted, and does no harm.
@Suite struct HostilePeersTests {
  @Test(
    "no TLS, TLS 1.2, no certificate, another cluster's, an expired one, a frame too long, a joiner that asks for more, a replay and a slow peer: each is closed and counted"
  )
  func refusals() async throws {
    let folder = FilePath(NSTemporaryDirectory()).appending("hostile-\(UUID())")
    try makeFolder(folder)
    defer { try? FileManager.default.removeItem(atPath: folder.string) }
    try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: folder.string)
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      try await withDrones(["192.168.1.11", "192.168.1.21"], in: network) { drones in
        try await formCluster(drones)
        let peer = HostilePeer(network: network, target: "192.168.1.11", folder: folder)
        let first = drones[0]
        func counts(_ name: String, _ what: String, _ body: () async throws -> Void) async throws {
          let before = try await first.status().refusals[name] ?? 0
          try await body()
          try await first.waits(for: "\(what) counted as \(name)") { ($0.refusals[name] ?? 0) > before }
        }

        let cluster = try ClusterStore().cluster(.standard)
        let now = Int64(Date().timeIntervalSince1970)
        let strangers = try Identity.ofOtherCluster(now)
        let expired = try Identity.expired(cluster, now)
        let member = try Identity(of: cluster.certificate, key: cluster.key)

        try await counts("notTLS13", "random bytes") {
          try await peer.sends([UInt8](repeating: 0xA5, count: 2000))
        }
        try await counts("notTLS13", "TLS 1.2") { try await peer.speaks(member, ["-tls1_2"]) }
        try await counts("notTLS13", "no certificate") { try await peer.speaks(nil, ["-tls1_3"]) }
        try await counts("wrongCluster", "another cluster's certificate") {
          try await peer.speaks(strangers, ["-tls1_3"])
        }
        try await counts("expired", "an expired certificate") { try await peer.speaks(expired, ["-tls1_3"]) }
        // A length of 4 GiB less one, version 1, a request for the map.
        try await counts("malformed", "a frame too long") {
          try await peer.speaks(member, ["-tls1_3"], saying: #"\377\377\377\377\001\006"#)
        }
        // Two bytes follow: version 1, a request for the map; nobody has let this one in.
        try await counts("malformed", "a joiner that asks for more") {
          try await peer.speaks(try Identity.joiner(), ["-tls1_3"], saying: #"\000\000\000\002\001\006"#)
        }
        try await counts("malformed", "a replay") {
          let flight = try recordedFlight(from: "192.168.1.21", to: "192.168.1.11", in: drones[1].capture)
          #expect(flight.count > 200, "what the second drone said when it joined")
          try await peer.sends(flight)
        }
        try await counts("slow", "one byte a second") { try await peer.drips() }

        // None of it has hurt the cluster.
        #expect(try await drones[1].reaches("192.168.1.11"))
        #expect(try await first.status().alive.count == 2)
      }
    }
  }

  /// 100 addresses, 40 times each, in turn, to the card of the first drone.
  private static func flood() -> [[UInt8]] {
    let card: [UInt8] = [0x52, 0x54, 0, 0, 0, 0x10]
    var frames: [[UInt8]] = []
    for turn in UInt16(0)..<40 {
      for source in UInt8(100)..<200 {
        // The member can answer only whom it can find.
        if turn % 15 == 0 { frames.append(forgedNeighbour(of: 11, source: source)) }
        frames.append(forgedConnection(to: 11, card: card, from: source, port: 20_000 + turn))
      }
    }
    return frames
  }

  @Test(
    "while a stranger asks for thousands of connections from forged addresses and completes none, a good node joins within 3 s, each address gets so many answers, and the member's memory stays as it was"
  )
  func forgedConnections() async throws {
    let folder = FilePath(NSTemporaryDirectory()).appending("forged-\(UUID())")
    try makeFolder(folder)
    defer { try? FileManager.default.removeItem(atPath: folder.string) }
    let frames = Self.flood()
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      try await withDrones(["192.168.1.11", "192.168.1.21", "192.168.1.22"], in: network) { drones in
        let (first, joiner) = (drones[0], drones[2])
        try await formCluster(Array(drones.prefix(2)))
        let memory = try await first.tydMemory()
        let start = ContinuousClock.now
        // Some ten seconds, 400 a second.
        async let flood: Void = network.sendFrames(frames, keptIn: folder.appending("frames"), pause: 0.025)
        var times: [Double] = []
        var most = memory
        for _ in 0..<4 {
          let took = try await joiner.machine.output(
            "t() { read up idle </proc/uptime; echo $up; }; b=$(t); tyd -m 192.168.1.11 >/tmp/said || cat /tmp/said; e=$(t); "
              + "echo took $b $e")
          let words = took.split(whereSeparator: \.isWhitespace)
          let numbers = words.suffix(2).compactMap { Double($0) }
          #expect(words.first == "took" && numbers.count == 2, "\(took)")
          if numbers.count == 2 { times.append(numbers[1] - numbers[0]) }
          most = max(most, try await first.tydMemory())
          try await joiner.machine.succeeds("tyd --leave; while ps | grep -q '[ /][t]yd'; do sleep 0.1; done")
        }
        try await flood
        let took = ContinuousClock.now - start
        let after = try await first.tydMemory()

        let asked = try await first.frames(
          "tcp[13] = 2 and dst host 192.168.1.11 and dst port 3278 and src net 192.168.1.96/27")
        let answers = try await first.frames("tcp[13] = 18 and src host 192.168.1.11 and src port 3278")
        // `… IP 192.168.1.11.3278 > 192.168.1.100.20001: Flags …`; an answer that nobody takes is repeated.
        let answered = Set(answers.compactMap { $0.split(separator: " ").dropFirst(4).first.map(String.init) })
        let each = Dictionary(grouping: answered) { $0.split(separator: ".").prefix(4).joined(separator: ".") }
        let largest = each.filter { $0.key != "192.168.1.22" }.map(\.value.count).max() ?? 0
        print(
          "joins: \(times); memory \(memory), most \(most), after \(after) kB; \(answered.count) answered, "
            + "at most \(largest) for one address, in \(took)")
        #expect(asked.count == 28 * 40, "the flood came")
        // 20 at once and one a second.
        #expect(largest > 10 && largest <= 20 + Int(took.components.seconds) + 1, "\(largest) for one address")
        // One of four may meet a busy computer: the drones are emulated.
        #expect(times.count == 4 && times.sorted().prefix(3).allSatisfy { $0 <= 3 }, "\(times)")
        #expect(most <= memory + 256, "\(memory) kB before, \(most) at most")
        #expect(try await drones[1].reaches("192.168.1.11"))
        // A farewell in the flood may be lost; then the node is found dead.
        try await first.machine.waits(for: "the joiner to be gone", within: .seconds(10)) {
          $0.components(separatedBy: "\"alive\"").count == 3
        }
      }
    }
  }
}

extension Drone {
  /// What tyd has in memory, in kB.
  fileprivate func tydMemory() async throws -> Int {
    let words = try await machine.output("grep VmRSS /proc/$(cat /run/tyd/pid)/status")
    return words.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }.first ?? 0
  }
}

/// A key with a certificate, as somebody else has it.
private struct Identity {
  let key: SigningKey
  let certificate: Certificate

  /// A node of the authority.
  init(of authority: Certificate, key authorityKey: SigningKey) throws {
    key = try SigningKey()
    certificate = try authority.issue(for: key.publicKey, key: authorityKey)
  }

  private init(_ key: SigningKey, _ certificate: Certificate) {
    self.key = key
    self.certificate = certificate
  }

  static func ofOtherCluster(_ now: Int64) throws -> Identity {
    let key = try SigningKey()
    return try Identity(
      of: try .authority(name: Array("other".utf8), key: key, notBefore: now - 86_400, notAfter: now + 86_400),
      key: key)
  }

  /// The cluster's own key signed it, for a time that is over.
  static func expired(_ cluster: ClusterCredential, _ now: Int64) throws -> Identity {
    let past = try Certificate.authority(
      name: cluster.certificate.name, key: cluster.key, notBefore: now - 86_400, notAfter: now - 3600)
    return try Identity(of: past, key: cluster.key)
  }

  static func joiner() throws -> Identity {
    let key = try SigningKey()
    return Identity(key, try .joiner(key))
  }
}

/// Somebody on the wire who wants to do harm.
private struct HostilePeer {
  let network: NetworkNamespace
  let target: String
  let folder: FilePath

  /// Opens a connection, sends bytes and waits until the other side closes it.
  func sends(_ bytes: [UInt8]) async throws {
    let file = folder.appending("bytes")
    try await write(bytes, to: file)
    try await network.runOnNetwork(
      "bash",
      ["-c", "exec 3<>/dev/tcp/\(target)/3278; cat \(file.string) >&3; exec timeout 30 cat <&3 >/dev/null"])
  }

  /// openssl's client, with a certificate or without. `saying`: what printf(1) makes of this goes over the connection.
  func speaks(_ identity: Identity?, _ options: [String], saying text: String = "") async throws {
    var words = ["s_client", "-connect", "\(target):3278", "-quiet", "-ign_eof", "-alpn", "droneforge/1"] + options
    if let identity {
      let (key, certificate) = (folder.appending("node.key"), folder.appending("node.crt"))
      try await write(identity.key.pem, to: key)
      try await write(identity.certificate.pem, to: certificate)
      words += ["-cert", certificate.string, "-key", key.string]
    }
    // It ends when the other side has closed, and then not with success.
    try await network.runOnNetwork(
      "bash",
      [
        "-c",
        "timeout 30 openssl \(words.joined(separator: " ")) < <(printf '\(text)'; exec sleep 30 2>/dev/null) 2>&1; exit 0",
      ])
  }

  /// The beginning of a handshake, one byte a second, until the other side closes.
  func drips() async throws {
    try await network.runOnNetwork(
      "bash",
      [
        "-c",
        "exec 3<>/dev/tcp/\(target)/3278; printf '\\026\\003\\001\\001\\000' >&3; "
          + "{ for n in $(seq 40); do printf '\\001' >&3 || break; sleep 1; done; } >/dev/null 2>&1 & "
          + "timeout 40 cat <&3 >/dev/null; kill $!; exit 0",
      ])
  }
}

/// What one side of the first TCP connection to port 3278 in a capture said, in order.
private func recordedFlight(from source: String, to target: String, in capture: FilePath) throws -> [UInt8] {
  func octets(_ address: String) -> [UInt8] { address.split(separator: ".").compactMap { UInt8($0) } }
  var pieces: [UInt32: ArraySlice<UInt8>] = [:]
  var port: ArraySlice<UInt8>?
  for frame in try capturedFrames(in: capture) {
    // Ethernet's 14 bytes, IPv4's from its first nibble on, TCP's likewise (RFC 791 §3.1, RFC 9293 §3.1).
    guard frame.count > 54 else { continue }
    let packet = frame.dropFirst(14)
    let start = packet.startIndex
    guard packet[start] >> 4 == 4, packet[start + 9] == 6,
      packet[(start + 12)..<(start + 16)].elementsEqual(octets(source)),
      packet[(start + 16)..<(start + 20)].elementsEqual(octets(target))
    else { continue }
    let total = Int(packet[start + 2]) << 8 | Int(packet[start + 3])
    let segment = packet.prefix(total).dropFirst(Int(packet[start] & 15) * 4)
    let header = segment.startIndex
    guard segment.count >= 20, segment[header + 2] == 12, segment[header + 3] == 206 else { continue }
    let from = segment[header..<(header + 2)]
    guard port == nil || port == from else { continue }
    port = from
    let sequence = segment[(header + 4)..<(header + 8)].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    let text = segment.dropFirst(Int(segment[header + 12] >> 4) * 4)
    if !text.isEmpty { pieces[sequence] = text }
  }
  return pieces.keys.sorted().flatMap { pieces[$0] ?? [] }
}
