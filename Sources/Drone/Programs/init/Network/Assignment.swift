import Addressing
import BootLine
import Bytes

/// What one `ip=` word asks for, and how far that has come.
struct Assignment {
  let request: InterfaceRequest
  var task: AddressTask
  /// What the card was given last; nil when it has nothing from here.
  var applied: (card: Int32, configuration: AddressConfiguration)?
  /// The card was not found or got no link or answer in time, and that has been reported.
  var excused = false

  /// Nil for a word that configures nothing.
  init?(_ request: InterfaceRequest) {
    self.request = request
    switch request.method {
    case .off:
      return nil
    case .static:
      guard let address = request.address, let configuration = AddressConfiguration(address: address) else {
        return nil
      }
      task = AddressTask(.fixed(configuration))
    case .dhcp, .bootp, .rarp, .any:
      task = AddressTask(
        .ask(request.protocols), server: request.server,
        identifier: request.clientIdentifier.map { [$0.type] + $0.identifier })
    }
  }

  /// Configured, given up, or already excused: the boot need not wait for it.
  var isSettled: Bool { excused || task.stage != .searching }

  /// The protocols that are asked, for messages: `DHCP, BOOTP, RARP`.
  var protocolNames: [UInt8] {
    var out: [UInt8] = []
    for name in request.protocols.names {
      if !out.isEmpty { out += [UInt8](", ") }
      out += [UInt8](name)
    }
    return out
  }
}

extension AddressMethod {
  /// The method in one word.
  var name: StaticString {
    switch self {
    case .fixed: "static"
    case .dhcp: "DHCP"
    case .bootp: "BOOTP"
    case .rarp: "RARP"
    }
  }
}
