import DroneLayout
import Addresses
import Addressing
import BootServer
import Bytes
import Linux
import Netlink
import PacketFilter

/// What one boot server is started with, as arguments. It is a process of its own, which knows no key, and gives up being root
/// before it reads the first packet: a fault in it costs the cluster nothing.
struct BootServiceArguments {
  let card: [UInt8]
  let network: ServedNetwork
  let folders: ServedFolders
  let cluster: Path
  /// An empty folder, which becomes all that the process sees.
  let empty: Path
  /// At first.
  let role: ServingRole
  /// The role follows from who else serves.
  let watches: Bool

  static let option: StaticString = "--boot-server"
  private static let nowhere: StaticString = "-"

  init(
    card: [UInt8], network: ServedNetwork, folders: ServedFolders, cluster: Path, empty: Path, role: ServingRole,
    watches: Bool
  ) {
    self.card = card
    self.network = network
    self.folders = folders
    self.cluster = cluster
    self.empty = empty
    self.role = role
    self.watches = watches
  }

  var words: [[UInt8]] {
    [
      [UInt8](BootServiceArguments.option), card, network.own.text, network.netmask.address.text,
      AddressRange(network.first, network.last).text, (network.gateway ?? .unspecified).text, folders.standard.bytes,
      cluster.bytes, empty.bytes, role.text, [UInt8](watches ? "watch" : "forced"),
      folders.wide?.bytes ?? [UInt8](BootServiceArguments.nowhere),
    ]
  }

  /// Reads the words; nil when they are others.
  init?(_ words: [[UInt8]]) {
    guard words.count == 12, words[0].spells(BootServiceArguments.option), let own = IPv4Address(text: words[2]),
      let mask = IPv4Address(text: words[3]).flatMap({ Netmask($0) }), let range = AddressRange(text: words[4]),
      let gateway = IPv4Address(text: words[5]), let role = ServingRole(text: words[9]),
      let network = try? ServedNetwork(
        own: own, netmask: mask, gateway: gateway == .unspecified ? nil : gateway, range: range)
    else { return nil }
    self.init(
      card: words[1], network: network,
      folders: ServedFolders(
        standard: Path(words[6]), wide: words[11].spells(BootServiceArguments.nowhere) ? nil : Path(words[11])),
      cluster: Path(words[7]), empty: Path(words[8]), role: role, watches: words[10].spells("watch"))
  }
}

/// Runs the boot server until its standard input ends; gives its exit status. News go to standard output.
func runBootService(_ words: [[UInt8]]) -> Int32 {
  setProcessName([UInt8]("tyd-boot"))
  setSacrificeOrder(.usual)
  guard let arguments = BootServiceArguments(words) else {
    return fail([UInt8]("--boot-server is for tyd itself."), status: 2)
  }
  do throws(Failure) {
    let service = try BootService(arguments)
    do throws(SystemError) { try dropPrivileges(seeingOnly: arguments.empty) } catch { throw Failure(error) }
    writeStandardOutput(BootNews.ready.line)
    service.run()
  } catch {
    writeStandardOutput(BootNews.note(error.sentence).line)
    return 1
  }
  return 0
}

/// The boot server's sockets and files around `DHCPServer` or `ProxyDHCPServer`, `TFTPServer` and `HTTPServer`.
final class BootService {
  private var role: ServingRole
  /// Nil with `--force`.
  private var watch: ServerWatch?
  /// Also beside another server it is told who has which address.
  private var addresses: DHCPServer
  private var proxy: ProxyDHCPServer
  private var transfers: TFTPServer
  private let contents: ServedContent
  /// Obeys the IPsec policies: a member that renews its lease does so inside ESP.
  private let questions: DatagramSocket
  /// Below the packet filter and IPsec: to clients that have no address yet.
  private let frames: PacketSocket
  private let neighbours: PacketSocket
  /// Other servers' answers to clients.
  private let offers: PacketSocket
  private let proxyRequests: DatagramSocketBox
  private let requests: DatagramSocketBox
  private let ports: [DatagramSocketBox]
  /// Nil where another program has its port.
  private let web: HTTPSockets?
  private var orders: [UInt8] = []
  /// The number of the card; what comes by another is not answered.
  private let card: Int32

  init(_ arguments: BootServiceArguments) throws(Failure) {
    do throws(NetlinkSocketError) {
      var socket = try NetlinkSocket(.route)
      guard let link = try socket.links().first(where: { $0.name == arguments.card }), let hardware = link.address
      else { throw .system(SystemError("find", arguments.card, number: 19)) }
      card = link.index
      role = arguments.role
      do throws(SystemError) {
        contents = try ServedContent(arguments.folders, credentialIn: arguments.cluster)
      } catch {
        throw .system(error)
      }
      let served = ServedFirmware(uefi: contents.servesUEFI)
      addresses = DHCPServer(arguments.network, hardware: hardware, serving: served)
      proxy = ProxyDHCPServer(arguments.network, hardware: hardware, serving: served)
      if arguments.watches {
        let now = millisecondsSinceStart()
        watch = ServerWatch(
          role, on: arguments.network, hardware: hardware, random: UInt32(truncatingIfNeeded: randomNumber(now)),
          start: now)
      }
      do throws(SystemError) {
        questions = try DatagramSocket(SocketAddress(.unspecified, port: BOOTPMessage.serverPort))
        frames = try PacketSocket(interface: link.index, .nothing)
        neighbours = try PacketSocket(interface: link.index, .arp)
        offers = try PacketSocket(
          interface: link.index, from: BOOTPMessage.serverPort, to: BOOTPMessage.clientPort)
        let own = arguments.network.own
        requests = DatagramSocketBox(try DatagramSocket(SocketAddress(own, port: 69), transforms: .bypass))
        proxyRequests = DatagramSocketBox(
          try DatagramSocket(SocketAddress(own, port: ClusterPorts.proxyDHCP), transforms: .bypass))
        var ports: [DatagramSocketBox] = []
        for port in ClusterPorts.transfers {
          ports.append(DatagramSocketBox(try DatagramSocket(SocketAddress(own, port: port), transforms: .bypass)))
        }
        self.ports = ports
      } catch {
        throw .system(error)
      }
    } catch {
      throw Failure(error.text)
    }
    let content = contents
    let files = content.names.enumerated().map { TFTPServer.File($1, size: content.size($0)) }
    transfers = TFTPServer(arguments.network, files: files, ports: ports.count)
    do throws(SystemError) {
      web = try HTTPSockets(arguments.network, files, content)
    } catch {
      web = nil
      BootService.tell(.note([UInt8]("nothing is served by HTTP: ") + error.text))
    }
  }

  func run() {
    while true {
      let now = millisecondsSinceStart()
      var due = now &+ 60_000
      for time in [addresses.nextDue, transfers.nextDue, watch?.nextDue, web?.nextDue] {
        if let time { due = min(due, time) }
      }
      var interests = [
        Interest(0), Interest(questions.descriptor), Interest(neighbours.descriptor), Interest(requests.descriptor),
        Interest(proxyRequests.descriptor), Interest(watch?.isSearching == true ? offers.descriptor : -1),
      ]
      let fixed = interests.count
      for port in ports { interests.append(Interest(port.descriptor)) }
      interests += web?.interests ?? []
      let ready = waitReady(interests, milliseconds: Int(clamping: due > now ? due &- now : 0))
      let then = millisecondsSinceStart()
      if !ready[0].isEmpty, !receiveOrders(then) { return }
      if !ready[1].isEmpty { receiveQuestions(then) }
      if !ready[2].isEmpty { receiveNeighbours(then) }
      if !ready[3].isEmpty { receiveRequests(then) }
      if !ready[4].isEmpty { receiveProxyRequests(then) }
      if !ready[5].isEmpty { receiveOffers(then) }
      for port in ports.indices where !ready[fixed + port].isEmpty { receiveAcknowledgements(port, then) }
      web?.advance(ready[(fixed + ports.count)...], then, BootService.tell)
      if let time = watch?.nextDue, time <= then { perform(watch?.step(at: then) ?? []) }
      if let time = addresses.nextDue, time <= then { perform(addresses.step(at: then)) }
      if let time = transfers.nextDue, time <= then {
        perform(transfers.step(at: then) { file, offset, count in contents.read(file, offset, count) })
      }
      if let time = web?.nextDue, time <= then { web?.step(then, BootService.tell) }
    }
  }

  private static func tell(_ news: BootNews) { writeStandardOutput(news.line) }

  /// False when the tyd that started this process is gone.
  private func receiveOrders(_ now: UInt64) -> Bool {
    let part = readStandardInput(upTo: 4096)
    guard !part.isEmpty else { return false }
    orders += part
    while let line = orders.takeLine() {
      if let known = KnownAddress(line: line) { addresses.receive(known, at: now) }
    }
    return orders.count <= 4096
  }

  // A bound for each turn keeps one kind of packet from holding up the others.
  private static let most = 64

  private func receiveQuestions(_ now: UInt64) {
    for _ in 0..<BootService.most {
      guard let datagram = try? questions.receive(upTo: 1500) else { return }
      guard datagram.interface == card else { continue }
      let commands =
        role == .alone
        ? addresses.receive(
          datagram.bytes, from: datagram.sender.address, toEverybody: datagram.destination == .broadcast, at: now)
        : proxy.receive(datagram.bytes, from: datagram.sender.address, at: now)
      perform(commands)
      // For the time when it is alone.
      for case .news(.leased(let hardware, let address, _)) in commands where role != .alone {
        addresses.receive(KnownAddress(hardware, address), at: now)
      }
    }
  }

  private func receiveProxyRequests(_ now: UInt64) {
    for _ in 0..<BootService.most {
      guard let datagram = try? proxyRequests.socket.receive(upTo: 1500) else { return }
      guard datagram.interface == card, role != .alone else { continue }
      perform(
        proxy.receive(
          request: datagram.bytes, from: datagram.sender.address, port: datagram.sender.port, at: now))
    }
  }

  private func receiveOffers(_ now: UInt64) {
    for _ in 0..<BootService.most {
      guard let frame = try? offers.receive() else { return }
      perform(watch?.receive(frame, at: now) ?? [])
    }
  }

  private func receiveNeighbours(_ now: UInt64) {
    for _ in 0..<BootService.most {
      guard let frame = try? neighbours.receive() else { return }
      perform(addresses.receive(arp: frame, at: now))
    }
  }

  private func receiveRequests(_ now: UInt64) {
    for _ in 0..<BootService.most {
      guard let datagram = try? requests.socket.receive(upTo: 512) else { return }
      let commands = transfers.receive(request: datagram.bytes, from: BootService.peer(datagram), at: now) {
        file, offset, count in
        contents.read(file, offset, count)
      }
      perform(commands)
    }
  }

  private func receiveAcknowledgements(_ port: Int, _ now: UInt64) {
    for _ in 0..<BootService.most {
      guard let datagram = try? ports[port].socket.receive(upTo: 512) else { return }
      let commands = transfers.receive(datagram.bytes, on: port, from: BootService.peer(datagram), at: now) {
        file, offset, count in contents.read(file, offset, count)
      }
      perform(commands)
    }
  }

  private static func peer(_ datagram: Datagram) -> TFTPServer.Peer {
    TFTPServer.Peer(datagram.sender.address, port: datagram.sender.port)
  }

  private func perform(_ commands: [ServerWatch.Command]) {
    for command in commands {
      switch command {
      case .send(let frame): try? frames.send(frame)
      case .become(let role):
        self.role = role
        writeStandardOutput(BootNews.role(role).line)
      }
    }
  }

  private func perform(_ commands: [DHCPServer.Command]) {
    for command in commands {
      switch command {
      case .frame(let frame): try? frames.send(frame)
      case .message(let bytes, let address):
        try? questions.send(bytes, to: SocketAddress(address, port: BOOTPMessage.clientPort))
      case .answer(let bytes, let address, let port):
        try? proxyRequests.socket.send(bytes, to: SocketAddress(address, port: port))
      case .news(let news): BootService.tell(news)
      }
    }
  }

  private func perform(_ commands: [TFTPServer.Command]) {
    for command in commands {
      switch command {
      case .answer(let bytes, let peer):
        try? requests.socket.send(bytes, to: SocketAddress(peer.address, port: peer.port))
      case .send(let bytes, let peer, let port):
        try? ports[port].socket.send(bytes, to: SocketAddress(peer.address, port: peer.port))
      case .news(let news): BootService.tell(news)
      }
    }
  }
}
