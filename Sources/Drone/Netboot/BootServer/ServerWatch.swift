import Addresses
import Bytes

/// What a boot server is on its network.
public enum ServingRole: Equatable, Sendable {
  /// The DHCP server: it gives addresses away.
  case alone
  /// A ProxyDHCP server: the DHCP server at this address gives them.
  case beside(IPv4Address)

  public var text: [UInt8] {
    switch self {
    case .alone: [UInt8]("alone")
    case .beside(let server): server.text
    }
  }

  /// Reads `text`; nil for anything else.
  public init?(text: some Collection<UInt8>) {
    let text = [UInt8](text)
    if text.spells("alone") {
      self = .alone
    } else if let server = IPv4Address(text: text), server.isHostAddress {
      self = .beside(server)
    } else {
      return nil
    }
  }

  /// The other DHCP server, if there is one.
  public var server: IPv4Address? { if case .beside(let server) = self { server } else { nil } }
}

/// Decides whether a boot server gives addresses away, without socket and clock: it does where no other DHCP server answers.
///
/// It searches about once a minute, for as long as it lives. Whoever answers makes it a ProxyDHCP server at once; it
/// becomes the DHCP server when two searches in a row found nobody, so that it does not step in for a server that is
/// started again. The pause is random: two drones that search in step would step back in step.
public struct ServerWatch: Sendable {
  public enum Command: Equatable, Sendable {
    /// Send this frame.
    case send([UInt8])
    /// The role is another from now on.
    case become(ServingRole)
  }

  private static let shortestPause: UInt64 = 45_000
  private static let longestPause: UInt64 = 75_000
  /// Before the search that makes sure.
  private static let shortPause: UInt64 = 10_000
  private static let silencesUntilAlone = 2

  public private(set) var role: ServingRole
  private let network: ServedNetwork
  private let hardware: MACAddress
  private var random: SplitMix64
  private var search: ServerSearch?
  private var begin: UInt64
  private var silences = 0

  /// - Parameters:
  ///   - network: servers that offer addresses of another do not count: their clients would not reach this one.
  ///   - hardware: the server's own card.
  ///   - random: any number, another for each drone.
  ///   - start: milliseconds of a clock that never goes back.
  public init(_ role: ServingRole, on network: ServedNetwork, hardware: MACAddress, random: UInt32, start: UInt64) {
    self.role = role
    self.network = network
    self.hardware = hardware
    self.random = SplitMix64(seed: UInt64(random))
    begin = start
    pause(from: start)
  }

  /// Whether `receive` is of use.
  public var isSearching: Bool { search != nil }

  /// When `step` is due.
  public var nextDue: UInt64 { search?.nextDue ?? begin }

  /// Does what is due.
  public mutating func step(at now: UInt64) -> [Command] {
    if search == nil {
      guard begin <= now else { return [] }
      search = ServerSearch(hardware: hardware, transaction: random.next32(), start: now, within: network)
    }
    return perform(search?.step(at: now) ?? [], at: now)
  }

  /// Receives a frame from the card.
  public mutating func receive(_ frame: [UInt8], at now: UInt64) -> [Command] {
    perform(search?.receive(frame) ?? [], at: now)
  }

  private mutating func perform(_ commands: [ServerSearch.Command], at now: UInt64) -> [Command] {
    var out: [Command] = []
    for command in commands {
      switch command {
      case .send(let frame): out.append(.send(frame))
      case .yield(let server, _):
        silences = 0
        pause(from: now)
        out += become(.beside(server))
      case .serve:
        silences += 1
        pause(from: now)
        if role != .alone, silences < ServerWatch.silencesUntilAlone {
          begin = now &+ ServerWatch.shortPause
        } else {
          out += become(.alone)
        }
      }
    }
    return out
  }

  private mutating func become(_ role: ServingRole) -> [Command] {
    guard role != self.role else { return [] }
    self.role = role
    return [.become(role)]
  }

  private mutating func pause(from now: UInt64) {
    search = nil
    let spread = ServerWatch.longestPause - ServerWatch.shortestPause
    begin = now &+ ServerWatch.shortestPause &+ UInt64(random.next32()) % spread
  }
}
