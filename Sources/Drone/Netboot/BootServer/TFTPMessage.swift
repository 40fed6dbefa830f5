import Bytes

/// A packet of TFTP (RFC 1350 §5, RFC 2347) as the side that sends a file reads it.
enum TFTPMessage: Equatable {
  case read(TFTPRequest)
  /// The client wants to store a file.
  case write
  case acknowledgement(UInt16)
  case error(UInt16)

  /// Nil for anything else: too short, another operation, a request without its zeros.
  init?(_ bytes: [UInt8]) {
    guard bytes.count >= 4, bytes[0] == 0 else { return nil }
    let number = UInt16(networkOrder: bytes[2...3])
    switch bytes[1] {
    case 1:
      guard let request = TFTPRequest(bytes[2...]) else { return nil }
      self = .read(request)
    case 2: self = .write
    case 4: self = .acknowledgement(number)
    case 5: self = .error(number)
    default: return nil
    }
  }

  static func data(_ block: UInt16, _ content: [UInt8]) -> [UInt8] { header(3, block) + content }

  static func failure(_ code: TFTPErrorCode, _ text: StaticString) -> [UInt8] {
    header(5, code.rawValue) + [UInt8](text) + [0]
  }

  private static func header(_ operation: UInt16, _ number: UInt16) -> [UInt8] {
    var out: [UInt8] = []
    out.append(networkOrder: operation)
    out.append(networkOrder: number)
    return out
  }
}

/// RFC 1350's appendix.
enum TFTPErrorCode: UInt16 {
  case undefined = 0
  case notFound = 1
  case accessViolation = 2
  case illegalOperation = 4
  case unknownTransfer = 5
}

/// A request to read a file, with the options that this server knows (RFC 2348, 2349, 7440). Others, and values that are
/// out of bounds, count as not there.
struct TFTPRequest: Equatable {
  /// As requested, without slashes and `./` at its beginning and 0xFF at its end.
  var name: [UInt8]
  var isOctet: Bool
  /// `blksize`: bytes of each block.
  var blockSize: Int?
  /// `timeout`: seconds until a packet is sent again.
  var timeout: UInt8?
  /// `windowsize`: blocks that are sent before an acknowledgement is waited for.
  var window: Int?
  /// `tsize`: the client asks for the size.
  var asksSize = false

  static let smallestBlock: UInt64 = 8
  /// What fits into one Ethernet frame beside the headers of IPv4, UDP and TFTP.
  static let largestBlock: UInt64 = 1468
  static let usualBlock = 512
  /// Blocks; more than a small computer's card could receive at once gain nothing.
  static let largestWindow: UInt64 = 16
  /// Seconds. A client that asks for more gets the default.
  static let longestTimeout: UInt64 = 10

  /// Reads what follows the operation.
  init?(_ bytes: ArraySlice<UInt8>) {
    guard bytes.last == 0 else { return nil }
    let words = bytes.dropLast().split(separator: 0, omittingEmptySubsequences: false)
    guard words.count >= 2, words.count <= 32, !words[0].isEmpty, words[0].count <= 255 else { return nil }
    var name = words[0]
    while true {
      if name.first == UInt8(ascii: "/") {
        name = name.dropFirst()
      } else if name.starts(with: [UInt8]("./")) {
        name = name.dropFirst(2)
      } else {
        break
      }
    }
    // Firmware that looks for a zero behind the name in DHCP's option 67 takes the option's end mark for its last byte.
    while name.last == 0xFF { name = name.dropLast() }
    self.name = [UInt8](name)
    isOctet = TFTPRequest.lowered(words[1]).spells("octet")
    var index = 2
    while index + 1 < words.count {
      let value = decimal(words[index + 1])
      let option = TFTPRequest.lowered(words[index])
      if option.spells("blksize"), let value, value >= TFTPRequest.smallestBlock, value <= 65_464 {
        blockSize = Int(min(value, TFTPRequest.largestBlock))
      } else if option.spells("timeout"), let value, value >= 1, value <= TFTPRequest.longestTimeout {
        timeout = UInt8(value)
      } else if option.spells("windowsize"), let value, value >= 1, value <= 65_535 {
        window = Int(min(value, TFTPRequest.largestWindow))
      } else if option.spells("tsize") {
        asksSize = true
      }
      index += 2
    }
  }

  /// The acknowledgement of the options; nil when there is none to acknowledge.
  func acknowledgement(size: Int) -> [UInt8]? {
    var out: [UInt8] = [0, 6]
    func add(_ name: StaticString, _ value: UInt64) {
      out += [UInt8](name) + [0]
      appendDecimal(value, to: &out)
      out.append(0)
    }
    if let blockSize { add("blksize", UInt64(blockSize)) }
    if let timeout { add("timeout", UInt64(timeout)) }
    if let window { add("windowsize", UInt64(window)) }
    if asksSize { add("tsize", UInt64(clamping: size)) }
    return out.count > 2 ? out : nil
  }

  /// Options and modes may be in upper or lower case (RFC 1350 §5, RFC 2347).
  private static func lowered(_ word: ArraySlice<UInt8>) -> [UInt8] {
    word.map { $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z") ? $0 | 0x20 : $0 }
  }
}
