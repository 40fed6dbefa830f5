import Addresses
import Addressing
import BootServer
import Testing

private let card = mac(0x11)
private let router = IPv4Address(192, 168, 1, 1)

/// A network with a boot server and, at some times, other DHCP servers.
private struct Watched {
  var watch: ServerWatch
  /// Whoever answers at a time, and the address that it offers.
  var other: (UInt64) -> (server: IPv4Address, offered: IPv4Address)?
  private(set) var roles: [(time: UInt64, role: ServingRole)] = []
  private(set) var questions: [UInt64] = []

  init(
    _ role: ServingRole, random: UInt32 = 7, _ other: @escaping (UInt64) -> (server: IPv4Address, offered: IPv4Address)?
  ) throws {
    watch = ServerWatch(role, on: try network(), hardware: card, random: random, start: 0)
    self.other = other
  }

  mutating func run(until end: UInt64) {
    while watch.nextDue <= end {
      let now = watch.nextDue
      var commands = watch.step(at: now)
      for case .send(let question) in commands {
        questions.append(now)
        if let (server, offered) = other(now) { commands += watch.receive(answer(question, server, offered), at: now) }
      }
      for case .become(let role) in commands { roles.append((now, role)) }
    }
  }

  private func answer(_ question: [UInt8], _ server: IPv4Address, _ offered: IPv4Address) -> [UInt8] {
    guard
      let asked = EthernetFrame(question).flatMap({ UDPDatagram(ipv4: $0.payload) }).flatMap({
        BOOTPMessage($0.payload)
      })
    else { return [] }
    var offer = BOOTPMessage(operation: .reply, transaction: asked.transaction, clientHardware: asked.clientHardware)
    offer.yourAddress = offered
    offer.add(.serverIdentifier, server.octets)
    let datagram = UDPDatagram(
      source: server, destination: .broadcast, sourcePort: 67, destinationPort: 68, payload: offer.bytes)
    return EthernetFrame(destination: .broadcast, source: mac(2), type: .ipv4, payload: datagram?.ipv4 ?? []).bytes
  }
}

/// Who serves where others may.
@Suite struct ServerWatchTests {
  private let minute: UInt64 = 60_000
  private let offered = IPv4Address(192, 168, 1, 100)

  @Test("beside a server that answers it stays, with one question a minute")
  func stays() throws {
    var network = try Watched(.beside(router)) { _ in (router, IPv4Address(192, 168, 1, 100)) }
    network.run(until: 60 * minute)
    #expect(network.roles.isEmpty && network.watch.role == .beside(router))
    #expect((48...80).contains(network.questions.count), "\(network.questions.count)")
    let pauses = zip(network.questions, network.questions.dropFirst()).map { $1 - $0 }
    #expect(pauses.allSatisfy { (45_000..<75_000).contains($0) } && Set(pauses).count > 10)
  }

  @Test("when the server has gone it serves within two minutes, but not for a server that misses one search")
  func gone() throws {
    let offer = (server: router, offered: offered)
    var network = try Watched(.beside(router)) { now in now < 600_000 ? offer : nil }
    network.run(until: 20 * minute)
    #expect(network.roles.map(\.role) == [.alone])
    let time = try #require(network.roles.first?.time)
    #expect(time > 10 * minute + 20_000 && time <= 12 * minute, "\(time)")
    // It is started again meanwhile: away for ten seconds of each search but the second.
    var searches = 0
    network = try Watched(.beside(router)) { _ in
      searches += 1
      return searches % 5 == 0 ? offer : nil
    }
    network.run(until: 20 * minute)
    #expect(network.roles.isEmpty && searches > 50)
  }

  @Test("when a server comes, or another takes its place, it steps back at once; it serves when that has gone, too")
  func comes() throws {
    let second = IPv4Address(192, 168, 1, 2)
    let offered = offered
    var network = try Watched(.alone) { now in
      switch now {
      case 300_000..<900_000: (router, offered)
      case 900_000..<1_800_000: (second, offered)
      default: nil
      }
    }
    network.run(until: 60 * minute)
    #expect(network.roles.map(\.role) == [.beside(router), .beside(second), .alone])
    #expect(zip(network.roles, [300_000, 900_000, 1_800_000]).allSatisfy { $0.time <= $1 + 2 * minute })
  }

  @Test("a server whose clients would not reach this node does not count")
  func elsewhere() throws {
    var network = try Watched(.alone) { _ in (router, IPv4Address(10, 0, 0, 7)) }
    network.run(until: 10 * minute)
    #expect(network.roles.isEmpty)
    network = try Watched(.beside(router)) { _ in (router, IPv4Address(10, 0, 0, 7)) }
    network.run(until: 10 * minute)
    #expect(network.roles.map(\.role) == [.alone])
  }

  @Test("of two drones that both serve one steps back, and one goes on", arguments: 1...20 as ClosedRange<UInt32>)
  func two(_ seed: UInt32) throws {
    var watches = [seed, seed &* 1000].enumerated().map { index, random in
      (try? network("192.168.1.\(11 + index)")).map {
        ServerWatch(.alone, on: $0, hardware: mac(UInt8(0x11 + index)), random: random, start: 0)
      }
    }.compactMap(\.self)
    try #require(watches.count == 2)
    var now: UInt64 = 0
    while now < 60 * minute {
      now = min(watches[0].nextDue, watches[1].nextDue)
      for index in 0...1 where watches[index].nextDue <= now {
        for case .send(let question) in watches[index].step(at: now) where watches[1 - index].role == .alone {
          let asked = try #require(
            EthernetFrame(question).flatMap { UDPDatagram(ipv4: $0.payload) }.flatMap { BOOTPMessage($0.payload) })
          var offer = BOOTPMessage(
            operation: .reply, transaction: asked.transaction, clientHardware: asked.clientHardware)
          offer.yourAddress = offered
          offer.add(.serverIdentifier, [192, 168, 1, UInt8(12 - index)])
          let datagram = UDPDatagram(
            source: router, destination: .broadcast, sourcePort: 67, destinationPort: 68, payload: offer.bytes)
          let frame = EthernetFrame(destination: .broadcast, source: mac(2), type: .ipv4, payload: datagram?.ipv4 ?? [])
          _ = watches[index].receive(frame.bytes, at: now)
        }
      }
    }
    #expect(watches.count { $0.role == .alone } == 1, "\(watches.map(\.role))")
  }

  @Test("a role survives being written and read; other words are none")
  func words() {
    for role in [.alone, .beside(router)] as [ServingRole] {
      #expect(
        ServingRole(text: role.text) == role
          && BootNews(line: [UInt8](BootNews.role(role).line.dropLast())) == .role(role))
    }
    for word in ["", "Alone", "alone ", "0.0.0.0", "255.255.255.255", "192.168.1"] {
      #expect(ServingRole(text: Array(word.utf8)) == nil, "\(word)")
    }
  }
}
