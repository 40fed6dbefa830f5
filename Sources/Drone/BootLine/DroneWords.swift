import HostNames
import NetworkAddresses

/// What the drone's own words, and those of CHAOS, ask for. A word that is not on the line, or whose value is wrong,
/// leaves its default in force; of several the last one wins.
///
/// | word                                        | meaning                                                      |
/// |---------------------------------------------|--------------------------------------------------------------|
/// | `boot=/dev/NAME[:iso9660\|vfat]`, `BOOT=`   | mount the boot medium read-only; iso9660 unless said         |
/// | `eject`, `eject=0\|1`, `EJECT=0\|1`         | free and eject the medium once the drone is up; default 0    |
/// | `tyd=off\|first\|any\|ADDRESS`              | start the cluster, find a member, join that member; default off |
/// | `TYD=0\|1\|2\|3`                            | off; join `MASTER=` (any without it); first; first that also serves netboot |
/// | `MASTER=ADDRESS\|any\|multicast`            | the member that `TYD=1` joins                                |
/// | `certaintyd=off\|on\|locked`                | watch the root; default on                                   |
/// | `filter=on\|off`                            | the packet filter; default on                                |
/// | `shell=0\|1`, `SHELL=0\|1`                  | shells on the consoles; default 1                            |
/// | `DHCP=0\|1`                                 | without any `ip=`: whether to ask for an address; default 1  |
/// | `console=DEVICE[,OPTIONS]`                  | the kernel's consoles; for a serial port speed, parity, bits, `r` |
/// | `keymap=NAME`                               | the keyboard map                                             |
/// | `syslog=HOST`                               | send the log to this address or name as well                 |
/// | `debug`                                     | show more at boot                                            |
public struct DroneWords: Hashable, Sendable {
  /// The medium the drone was booted from.
  public struct Medium: Hashable, Sendable {
    /// A path below /dev/, without `..`.
    public var device: [UInt8]
    public var filesystem: FileSystem

    public init(device: [UInt8], filesystem: FileSystem) {
      self.device = device
      self.filesystem = filesystem
    }
  }

  public enum FileSystem: Hashable, Sendable {
    case iso9660, vfat

    /// The name that mount(2) takes.
    public var name: StaticString {
      switch self {
      case .iso9660: "iso9660"
      case .vfat: "vfat"
      }
    }
  }

  public enum Membership: Hashable, Sendable {
    /// tyd is not started at boot.
    case off
    /// This node starts the cluster.
    case first
    /// As `first`, and serves netboot to other drones.
    case firstServingNetboot
    /// Look for a member on the LAN and join it.
    case joinAny
    /// Join the cluster of this member.
    case join(IPv4Address)
  }

  public enum RootWatch: Hashable, Sendable {
    case off, on
    /// On, and nothing on the drone can switch it off.
    case locked
  }

  /// A `console=` word.
  public struct Console: Hashable, Sendable {
    /// `tty0`, `ttyS0`: a name in /dev.
    public var device: [UInt8]
    /// Bits per second; nil when not given.
    public var speed: UInt32?

    public init(device: [UInt8], speed: UInt32? = nil) {
      self.device = device
      self.speed = speed
    }
  }

  public internal(set) var medium: Medium?
  public internal(set) var eject = false
  public internal(set) var tyd = Membership.off
  public internal(set) var certaintyd = RootWatch.on
  public internal(set) var filter = true
  public internal(set) var shell = true
  public internal(set) var debug = false
  /// A file name of letters, digits, `-` and `_`.
  public internal(set) var keymap: [UInt8]?
  /// In the order of the line; the kernel's last one is /dev/console.
  public internal(set) var consoles: [Console] = []
  /// An address or a host name, as text.
  public internal(set) var syslog: [UInt8]?
  /// Whether an address is asked for when no `ip=` says otherwise.
  public internal(set) var asksForAddress = true

  public init() {}
}
