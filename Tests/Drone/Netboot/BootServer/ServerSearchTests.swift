import Addresses
import Addressing
import BootServer
import Testing

private let serverCard = mac(0x11)

@Suite struct ServerSearchTests {
  @Test("the search for another server asks four times in ten seconds, and knows an answer from other talk")
  func search() throws {
    var search = ServerSearch(hardware: serverCard, transaction: 7, start: 0)
    var asked: [UInt64] = []
    var time: UInt64 = 0
    while let due = search.nextDue {
      time = due
      for command in search.step(at: time) {
        guard case .send(let frame) = command else {
          #expect(command == .serve)
          continue
        }
        let message = try #require(
          EthernetFrame(frame).flatMap { UDPDatagram(ipv4: $0.payload) }.flatMap { BOOTPMessage($0.payload) })
        #expect(message.value(of: .messageType) == [1] && message.wantsBroadcast)
        asked.append(time)
      }
    }
    #expect(asked == [0, 1000, 3000, 6000] && time == 10_000)
    func offer(_ transaction: UInt32, _ server: IPv4Address?) throws -> [UInt8] {
      var message = BOOTPMessage(operation: .reply, transaction: transaction, clientHardware: serverCard)
      message.yourAddress = IPv4Address(192, 168, 1, 100)
      if let server { message.add(.serverIdentifier, server.octets) }
      let datagram = try #require(
        UDPDatagram(
          source: IPv4Address(192, 168, 1, 2), destination: .broadcast, sourcePort: 67, destinationPort: 68,
          payload: message.bytes))
      return EthernetFrame(destination: .broadcast, source: mac(2), type: .ipv4, payload: datagram.ipv4).bytes
    }
    func answer(_ frame: [UInt8]) -> [ServerSearch.Command] {
      var search = ServerSearch(hardware: serverCard, transaction: 7, start: 0)
      return search.receive(frame)
    }
    let given = IPv4Address(192, 168, 1, 100)
    #expect(
      answer(try offer(7, IPv4Address(192, 168, 1, 1))) == [.yield(to: IPv4Address(192, 168, 1, 1), offering: given)])
    #expect(answer(try offer(7, nil)) == [.yield(to: IPv4Address(192, 168, 1, 2), offering: given)])
    #expect(answer(try offer(8, IPv4Address(192, 168, 1, 1))) == [])
    // One of another network is passed over where that is asked for.
    let frame = try offer(7, IPv4Address(192, 168, 1, 1))
    for (own, isFound) in [("192.168.1.11", true), ("10.0.0.1", false)] {
      var search = ServerSearch(hardware: serverCard, transaction: 7, start: 0, within: try network(own))
      #expect(search.receive(frame).isEmpty != isFound && (search.nextDue == nil) == isFound)
    }
  }
}
