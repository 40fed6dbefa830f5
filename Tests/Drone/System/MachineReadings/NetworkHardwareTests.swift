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
}
