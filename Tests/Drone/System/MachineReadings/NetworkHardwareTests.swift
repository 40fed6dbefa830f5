import Addresses
import Testing

import MachineReadings

@Suite("What the kernel says about the hardware")
struct HardwareTests {
  @Test("missing firmware is named with driver and device, once")
  func firmware() {
    let log = """
      <6>[    1.000000] r8169 0000:02:00.0 eth0: RTL8168g/8111g, 52:54:00:12:34:56, XID 4c0, IRQ 24
      <4>[    2.100000] r8169 0000:02:00.0: Direct firmware load for rtl_nic/rtl8168g-2.fw failed with error -2
      <4>[    2.100001] r8169 0000:02:00.0: Direct firmware load for rtl_nic/rtl8168g-2.fw failed with error -2
      <4>[    2.200000] tg3 0000:03:00.0 eth1: Direct firmware load for tigon/tg3.bin failed with error -2
      [    2.3] e100 0000:00:12.0: Direct firmware load for e100/d101m_ucode.bin failed with error -2
      Direct firmware load for
      nothing: Direct firmware load for x failed
      """
    func missing(_ driver: String, _ device: String, _ file: String) -> MissingFirmware {
      MissingFirmware(driver: Array(driver.utf8), device: Array(device.utf8), file: Array(file.utf8))
    }
    #expect(
      missingFirmware(kernelLog: Array(log.utf8)) == [
        missing("r8169", "0000:02:00.0", "rtl_nic/rtl8168g-2.fw"),
        missing("tg3", "0000:03:00.0", "tigon/tg3.bin"),
        missing("e100", "0000:00:12.0", "e100/d101m_ucode.bin"),
      ])
  }

  @Test(
    "a root that did not fit into memory is told from the kernel's words",
    arguments: [
      (
        "<6>[    0.9] Trying to unpack rootfs image as initramfs...\n<5>[    1.3] Initramfs unpacking failed: write error\n",
        "write error"
      ),
      ("[    1.3] Initramfs unpacking failed: junk within compressed archive", "junk within compressed archive"),
      ("<6>[    0.9] Unpacking initramfs...\n<6>[    1.2] Freeing initrd memory: 11600K\n", nil),
      ("", nil),
    ] as [(String, String?)])
  func cutRoot(_ log: String, _ reason: String?) {
    #expect(rootUnpackingFailure(kernelLog: Array(log.utf8)) == reason.map { Array($0.utf8) })
  }

  /// Cards as the kernel named them, with their places, and the names that they get.
  @Test(
    "cards are numbered by their places on PCI, whichever driver came first; others come behind",
    arguments: [
      // One alone, and an order that is right already.
      [("eth0", "pci0000:00/0000:00:03.0", "eth0")],
      [("eth0", "pci0000:00/0000:00:03.0", "eth0"), ("eth1", "pci0000:00/0000:00:04.0", "eth1")],
      // Two drivers: the one of the outer cards was loaded first.
      [
        ("eth0", "pci0000:00/0000:00:03.0", "eth0"), ("eth1", "pci0000:00/0000:00:05.0/virtio1", "eth2"),
        ("eth2", "pci0000:00/0000:00:04.0", "eth1"),
      ],
      // The bus behind a bridge counts, not the bridge; digits are hexadecimal, and the function counts.
      [
        ("eth0", "pci0000:00/0000:00:1c.0/0000:02:00.1", "eth2"),
        ("eth1", "pci0000:00/0000:00:1c.0/0000:02:00.0", "eth1"),
        ("eth2", "pci0000:00/0000:00:1f.6", "eth0"), ("eth3", "pci0000:00/0000:00:1c.4/0000:0a:00.0", "eth3"),
      ],
      // USB goes by its controller's place.
      [
        ("eth0", "pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0", "eth1"), ("eth1", "pci0000:00/0000:00:03.0", "eth0"),
        ("eth2", "pci0000:00/0000:00:14.0/usb1/1-4/1-4:1.0", "eth2"),
      ],
      // Without PCI, last; other names stay, and so do holes.
      [
        ("eth0", "platform/ethoc", "eth7"), ("usb0", "pci0000:00/0000:00:01.0/usb1/1-1/1-1:1.0", "usb0"),
        ("eth7", "pci0000:00/0000:00:09.0", "eth0"),
      ],
      // Ten and more are numbers and not text.
      (0..<12).map { ("eth\(11 - $0)", "pci0000:00/0000:00:\($0 < 10 ? "0" : "1")\($0 % 10).0", "eth\($0)") },
      // Anything else is no address.
      [("eth0", "pci0000:00/000:00:03.0", "eth1"), ("eth1", "0000:00:03.8x/0000:00:30.0", "eth0")],
    ] as [[(String, String, String)]])
  func numbers(_ cards: [(name: String, place: String, wanted: String)]) {
    let plugged = cards.enumerated().map { index, card in
      PluggedCard(
        index: Int32(index), name: Array(card.name.utf8),
        path: Array("../../devices/\(card.place)/net/\(card.name)".utf8))
    }
    for order in [plugged, plugged.reversed()] {
      var names = Dictionary(uniqueKeysWithValues: plugged.map { ($0.index, $0.name) })
      for change in namesInOrder(order) { names[change.card.index] = change.name }
      for (index, card) in cards.enumerated() {
        #expect(names[Int32(index)].map { String(decoding: $0, as: UTF8.self) } == card.wanted, "\(card)")
      }
    }
  }
}
