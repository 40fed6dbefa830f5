import Addresses
import Bytes

/// The kernel command line as a drone understands it: a value for every line of bytes, and an error for everything in
/// it that cannot be used.
///
/// ### Words
///
/// The kernel's own rules (lib/cmdline.c) cut the line: white space separates, double quotes keep white space inside a
/// word, `--` ends the kernel's words. Words that neither `ip=` nor `DroneWords` knows are kept and mean nothing here.
///
/// ### Network
///
/// | form                                      | meaning                                                           |
/// |-------------------------------------------|-------------------------------------------------------------------|
/// | no `ip=` at all                           | every card with link asks by DHCP, BOOTP and RARP; first answer wins |
/// | no `ip=`, but `DHCP=0`                    | no card is configured                                             |
/// | `ip=`, `ip=:::`                           | all fields empty: as no `ip=` at all                              |
/// | `ip=on`, `ip=any`                         | the same                                                          |
/// | `ip=off`, `ip=none`                       | no card is configured                                             |
/// | `ip=dhcp`, `ip=bootp`, `ip=rarp`          | every card with link asks by this protocol                        |
/// | `ip=both`                                 | BOOTP and RARP, not DHCP                                          |
/// | `ip=dhcp,TYPE,ID`                         | DHCP with this client identifier, which may hold colons            |
/// | `ip=A`                                    | static address A, mask by class, on the first card with link      |
/// | `ip=A:S:G:M`                              | PXELINUX's: static address, boot server, gateway, mask            |
/// | `ip=A:S:G:M:H:D:P`                        | the HowTo's seven; any may be empty, colons at the end may be missing |
/// | `ip=A:S:G:M:H:D:P:DNS:DNS:NTP`            | the kernel's ten                                                  |
/// | `ip=A:S:G:M:H:D:P:MTU:MAC`                | dracut's variant: an eighth field of digits alone is an MTU       |
/// | `ip=D:P`, `ip=D:P:MTU:MAC`                | dracut's: card D by method P                                      |
/// | `nfsaddrs=…`                              | the same as `ip=…`                                                |
/// | `BOOTIF=01-aa-bb-cc-dd-ee-ff`             | the card that a word without a card means                         |
///
/// - **A**, client-ip: given, the method is static whatever P says, and no server is asked, even if the address turns out
///   to be unusable. 0.0.0.0 means not given, in every field.
/// - **S**, server-ip: kept. For RARP only this server's answers count.
/// - **G**, gw-ip: must lie in the address's network, unless that has the mask 255.255.255.255, and be neither its broadcast address nor A; otherwise the address
///   is used without a gateway.
/// - **M**, netmask: as an address or a prefix length; without it the mask of A's class (RFC 791).
/// - **H**, hostname: what follows the first dot is the domain.
/// - **D**, device: `BOOTIF` is the card of `BOOTIF=`; without it the card of `BOOTIF=`; without that, for a static address the first card with link, `eth0`
///   first, and for the asking methods every card with link.
/// - **P**, autoconf: one of the words that also stand alone; empty means any. dracut's words for IPv6 (`dhcp6`, `auto6`,
///   `either6`, `link6`) are errors and configure nothing; of `dhcp,dhcp6` the first stays.
///
/// Several words configure several cards. Of those without a card the last counts, as for the kernel, and an earlier
/// one's host name stays unless the last gives its own. A card named twice is an error that says what is lost, and the last
/// word counts; an address given twice is an error, and the first word counts. `NetworkSettings` holds what is said of all
/// cards. `vlan=`, `bond=`, `team=`, `bridge=` and `ifname=` are errors: a drone uses its cards as the kernel finds them.
public struct BootLine: Hashable, Sendable {
  /// What to do with the network cards, in the order of the line; never empty. Entries with method `off` ask for nothing.
  public let interfaces: [InterfaceRequest]
  /// What is said of the network besides.
  public let networkSettings: NetworkSettings
  /// The card that the drone was booted from (`BOOTIF=`).
  public let bootInterface: MACAddress?
  /// What the drone's own words ask for.
  public let drone: DroneWords
  /// Everything that cannot be used as written.
  public let errors: [BootLineError]
  /// The kernel's words in order, `ip=` and the drone's own among them.
  public let words: [BootWord]

  /// Reads a whole line as /proc/cmdline gives it, any bytes.
  public init(_ line: [UInt8]) {
    let splitter = WordSplitter(line)
    var network = NetworkWordReader()
    var own = DroneWordReader()
    for word in splitter.words {
      network.read(word)
      own.read(word)
    }
    network.finish()
    own.finish()
    words = splitter.words
    drone = own.drone
    networkSettings = network.settings
    bootInterface = network.bootInterface
    interfaces =
      network.interfaces.isEmpty
      ? [InterfaceRequest(method: own.drone.asksForAddress ? .any : .off)] : network.interfaces
    var errors = network.errors + own.errors
    if let word = splitter.unclosed {
      let reason: StaticString = "its double quote is never closed; the rest of the line belongs to this word"
      errors.append(BootLineError(word: word.text, field: nil, position: nil, reason: [UInt8](reason)))
    }
    self.errors = errors
  }

  /// The host name that the line asks for: the first that a word gives.
  public var hostName: [UInt8]? { namedInterface?.hostName }
  /// The domain that comes with `hostName`.
  public var domain: [UInt8]? { namedInterface?.domain }

  /// Both in one.
  public var fullName: [UInt8]? { namedInterface?.fullName }

  private var namedInterface: InterfaceRequest? { interfaces.first { $0.hostName != nil } }
}

extension BootLine {
  /// Whether a word of this name means something to a drone.
  public static func understands(_ name: [UInt8]) -> Bool {
    NetworkWordReader.Name(name) != nil || DroneWords.Name(name) != nil
  }
}

/// The drone's own words, see `DroneWords`.
extension BootLine {
  public var medium: DroneWords.Medium? { drone.medium }
  public var eject: Bool { drone.eject }
  public var tyd: DroneWords.Membership { drone.tyd }
  public var certaintyd: DroneWords.RootWatch { drone.certaintyd }
  public var filter: Bool { drone.filter }
  public var watchdog: Bool { drone.watchdog }
  public var shell: Bool { drone.shell }
  public var debug: Bool { drone.debug }
  public var keepsModulesOpen: Bool { drone.keepsModulesOpen }
  public var jobs: Int? { drone.jobs }
  public var workHomes: [NodeReference]? { drone.workHomes }
  public var keymap: [UInt8]? { drone.keymap }
  public var consoles: [DroneWords.Console] { drone.consoles }
  public var syslog: [UInt8]? { drone.syslog }
  public var netconsole: [NetconsoleTarget] { drone.netconsole }
}
