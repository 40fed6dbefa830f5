import Addresses
import Linux
import Netlink
import TestSupport
import Testing

@Suite(.enabled(if: NetworkThread.isPossible, "needs root, iproute2 and nftables"))
struct PacketSocketTests {
  /// An ARP request of 02:00:00:00:00:0b, 60 bytes, to everybody or to one card, with a VLAN tag (IEEE 802.1Q) or without.
  private static func frame(
    _ mark: UInt8, vlan: UInt8? = nil, to destination: [UInt8] = Array(repeating: 0xFF, count: 6)
  )
    -> [UInt8]
  {
    let tag: [UInt8] = vlan.map { [0x81, 0x00, 0x00, $0] } ?? []
    let packet: [UInt8] =
      [0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 0x0B, 192, 168, 1, mark] + Array(repeating: 0, count: 28)
    return destination + [2, 0, 0, 0, 0, 0x0B] + tag + [0x08, 0x06] + packet
  }

  @Test("frames for this machine and for everybody come; those of another VLAN and those for other machines do not")
  func foreign() throws {
    let network = try NetworkThread()
    try network.command("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "other")
    try network.command("ip", "link", "set", "eth0", "up")
    try network.command("ip", "link", "set", "other", "up")
    // Then the kernel hears what is for others, too.
    try network.command("ip", "link", "set", "eth0", "promisc", "on")
    let heard = try network.run { () throws -> [UInt8] in
      var netlink = try NetlinkSocket(.route)
      let machine = try netlink.network()
      let card = try #require(machine.link(Array("eth0".utf8)))
      let wire = try #require(machine.link(Array("other".utf8)))
      let socket = try PacketSocket(interface: card.index, .arp)
      let sender = try PacketSocket(interface: wire.index, .nothing)
      let own = try #require(card.address).octets
      for frame in [
        Self.frame(1), Self.frame(2, vlan: 20), Self.frame(3, vlan: 20, to: own),
        Self.frame(4, to: [2, 0, 0, 0, 0, 9]),
        Self.frame(5, to: own), Self.frame(6, vlan: 0),
      ] { try sender.send(frame) }
      var marks: [UInt8] = []
      while waitReadable([socket.descriptor], milliseconds: 200).first == true {
        while let frame = try socket.receive() { marks.append(frame[31]) }
      }
      return marks
    }
    #expect(heard == [1, 5, 6])
  }

  @Test("where datagrams from one port to another are asked for, the kernel lets those alone through")
  func ports() throws {
    let network = try NetworkThread()
    try network.command("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "other")
    try network.command("ip", "link", "set", "eth0", "up")
    try network.command("ip", "link", "set", "other", "up")
    let heard = try network.run { () throws -> [UInt8] in
      var netlink = try NetlinkSocket(.route)
      let machine = try netlink.network()
      let card = try #require(machine.link(Array("eth0".utf8)))
      let wire = try #require(machine.link(Array("other".utf8)))
      let socket = try PacketSocket(interface: card.index, from: 67, to: 68)
      let sender = try PacketSocket(interface: wire.index, .nothing)
      for (mark, type, ports) in [
        (1, 0x00, [0, 67, 0, 68]), (2, 0x00, [0, 68, 0, 67]), (3, 0x06, [0, 67, 0, 68]), (4, 0x00, [15, 171, 0, 68]),
        (5, 0x00, [0, 67, 0, 68]),
      ] as [(UInt8, UInt8, [UInt8])] {
        // To everybody; IPv4 or ARP; a header of 20 bytes, of which only the source tells one from another; the ports.
        let header: [UInt8] = [0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0, 0, 192, 168, 1, mark, 255, 255, 255, 255]
        try sender.send(
          Array(repeating: 0xFF, count: 6) + [2, 0, 0, 0, 0, 0x0B, 0x08, type] + header + ports
            + Array(repeating: 0, count: 22))
      }
      var marks: [UInt8] = []
      while waitReadable([socket.descriptor], milliseconds: 200).first == true {
        while let frame = try socket.receive() { marks.append(frame[29]) }
      }
      return marks
    }
    #expect(heard == [1, 5])
  }
}
