import Addresses
import Addressing
import Bytes

// What a DHCP server and a ProxyDHCP server do alike: read a question, and build and send a reply.

extension ServedNetwork {
  /// The question in the payload of a datagram; nil when it is none, or not one of a client on this network.
  /// - Parameter hardware: the server's own card.
  func question(_ payload: [UInt8], to hardware: MACAddress) -> BOOTPMessage? {
    guard let message = BOOTPMessage(payload), message.operation == .request,
      message.clientHardware != hardware, message.clientHardware != .zero, message.clientHardware != .broadcast,
      // Who is elsewhere could only be made to be sent what nobody there asked for.
      message.clientAddress == .unspecified || contains(message.clientAddress)
    else { return nil }
    return message
  }
}

extension BOOTPMessage {
  /// Nil for BOOTP, and for a type that RFC 2132 §9.6 does not have.
  var type: DHCPMessageType? {
    guard let type = value(of: .messageType), type.count == 1 else { return nil }
    return DHCPMessageType(rawValue: type[0])
  }

  /// Whether a boot ROM says this (RFC 4578 §2, PXE 2.1 §2.2.1).
  var isFromBootROM: Bool { (value(of: .vendorClass) ?? []).starts(with: [UInt8](BOOTPMessage.bootROM)) }

  /// The class that boot ROMs and their servers know each other by.
  static var bootROM: StaticString { "PXEClient" }

  /// False for firmware that cannot run the boot file: a UEFI without its compatibility module names another architecture.
  var runsBootFile: Bool {
    guard let architecture = value(of: .architecture), architecture.count >= 2 else { return true }
    return architecture[0] == 0 && architecture[1] == 0
  }

  /// A reply without what it says. `type`: nil for BOOTP's.
  init(answering question: BOOTPMessage, _ type: DHCPMessageType?, from server: IPv4Address) {
    self.init(operation: .reply, transaction: question.transaction, clientHardware: question.clientHardware)
    wantsBroadcast = question.wantsBroadcast
    clientAddress = question.clientAddress
    guard let type else { return }
    add(.messageType, [type.rawValue])
    add(.serverIdentifier, server.octets)
    // A client drops what has no identifier or another (RFC 6842 §3).
    if let identifier = question.value(of: .clientIdentifier) { add(.clientIdentifier, identifier) }
  }

  /// Adds where the boot file is.
  mutating func addBootFile(on server: IPv4Address, for question: BOOTPMessage) {
    serverAddress = server
    bootFile = [UInt8](DHCPServer.bootFile)
    // Some boot ROMs look at these and not at the fixed fields.
    let asked = question.value(of: .parameterList) ?? []
    if asked.contains(VendorExtension.Code.bootServer.number) { add(.bootServer, server.text) }
    if asked.contains(VendorExtension.Code.bootFile.number) { add(.bootFile, bootFile) }
  }

  /// The command that sends this reply. It travels (RFC 2131 §4.1) through the kernel, which keeps members' traffic inside
  /// ESP, when the client has an address; otherwise in a frame, since ARP cannot find the client's hardware address.
  func sending(from server: IPv4Address, _ hardware: MACAddress) -> DHCPServer.Command {
    if clientAddress != .unspecified { return .message(bytes, to: clientAddress) }
    let everybody = wantsBroadcast || yourAddress == .unspecified
    return everybody
      ? framed(from: server, hardware, to: .broadcast, .broadcast)
      : framed(from: server, hardware, to: yourAddress, clientHardware)
  }

  func framed(
    from server: IPv4Address, _ hardware: MACAddress, to address: IPv4Address, _ card: MACAddress
  ) -> DHCPServer.Command {
    let datagram = UDPDatagram(
      source: server, destination: address, sourcePort: BOOTPMessage.serverPort,
      destinationPort: BOOTPMessage.clientPort, payload: bytes)
    let frame = EthernetFrame(destination: card, source: hardware, type: .ipv4, payload: datagram?.ipv4 ?? [])
    return .frame(frame.bytes)
  }
}

/// Questions that got no answer. It tells of the 1st, 2nd, 4th, 8th and so on.
struct Misses: Sendable {
  private(set) var count: UInt32 = 0

  /// Counts one, and says for whom and why there was no answer.
  mutating func add(_ client: MACAddress, _ reason: StaticString) -> [DHCPServer.Command] {
    count &+= 1
    guard count & (count &- 1) == 0 else { return [] }
    var text = [UInt8](reason) + client.text + [UInt8](" (")
    appendDecimal(UInt64(count), to: &text)
    return [.news(.note(text + [UInt8](" such questions so far)")))]
  }
}
