import Addresses
import Addressing
import BootServer
import Bytes
import DroneLayout
import Linux
import Netlink

/// The card on which this node boots others, before it is a node.
struct ServingCard {
  let index: Int32
  let name: [UInt8]
  let hardware: MACAddress
  private(set) var address: InterfaceAddress?

  /// What a first node had in 2003, and its neighbours for the case that it is taken.
  private static let firstAddress = IPv4Address(192, 168, 1, 11)
  private static let lastAddress = IPv4Address(192, 168, 1, 15)
  /// How long a card may take until something is at the other end of its cable.
  private static let linkPatience: UInt64 = 8000
  /// How long the drone may take until it has an address of the server that is there.
  private static let addressPatience: UInt64 = 30_000

  /// The named card, else the one on which this node is in a cluster, else the first with a cable.
  init(_ wanted: [UInt8]?) throws(Failure) {
    let start = millisecondsSinceStart()
    while true {
      if let found = try ServingCard.find(wanted) {
        self = found
        return
      }
      guard millisecondsSinceStart() &- start < ServingCard.linkPatience else {
        throw Failure(
          (wanted.map { [UInt8]("the card ") + $0 } ?? [UInt8]("no card")) + [UInt8](" has a link: look at the cable."))
      }
      pause(milliseconds: 250)
    }
  }

  private init(_ link: Link, _ hardware: MACAddress, _ address: InterfaceAddress?) {
    index = link.index
    name = link.name
    self.hardware = hardware
    self.address = address
  }

  private static func find(_ wanted: [UInt8]?) throws(Failure) -> ServingCard? {
    let network: MachineNetwork
    do throws(NetlinkSocketError) {
      var socket = try NetlinkSocket(.route)
      network = try socket.network()
    } catch {
      throw Failure(error.text)
    }
    if let wanted, network.link(wanted) == nil {
      throw Failure([UInt8]("there is no interface ") + wanted + [UInt8]("."))
    }
    let known = wanted == nil ? network.clusterAddress?.interface : nil
    var cards: [ServingCard] = []
    for link in network.cards where link.isUsable {
      guard wanted == nil || link.name == wanted, let hardware = link.address else { continue }
      cards.append(ServingCard(link, hardware, network.addresses(of: link).first))
    }
    cards.sort { $0.index < $1.index }
    return cards.first { $0.index == known } ?? cards.first
  }

  /// Another DHCP server, and the address that it has for this node.
  struct OtherServer {
    let address: IPv4Address
    let offered: IPv4Address
  }

  /// The DHCP server that answers on this card, if any does within ten seconds.
  func findServer() throws(Failure) -> OtherServer? {
    var search = ServerSearch(
      hardware: hardware, transaction: UInt32(truncatingIfNeeded: randomNumber(0)), start: millisecondsSinceStart())
    do throws(SystemError) {
      let socket = try PacketSocket(interface: index, .ipv4)
      while true {
        var commands = search.step(at: millisecondsSinceStart())
        if commands.isEmpty, let due = search.nextDue, ServingCard.wait(socket.descriptor, until: due) {
          while commands.isEmpty, let frame = try socket.receive() { commands = search.receive(frame) }
        }
        for command in commands {
          switch command {
          case .send(let frame): try? socket.send(frame)
          case .yield(let server, let offered): return OtherServer(address: server, offered: offered)
          case .serve: return nil
          }
        }
      }
    } catch {
      throw Failure(error)
    }
  }

  /// Waits until the card has an address of the network that a server gives addresses of: process 1 asks for it.
  mutating func waitForAddress(beside server: OtherServer) throws(Failure) {
    let start = millisecondsSinceStart()
    while address == nil {
      guard millisecondsSinceStart() &- start < ServingCard.addressPatience else {
        throw Failure(
          name + [UInt8](" got no address from the DHCP server ") + server.address.text
            + [UInt8](" in 30 s: give this node one by ifconfig or ip=."))
      }
      pause(milliseconds: 250)
      if let found = try ServingCard.find(name) { self = found }
    }
    guard let address, !address.mask.sameNetwork(address.address, server.offered) else { return }
    throw Failure(
      [UInt8]("the DHCP server ") + server.address.text + [UInt8](" gives addresses like ") + server.offered.text
        + [UInt8](", and who has one does not reach this node at ") + address.address.text
        + [UInt8](": give this node an address there, or say tyd -pm --force."))
  }

  /// The card keeps the address that it has: it counts as set by hand from now on.
  static func keepAddress(of name: [UInt8]) throws(Failure) {
    guard let card = try find(name), let address = card.address else { return }
    try card.set(address.address, address.mask)
  }

  /// Gives the card the first of the usual addresses that nobody else has. It counts as set by hand, so that the drone asks
  /// for no other.
  func chooseAddress() throws(Failure) -> IPv4Address {
    var candidate = ServingCard.firstAddress
    while candidate <= ServingCard.lastAddress {
      if try isFree(candidate), let mask = candidate.classfulNetmask {
        try set(candidate, mask)
        return candidate
      }
      candidate = IPv4Address(bits: candidate.bits &+ 1)
    }
    throw Failure("192.168.1.11 to .15 are all in use: give this node an address of its own by ifconfig or ip=.")
  }

  private func isFree(_ address: IPv4Address) throws(Failure) -> Bool {
    var probe = AddressProbe(address, hardware: hardware, start: millisecondsSinceStart())
    do throws(SystemError) {
      let socket = try PacketSocket(interface: index, .arp)
      while true {
        for command in probe.step(at: millisecondsSinceStart()) {
          switch command {
          case .send(let frame): try? socket.send(frame)
          case .use: return true
          }
        }
        guard let due = probe.nextDue, ServingCard.wait(socket.descriptor, until: due) else { continue }
        while let frame = try socket.receive() {
          if probe.receive(frame) != nil { return false }
        }
      }
    } catch {
      throw Failure(error)
    }
  }

  private func set(_ address: IPv4Address, _ mask: Netmask) throws(Failure) {
    do throws(NetlinkSocketError) {
      var socket = try NetlinkSocket(.route)
      try socket.perform(
        .add(
          InterfaceAddress(
            interface: index, address: address, mask: mask, broadcast: mask.broadcast(of: address), label: name)))
    } catch {
      throw Failure(name + [UInt8](" cannot have ") + address.text + [UInt8](": ") + error.text)
    }
    // The drone's name goes by its address.
    let program = InitProgram.fixHosts
    if let process = try? Program(Path(ProgramPath.initialization), arguments: [[UInt8](program.name)]).start() {
      _ = waitForChild(process)
    }
  }

  /// The network around the address that the card has now.
  func network(_ range: AddressRange?) throws(Failure) -> ServedNetwork {
    guard let now = try ServingCard.find(name)?.address else {
      throw Failure(name + [UInt8](" has no address any longer."))
    }
    do throws(ServedNetworkError) {
      return try ServedNetwork(own: now.address, netmask: now.mask, gateway: ServingCard.gateway(index), range: range)
    } catch {
      throw Failure(error.sentence)
    }
  }

  private static func gateway(_ card: Int32) -> IPv4Address? {
    guard var socket = try? NetlinkSocket(.route), let routes = try? socket.routes() else { return nil }
    return routes.first { $0.interface == card && $0.isDefault }?.gateway
  }

  private static func wait(_ descriptor: Int32, until time: UInt64) -> Bool {
    let now = millisecondsSinceStart()
    return waitReadable([descriptor], milliseconds: Int(clamping: time > now ? time &- now : 0)).first == true
  }
}
