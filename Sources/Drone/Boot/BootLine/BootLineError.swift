import Bytes

/// Something on the command line that cannot be used as it stands. It never stops the boot.
public struct BootLineError: Error, Hashable, Sendable {
  /// The parts that an `ip=` word can have.
  public enum Field: Hashable, Sendable {
    case address, server, gateway, netmask, hostname, device, autoconf, dns, ntp, mtu, mac, excess
  }

  /// The word as the kernel passes it on, without quotes.
  public let word: [UInt8]
  /// Which part of an `ip=` word is wrong; nil for other words.
  public let field: Field?
  /// The field's place in the word, counted from 1; nil when the word as a whole is wrong.
  public let position: Int?
  /// What is wrong and what the drone does instead, without a full stop.
  public let reason: [UInt8]

  /// One sentence of printable ASCII without a line break: the word, the field, what is wrong, what happens instead.
  ///
  ///     "ip=192.168.1.21::10.0.0.1", field 3 (gateway): 10.0.0.1 is outside 192.168.0.0/16; no gateway is set.
  public var sentence: [UInt8] {
    var out = quoted(word)
    if let field, let position {
      out += [UInt8](", field ")
      appendDecimal(UInt64(position), to: &out)
      out += [UInt8](" (") + [UInt8](field.name) + [UInt8](")")
    }
    return out + [UInt8](": ") + reason + [UInt8](".")
  }
}

extension BootLineError.Field {
  /// The field's name in messages.
  public var name: StaticString {
    switch self {
    case .address: "address"
    case .server: "server"
    case .gateway: "gateway"
    case .netmask: "netmask"
    case .hostname: "hostname"
    case .device: "device"
    case .autoconf: "autoconf"
    case .dns: "dns"
    case .ntp: "ntp"
    case .mtu: "mtu"
    case .mac: "mac"
    case .excess: "excess"
    }
  }
}

/// The bytes between double quotes, safe for a terminal: what is not printable ASCII as `\xNN`, the middle of a long
/// text left out.
func quoted(_ bytes: some Collection<UInt8>) -> [UInt8] {
  var out: [UInt8] = [UInt8(ascii: "\"")]
  let tooLong = bytes.count > 100
  for byte in bytes.prefix(tooLong ? 60 : 100) { appendPrintable(byte, to: &out) }
  if tooLong {
    out += [UInt8]("...")
    for byte in bytes.dropFirst(bytes.count - 20) { appendPrintable(byte, to: &out) }
  }
  out.append(UInt8(ascii: "\""))
  return out
}

private func appendPrintable(_ byte: UInt8, to out: inout [UInt8]) {
  switch byte {
  case UInt8(ascii: "\""), UInt8(ascii: "\\"): out += [UInt8(ascii: "\\"), byte]
  case 0x20...0x7E: out.append(byte)
  default: out += [UInt8]("\\x") + hexadecimalByte(byte)
  }
}
