import Addresses
import DroneLayout
import Bytes
import MachineReadings

extension TydCommand.Order {
  /// The order as a line of words, as the command sends it to the running tyd.
  public var line: [UInt8] {
    switch self {
    case .leave: [UInt8]("leave\n")
    case .stop: [UInt8]("stop\n")
    case .pending: [UInt8]("pending\n")
    case .status(let json): json ? [UInt8]("status json\n") : [UInt8]("status\n")
    case .table: [UInt8]("table\n")
    case .standing: [UInt8](OrderWord.standing) + [UInt8]("\n")
    case .remove(let id): [UInt8]("remove \(id)\n")
    case .allow(let id): [UInt8]("allow \(id)\n")
    case .release(let address): [UInt8]("release \(address.text)\n")
    case .approve(let digits): [UInt8]("approve \(digits)\n")
    case .processes(let order, let most):
      [UInt8]("processes \(order.rawValue) \(most)\n")
    case .approveWindow(let minutes): [UInt8]("window \(minutes)\n")
    }
  }

  /// Reads a line without its line feed; nil for anything else.
  public init?(line: [UInt8]) {
    let words = line.split(separator: UInt8(ascii: " ")).map { [UInt8]($0) }
    guard let verb = words.first else { return nil }
    let value = words.count > 1 ? words[1] : []
    let small = decimal(value).flatMap { UInt16(exactly: $0) }
    if verb.spells("leave") {
      self = .leave
    } else if verb.spells("stop") {
      self = .stop
    } else if verb.spells("pending") {
      self = .pending
    } else if verb.spells("status") {
      self = .status(json: value.spells("json"))
    } else if verb.spells("table") {
      self = .table
    } else if verb.spells(OrderWord.standing) {
      self = .standing
    } else if verb.spells("remove"), let small {
      self = .remove(small)
    } else if verb.spells("allow"), let small {
      self = .allow(small)
    } else if verb.spells("release"), let address = IPv4Address(text: value) {
      self = .release(address)
    } else if verb.spells("processes"), let order = small.flatMap({ ProcessOrder(rawValue: UInt8(clamping: $0)) }),
      words.count == 3, let most = decimal(words[2]).flatMap({ UInt8(exactly: $0) })
    {
      self = .processes(order, most: most)
    } else if verb.spells("window"), let small {
      self = .approveWindow(minutes: small)
    } else if verb.spells("approve"), !value.isEmpty {
      self = .approve(value)
    } else {
      return nil
    }
  }
}
