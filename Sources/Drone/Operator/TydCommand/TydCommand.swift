import Addresses
import BootServer
import MachineReadings

/// What one call of tyd is to do, read from its arguments.
///
///     tyd                      the first node of a cluster
///     tyd -m 192.168.1.11      join the cluster of the node there
///     tyd -f init              close the packet filter
///     tyd --status             what the tyd that runs here knows
public struct TydCommand: Equatable, Sendable {
  public enum Task: Equatable, Sendable {
    case help
    case version
    case printConfiguration
    case filter(FilterRequest)
    /// Become the first node.
    case start
    case join(Contact)
    /// Send an order to the tyd that runs on this node.
    case order(Order)
  }

  /// Where a member of the cluster is.
  public enum Contact: Equatable, Sendable {
    case address(IPv4Address)
    /// Ask by multicast.
    case any
  }

  public enum FilterRequest: Equatable, Sendable {
    /// Close it as it is after boot, and end.
    case initialise
    case on
    case off
    /// Let a port in.
    case allow(isTCP: Bool, port: UInt16)
  }

  public enum Order: Equatable, Sendable {
    case leave
    case remove(UInt16)
    case allow(UInt16)
    /// Let packets to the address of a former member leave in clear.
    case release(IPv4Address)
    /// Hexadecimal digits, lower case, 16 to 64: the key's fingerprint or its beginning.
    case approve([UInt8])
    /// Approve everybody who asks, for this many minutes; 0 ends that.
    case approveWindow(minutes: UInt16)
    case pending
    case status(json: Bool)
    /// The cluster as the views need it; no option of the command line means this.
    case table
    /// One line for the greeting of a shell: see `NodeStanding`.
    case standing
    case stop
    /// What `mtop` shows: at most this many processes of each node.
    case processes(ProcessOrder, most: UInt8)
  }

  /// An address of this machine, or 0.0.0.0 for all of them, and a TCP port.
  public struct Endpoint: Equatable, Sendable {
    public var address: IPv4Address
    public var port: UInt16

    public init(address: IPv4Address, port: UInt16) {
      self.address = address
      self.port = port
    }

    /// Only this machine itself can reach it.
    public var isLoopback: Bool { address.bits >> 24 == 127 }
  }

  /// How packets between members are protected.
  public enum Crypto: Sendable {
    /// By IPsec, with whatever cipher suits both nodes.
    case ipsec
    /// By IPsec, with this cipher only.
    case aes128GCM
    case chaCha20Poly1305
    /// Not at all: for debugging.
    case off
  }

  public var task = Task.start
  /// Nil: the one with the route to the contact, else eth0.
  public var interface: [UInt8]?
  public var crypto = Crypto.ipsec
  /// False with `-c off`.
  public var isEncrypted: Bool { crypto != .off }
  /// Where metrics are served; nil: nowhere.
  public var metrics: Endpoint?
  /// Boot others over the network, once this node is in.
  public var bootsOthers = false
  /// Give addresses to them even where another DHCP server answers.
  public var isForced = false
  /// The addresses that others get; nil for the default range.
  public var range: AddressRange?
  public var isSilent = false
  public var isDebugging = false
  /// Keep trying to join until this node is in.
  public var isPatient = false
  /// Take over what a tyd that ended left in the kernel.
  public var isResuming = false
  /// Seconds until a pair of keys is replaced, and until an unused one is dropped; nil for the defaults.
  public var rekeySeconds: UInt32?
  public var idleSeconds: UInt32?
  /// For so many seconds ESP is demanded of an address whose member is gone; nil for the default.
  public var keepSeconds: UInt32?
  /// Packets in one direction until a pair of keys is replaced; nil for the default. At twice as many the kernel ends an
  /// association.
  public var rekeyPackets: UInt32?

  public init() {}
}

/// Why a command line is refused.
public struct TydCommandError: Error, Equatable, Sendable {
  /// What is wrong and what to do, as a sentence with its full stop.
  public let sentence: [UInt8]

  init(_ parts: [UInt8]...) {
    sentence = parts.flatMap { $0 }
  }
}
