import Addresses
import Bytes

/// A BOOTP message (RFC 951) with vendor extensions (RFC 1533), as a client sends and receives it on Ethernet.
public struct BOOTPMessage: Equatable, Sendable {
  public enum Operation: UInt8, Sendable {
    case request = 1
    case reply = 2
  }

  public static let serverPort: UInt16 = 67
  public static let clientPort: UInt16 = 68

  public var operation: Operation
  /// A random number that ties a reply to its request.
  public var transaction: UInt32
  /// Seconds since the client began to ask.
  public var seconds: UInt16 = 0
  /// The client cannot take a reply to an address that it does not have yet (RFC 2131 §2, the flag B).
  public var wantsBroadcast = false
  /// What the client already has (`ciaddr`).
  public var clientAddress = IPv4Address.unspecified
  /// What the server gives it (`yiaddr`).
  public var yourAddress = IPv4Address.unspecified
  /// The server to boot from (`siaddr`).
  public var serverAddress = IPv4Address.unspecified
  /// The relay between them (`giaddr`).
  public var relayAddress = IPv4Address.unspecified
  public var clientHardware: MACAddress
  /// The file to boot, in a reply (`file`): at most 127 bytes of it are sent.
  public var bootFile: [UInt8] = []
  /// The extensions in the order in which they stand, without padding and end mark; those in the fields `file` and `sname` (RFC
  /// 2132 §9.3) behind the others.
  public var extensions: [VendorExtension] = []

  public init(operation: Operation, transaction: UInt32, clientHardware: MACAddress) {
    self.operation = operation
    self.transaction = transaction
    self.clientHardware = clientHardware
  }

  /// Reads the payload of a UDP datagram. Nil if the 236 fixed bytes are not all there or are not about Ethernet. A vendor
  /// area without the cookie of RFC 1533 §2, or one that ends in the middle of an extension, gives what was readable.
  public init?(_ payload: [UInt8]) {
    var reader = ByteReader<ReadingError>(payload)
    let (serverName, bootFile): (ArraySlice<UInt8>, ArraySlice<UInt8>)
    do throws(ReadingError) {
      guard let operation = Operation(rawValue: try reader.uint8()), try reader.uint8() == 1, try reader.uint8() == 6
      else { return nil }
      try reader.skip(1)
      let (transaction, seconds, flags) = (try reader.uint32(), try reader.uint16(), try reader.uint16())
      let (clientAddress, yourAddress) = (try reader.ipv4Address(), try reader.ipv4Address())
      let (serverAddress, relayAddress) = (try reader.ipv4Address(), try reader.ipv4Address())
      self.init(operation: operation, transaction: transaction, clientHardware: try reader.macAddress())
      self.seconds = seconds
      self.clientAddress = clientAddress
      self.yourAddress = yourAddress
      self.serverAddress = serverAddress
      self.relayAddress = relayAddress
      wantsBroadcast = flags & 0x8000 != 0
      try reader.skip(10)
      serverName = try reader.bytes(64)
      bootFile = try reader.bytes(BOOTPMessage.bootFileRoom)
    } catch {
      return nil
    }
    self.bootFile = [UInt8](bootFile.prefix { $0 != 0 })
    guard (try? reader.uint32()) == BOOTPMessage.cookie else { return }
    extensions = VendorExtension.list(reader.remaining)
    guard let overload = value(of: .overload), overload.count == 1, (1...3).contains(overload[0]) else { return }
    extensions.removeAll { $0.code == .overload }
    if overload[0] & 1 != 0 {
      extensions += VendorExtension.list(bootFile).filter { $0.code != .overload }
      self.bootFile = []
    }
    if overload[0] & 2 != 0 { extensions += VendorExtension.list(serverName).filter { $0.code != .overload } }
  }

  /// 99.130.83.99, which says that the vendor area is in the standard's form.
  private static let cookie: UInt32 = 0x6382_5363
  /// The field's size; a zero ends the name.
  private static let bootFileRoom = 128

  /// The message as it is sent: at least 300 bytes, since the vendor area has 64 (RFC 951 §3).
  public var bytes: [UInt8] {
    var out: [UInt8] = [operation.rawValue, 1, 6, 0]  // Ethernet, six bytes of address, no hop yet
    out.append(networkOrder: transaction)
    out.append(networkOrder: seconds)
    out.append(networkOrder: UInt16(wantsBroadcast ? 0x8000 : 0))
    for address in [clientAddress, yourAddress, serverAddress, relayAddress] { out += address.octets }
    out += clientHardware.octets
    out.append(zeros: 10 + 64)  // rest of the hardware address, server name
    let file = bootFile.prefix(BOOTPMessage.bootFileRoom - 1)
    out += file
    out.append(zeros: BOOTPMessage.bootFileRoom - file.count)
    out.append(networkOrder: BOOTPMessage.cookie)
    for item in extensions {
      out += item.bytes
      // Some firmware takes the names for texts that end with a zero and would read on into the next option.
      if item.code == .bootServer || item.code == .bootFile { out.append(VendorExtension.padding) }
    }
    out.append(VendorExtension.endMark)
    if out.count < 300 { out.append(zeros: 300 - out.count) }
    return out
  }

  /// The whole frame of a client that has no address yet: from 0.0.0.0 to everybody.
  public var broadcastFrame: EthernetFrame? {
    UDPDatagram(
      source: .unspecified, destination: .broadcast, sourcePort: BOOTPMessage.clientPort,
      destinationPort: BOOTPMessage.serverPort, payload: bytes
    ).map { EthernetFrame(destination: .broadcast, source: clientHardware, type: .ipv4, payload: $0.ipv4) }
  }

  /// The message from a server inside a frame; nil for anything else.
  public init?(frame: EthernetFrame) {
    guard frame.type == .ipv4, let datagram = UDPDatagram(ipv4: frame.payload),
      datagram.sourcePort == BOOTPMessage.serverPort, datagram.destinationPort == BOOTPMessage.clientPort,
      let message = BOOTPMessage(datagram.payload), message.operation == .reply
    else { return nil }
    self = message
  }

  /// What a reply says; nil for a request, for a DHCP message (which has a message type), and for an address that no
  /// host may have.
  public var configuration: AddressConfiguration? {
    guard operation == .reply, value(of: .messageType) == nil,
      var result = AddressConfiguration(address: yourAddress)
    else { return nil }
    result.netmask = addresses(of: .subnetMask).first.flatMap(Netmask.init)
    result.gateway = addresses(of: .routers).first { $0.isHostAddress }
    result.server = serverAddress.isHostAddress ? serverAddress : nil
    result.nameServers = addresses(of: .nameServers).filter { $0.isHostAddress }
    result.timeServers = addresses(of: .timeServers).filter { $0.isHostAddress }
    result.hostName = text(of: .hostName)
    result.domain = text(of: .domain)
    if let mtu = value(of: .mtu), mtu.count == 2 { result.mtu = UInt16(networkOrder: mtu) }
    return result
  }

  /// The value of the first extension of this code.
  public func value(of code: VendorExtension.Code) -> [UInt8]? {
    extensions.first { $0.code == code }?.value
  }

  /// The addresses of one extension: whole groups of four bytes.
  public func addresses(of code: VendorExtension.Code) -> [IPv4Address] {
    var reader = ByteReader<ReadingError>(value(of: code) ?? [])
    var out: [IPv4Address] = []
    while let address = try? reader.ipv4Address() { out.append(address) }
    return out
  }

  /// The text of one extension up to a NUL, which some servers add; nil when nothing is left.
  private func text(of code: VendorExtension.Code) -> [UInt8]? {
    guard let text = value(of: code)?.prefix(while: { $0 != 0 }), !text.isEmpty else { return nil }
    return [UInt8](text)
  }
}
