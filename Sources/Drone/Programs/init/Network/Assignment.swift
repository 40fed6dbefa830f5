import Addressing
import BootLine
import Bytes

/// What one `ip=` word asks for, and how far that has come.
struct Assignment {
  let request: InterfaceRequest
  var task: AddressTask
  /// What the card was given last; nil when it has nothing from here.
  var applied: (card: Int32, configuration: AddressConfiguration)?
  /// The card could not be found or got no link or answer in time, and that has been said.
  var excused = false

  /// Nil for a word that configures nothing.
  init?(_ request: InterfaceRequest) {
    self.request = request
    switch request.method {
    case .off:
      return nil
    case .static:
      guard let address = request.address, var configuration = AddressConfiguration(address: address) else {
        return nil
      }
      configuration.hostName = nil
      task = AddressTask(.fixed(Assignment.complete(configuration, request)))
    case .dhcp, .bootp, .rarp, .any:
      task = AddressTask(
        .ask(AddressTask.Protocols(rawValue: request.protocols.rawValue)), server: request.server,
        identifier: request.clientIdentifier.map { [$0.type] + $0.identifier })
    }
  }

  /// Configured, given up, or already excused: the boot need not wait for it.
  var isSettled: Bool { excused || task.stage != .searching }

  /// The configuration with what the word says in place of what the server says, as for the kernel (nfsroot.rst: a field
  /// is determined by autoconfiguration only by default).
  func completed(_ configuration: AddressConfiguration) -> AddressConfiguration {
    Assignment.complete(configuration, request)
  }

  private static func complete(
    _ configuration: AddressConfiguration, _ request: InterfaceRequest
  ) -> AddressConfiguration {
    var out = configuration
    out.netmask = request.netmask ?? out.netmask
    out.gateway = request.gateway ?? out.gateway
    if !request.dns.isEmpty { out.nameServers = request.dns }
    if !request.ntp.isEmpty { out.timeServers = request.ntp }
    out.domain = request.domain ?? out.domain
    return out
  }

  /// The protocols that are asked, for messages: `DHCP, BOOTP, RARP`.
  var protocolNames: [UInt8] {
    var out: [UInt8] = []
    for (protocols, name) in [
      (InterfaceRequest.Protocols.dhcp, "DHCP" as StaticString), (.bootp, "BOOTP"), (.rarp, "RARP"),
    ] where request.protocols.contains(protocols) {
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
