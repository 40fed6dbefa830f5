import SystemPackage

/// A network card and what its cable is plugged into.
public struct NetworkCard: Sendable {
  public var model: Model
  public var network: Network
  /// Six pairs of hexadecimal digits; nil for one made from the card's position.
  public var address: String?
  /// A pcap file that gets every frame the card sends or receives.
  public var capture: FilePath?

  public init(_ model: Model = .e1000, on network: Network, address: String? = nil, capture: FilePath? = nil) {
    self.model = model
    self.network = network
    self.address = address
    self.capture = capture
  }

  /// Every kind of Ethernet card that the emulator has for a PC, by the emulator's name.
  public enum Model: String, Sendable, CaseIterable {
    case e1000 = "e1000"
    case e1000e = "e1000e"
    case rtl8139 = "rtl8139"
    case ne2000PCI = "ne2k_pci"
    case ne2000ISA = "ne2k_isa"
    case pcnet = "pcnet"
    case i82551 = "i82551"
    case i82557 = "i82557b"
    case tulip = "tulip"
    case virtio = "virtio-net-pci"
    case vmxnet3 = "vmxnet3"
    case usb = "usb-net"

    /// An ISA card is found at its port, the others by their identity on the bus.
    var isISA: Bool { self == .ne2000ISA }
    var isUSB: Bool { self == .usb }
    /// Whether the emulator has a boot ROM for it.
    fileprivate var hasROM: Bool { !isISA && !isUSB && self != .tulip }
  }

  public enum Network: Sendable {
    /// The emulator's own: DHCP gives 10.0.2.15, gateway 10.0.2.2, name server 10.0.2.3.
    /// With `tftp` its DHCP also names `bootFile` in that folder.
    case user(tftp: FilePath? = nil, bootFile: String? = nil)
    /// A hub with no other station: there is link and nobody answers.
    case silent
    /// A tap device that exists already, see `NetworkNamespace.tap`.
    case tap(String)
    /// A stream socket that the emulator inherits under this number; each frame on it comes after its length.
    case socket(Int32)
  }

  func arguments(index: Int, bootsFromIt: Bool, byUEFI: Bool) -> [String] {
    let id = "net\(index)"
    var device = "\(model.rawValue),netdev=\(id),mac=\(address ?? Self.address(index: index))"
    // A boot ROM takes a second of the firmware's time: only the card that is booted from has one, unless UEFI has a driver.
    if !bootsFromIt || byUEFI && model == .virtio, model.hasROM { device += ",romfile=" }
    if bootsFromIt, byUEFI { device += ",bootindex=0" }
    if model.isISA { device += ",iobase=0x300,irq=10" }
    if model.isUSB { device += ",bus=usb.0" }
    var out = ["-netdev", backend(id, index), "-device", device]
    if let capture {
      out += ["-object", "filter-dump,id=capture\(index),netdev=\(id),file=\(escaped(capture))"]
    }
    return out
  }

  private func backend(_ id: String, _ index: Int) -> String {
    switch network {
    case .user(let tftp, let bootFile):
      "user,id=\(id)" + (tftp.map { ",tftp=\(escaped($0))" } ?? "")
        + (bootFile.map { ",bootfile=\($0)" } ?? "")
    case .silent:
      "hubport,id=\(id),hubid=\(index)"
    case .tap(let name):
      // A virtio card's frames would have a header before them, which a capture does not tell apart from the frame.
      "tap,id=\(id),ifname=\(name),script=no,downscript=no" + (capture == nil ? "" : ",vnet_hdr=off")
    case .socket(let number):
      "socket,id=\(id),fd=\(number)"
    }
  }

  /// 52:54:00:12:34:56 is the emulator's own first address; the last byte counts up.
  static func address(index: Int) -> String {
    "52:54:00:12:34:" + String(0x56 + index, radix: 16)
  }
}
