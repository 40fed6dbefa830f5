import Addresses
import Bytes

/// What the drone's own words, and those of CHAOS, ask for. A word that is not on the line, or whose value is wrong,
/// leaves its default in force; of several the last one wins.
///
/// | word                             | meaning                                                                 |
/// |----------------------------------|-------------------------------------------------------------------------|
/// | `boot=/dev/NAME`, `BOOT=`        | mount the boot medium read-only as iso9660; `:iso9660` or `:vfat` may follow |
/// | `eject`, `eject=0`/`1`, `EJECT=` | free and eject the medium once the drone is up; default 0               |
/// | `tyd=off`/`first`/`pxe`          | nothing; start the cluster; and serve netboot; default off              |
/// | `tyd=any`/ADDRESS                | find a member; join that one; again and again until it is done          |
/// | `TYD=0`/`1`/`2`/`3`              | nothing; join `MASTER=`, any without it; start the cluster; and serve netboot |
/// | `MASTER=any`/`multicast`/ADDRESS | the member that `TYD=1` joins                                           |
/// | `certaintyd=off`/`on`/`locked`   | watch the root; default on                                              |
/// | `filter=on`/`off`                | the packet filter; default on                                           |
/// | `watchdog=on`/`off`              | restart a drone that hangs; default on                                  |
/// | `shell=0`/`1`, `SHELL=`          | shells on the consoles; default 1                                       |
/// | `DHCP=0`/`1`                     | without any `ip=`: whether to ask for an address; default 1             |
/// | `console=DEVICE,OPTIONS`         | the kernel's consoles; a serial port's options as in `115200n8`         |
/// | `keymap=NAME`                    | the keyboard map                                                        |
/// | `syslog=HOST`                    | send the log to this address or name as well                            |
/// | `netconsole=TARGET`              | the kernel sends its messages there, see `NetconsoleTarget`             |
/// | `modules=open`/`locked`          | load kernel modules for as long as the drone runs; default locked        |
/// | `work=off`/NUMBER                | no jobs of other nodes, or so many at once; default two a processor     |
/// | `work-for=NODE,NODE`             | jobs of these home nodes alone, ids or addresses                        |
/// | `debug`, `debug=0`/`1`           | show more at boot; default 0                                            |
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
  public internal(set) var watchdog = true
  public internal(set) var shell = true
  /// Whether modules may be loaded as long as the drone runs.
  public internal(set) var keepsModulesOpen = false
  /// The most jobs of other nodes at once, 0 for none; nil for two a processor.
  public internal(set) var jobs: Int?
  /// The home nodes that it works for; nil for all members. Empty after a wrong value: nobody is meant by it.
  public internal(set) var workHomes: [NodeReference]?
  public internal(set) var debug = false
  /// A file name of letters, digits, `-` and `_`.
  public internal(set) var keymap: [UInt8]?
  /// In the order of the line; the kernel's last one is /dev/console.
  public internal(set) var consoles: [Console] = []
  /// An address or a host name, as text.
  public internal(set) var syslog: [UInt8]?
  /// Where the kernel sends its own messages; it reads the word itself.
  public internal(set) var netconsole: [NetconsoleTarget] = []
  /// Whether an address is asked for when no `ip=` says otherwise.
  public internal(set) var asksForAddress = true

  public init() {}
}

extension DroneWords {
  /// The words by what they are about; CHAOS's spelling and ours are one where they mean the same.
  enum Name {
    case boot, eject, tyd, numberedTyd, master, certaintyd, filter, watchdog, shell, dhcp, console, keymap, syslog,
      netconsole, debug, modules, work, workFor

    init?(_ name: [UInt8]) {
      if name.spells("boot") || name.spells("BOOT") {
        self = .boot
      } else if name.spells("eject") || name.spells("EJECT") {
        self = .eject
      } else if name.spells("tyd") {
        self = .tyd
      } else if name.spells("TYD") {
        self = .numberedTyd
      } else if name.spells("MASTER") {
        self = .master
      } else if name.spells("certaintyd") {
        self = .certaintyd
      } else if name.spells("filter") {
        self = .filter
      } else if name.spells("watchdog") {
        self = .watchdog
      } else if name.spells("shell") || name.spells("SHELL") {
        self = .shell
      } else if name.spells("DHCP") {
        self = .dhcp
      } else if name.spells("console") {
        self = .console
      } else if name.spells("keymap") {
        self = .keymap
      } else if name.spells("syslog") {
        self = .syslog
      } else if name.spells("netconsole") {
        self = .netconsole
      } else if name.spells("debug") {
        self = .debug
      } else if name.spells("modules") {
        self = .modules
      } else if name.spells("work") {
        self = .work
      } else if name.spells("work-for") {
        self = .workFor
      } else {
        return nil
      }
    }
  }
}
