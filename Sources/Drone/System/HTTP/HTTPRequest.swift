import Bytes

/// What a client of a small server wants, read from the bytes that came so far (RFC 9112).
public enum HTTPRequest: Equatable, Sendable {
  /// Its head has not come as a whole.
  case incomplete
  /// GET with the path alone, or HEAD, whose answer has no body (RFC 9110 §9.3.2).
  case get(path: [UInt8], isHead: Bool = false)
  /// Nothing that is answered here.
  case refused(HTTPStatus, isHead: Bool = false)

  /// The longest head in bytes; that of a program that asks for metrics, or of firmware, has some hundred.
  public static let largest = 4096

  /// Reads a request and ignores what follows its head.
  /// - Parameter isForThisComputer: it came to a loopback address. A browser here that was given a name for that address by its
  ///   page's server (DNS rebinding) says that name: only the computer's own names are served.
  public init(_ bytes: [UInt8], isForThisComputer: Bool = false) {
    guard let end = HTTPRequest.endOfHead(bytes) else {
      self = bytes.count > HTTPRequest.largest ? .refused(.tooLarge) : .incomplete
      return
    }
    guard end <= HTTPRequest.largest else {
      self = .refused(.tooLarge)
      return
    }
    let lines = bytes[..<end].split(separator: lineFeed, omittingEmptySubsequences: false).map { line in
      line.last == carriageReturn ? line.dropLast() : line
    }
    self = HTTPRequest.request(lines, isForThisComputer)
  }

  /// Where the empty line begins that ends the head. A line feed alone ends a line, too (RFC 9112 §2.2).
  private static func endOfHead(_ bytes: [UInt8]) -> Int? {
    var isEmpty = false
    for (index, byte) in bytes.enumerated() {
      if byte == lineFeed {
        if isEmpty { return index }
        isEmpty = true
      } else if byte != carriageReturn {
        isEmpty = false
      }
    }
    return nil
  }

  private static func request(_ lines: [ArraySlice<UInt8>], _ isForThisComputer: Bool) -> HTTPRequest {
    guard let first = lines.first else { return .refused(.badRequest) }
    let words = first.split(separator: space, omittingEmptySubsequences: false)
    guard words.count == 3, !words[0].isEmpty, words[0].allSatisfy({ isToken($0) }) else {
      return .refused(.badRequest)
    }
    let isOld = words[2].spells("HTTP/1.0")
    guard isOld || words[2].spells("HTTP/1.1") else {
      return .refused(words[2].starts(with: [UInt8]("HTTP/")) ? .otherVersion : .badRequest)
    }
    var hosts: [ArraySlice<UInt8>] = []
    for line in lines.dropFirst() where !line.isEmpty {
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
        line[..<colon].allSatisfy({ isToken($0) })
      else { return .refused(.badRequest) }
      if line[..<colon].map({ lowerCase($0) }).spells("host") { hosts.append(trimmed(line[(colon + 1)...])) }
    }
    // RFC 9112 §3.2
    guard hosts.count == 1 || (isOld && hosts.isEmpty) else { return .refused(.badRequest) }
    let isHead = words[0].spells("HEAD")
    guard isHead || words[0].spells("GET") else { return .refused(.otherMethod) }
    guard words[1].first == UInt8(ascii: "/"), words[1].allSatisfy({ (0x21...0x7E).contains($0) }) else {
      return .refused(.badRequest)
    }
    guard !isForThisComputer || hosts.allSatisfy({ isThisComputer($0) }) else {
      return .refused(.misdirected, isHead: isHead)
    }
    return .get(path: [UInt8](words[1].prefix { $0 != UInt8(ascii: "?") }), isHead: isHead)
  }

  /// Whether a host, with or without a port, names the computer that the client runs on.
  private static func isThisComputer(_ host: ArraySlice<UInt8>) -> Bool {
    let name: ArraySlice<UInt8>
    if host.starts(with: [UInt8]("[::1]")) {
      name = host.prefix(5)
    } else {
      name = host.prefix { $0 != UInt8(ascii: ":") }
      guard name.spells("127.0.0.1") || name.map({ lowerCase($0) }).spells("localhost") else { return false }
    }
    let port = host.dropFirst(name.count)
    guard let first = port.first else { return true }
    return first == UInt8(ascii: ":")
      && port.dropFirst().allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
  }

  /// Without the blanks around it.
  private static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var text = text.drop { $0 == space || $0 == UInt8(ascii: "\t") }
    while let last = text.last, last == space || last == UInt8(ascii: "\t") { text = text.dropLast() }
    return text
  }

  /// RFC 9110 §5.6.2.
  private static func isToken(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "A")...UInt8(ascii: "Z"):
      true
    default: [UInt8]("!#$%&'*+-.^_`|~").contains(byte)
    }
  }

  private static func lowerCase(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
  }
}

private let lineFeed = UInt8(ascii: "\n")
private let carriageReturn = UInt8(ascii: "\r")
private let space = UInt8(ascii: " ")

/// How a request is answered (RFC 9110 §15).
public enum HTTPStatus: Equatable, CaseIterable, Sendable {
  case ok, badRequest, notFound, otherMethod, tooSlow, misdirected, tooLarge, otherVersion

  /// Code and reason.
  var text: StaticString {
    switch self {
    case .ok: "200 OK"
    case .badRequest: "400 Bad Request"
    case .notFound: "404 Not Found"
    case .otherMethod: "405 Method Not Allowed"
    case .tooSlow: "408 Request Timeout"
    case .misdirected: "421 Misdirected Request"
    case .tooLarge: "431 Request Header Fields Too Large"
    case .otherVersion: "505 HTTP Version Not Supported"
    }
  }
}

/// An answer as sent over the wire; the connection ends after it.
public enum HTTPAnswer {
  /// What was asked for.
  /// - Parameter type: of its content, as a media type (RFC 9110 §8.3).
  public static func whole(_ content: [UInt8], type: StaticString, isHead: Bool = false) -> [UInt8] {
    head(.ok, type: type, count: content.count) + (isHead ? [] : content)
  }

  public static func refusal(_ status: HTTPStatus, isHead: Bool = false) -> [UInt8] {
    let text = [UInt8](status.text) + [UInt8]("\n")
    return head(status, type: "text/plain; charset=utf-8", count: text.count) + (isHead ? [] : text)
  }

  /// What precedes so many bytes of content.
  public static func head(_ status: HTTPStatus, type: StaticString, count: Int) -> [UInt8] {
    var out = [UInt8]("HTTP/1.1 ") + [UInt8](status.text) + [UInt8]("\r\nContent-Type: ") + [UInt8](type)
    out += [UInt8]("\r\nContent-Length: ")
    appendDecimal(UInt64(clamping: count), to: &out)
    if status == .otherMethod { out += [UInt8]("\r\nAllow: GET, HEAD") }
    return out + [UInt8]("\r\nConnection: close\r\n\r\n")
  }
}
