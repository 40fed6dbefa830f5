import Addresses
import Testing

@testable import MachineReadings

@Suite struct MachineReadingsTests {
  @Test("a Pentium's four texts are read")
  func pentium() {
    var readings = MachineReadings()
    readings.read(
      cpuinfo: Array(
        """
        processor	: 0
        vendor_id	: GenuineIntel
        cpu family	: 5
        model name	: Pentium 75 - 200
        cpu MHz		: 132.951
        bogomips	: 265.90

        """.utf8))
    readings.read(
      meminfo: Array(
        """
        MemTotal:          25124 kB
        MemFree:           14976 kB
        MemAvailable:      15312 kB
        Buffers:               0 kB
        Cached:              980 kB
        SwapCached:            0 kB

        """.utf8))
    readings.read(loadavg: Array("0.08 1.25 12.5 2/31 93\n".utf8))
    readings.read(uptime: Array("4.61 3.20\n".utf8))
    #expect(readings.processors == 1)
    #expect(readings.megahertz == 133)
    #expect(readings.memoryTotal == 25124)
    #expect(readings.memoryAvailable == 15312)
    #expect(readings.load.one == 8)
    #expect(readings.load.five == 125)
    #expect(readings.load.fifteen == 1250)
    #expect(readings.uptime == 4)
  }

  @Test("every processor counts, and the first one's speed")
  func several() {
    var readings = MachineReadings()
    readings.read(cpuinfo: Array("processor\t: 0\ncpu MHz\t\t: 500.49\n\nprocessor\t: 1\ncpu MHz\t\t: 900.0\n".utf8))
    #expect(readings.processors == 2)
    #expect(readings.megahertz == 500)
  }

  @Test("memory is read by its exact name")
  func memory() {
    var readings = MachineReadings()
    readings.read(meminfo: Array("MemTotal:          27916 kB\nMemFree:            9000 kB\n".utf8))
    #expect(readings.memoryTotal == 27_916)
    readings.read(meminfo: Array("Mem:               27916 kB\n".utf8))
    #expect(readings.memoryTotal == 0)
    readings.read(meminfo: [])
    #expect(readings.memoryTotal == 0)
  }

  @Test("processors are counted")
  func processors() {
    var readings = MachineReadings()
    readings.read(cpuinfo: Array("processor\t: 0\nvendor\n\nprocessor\t: 1\n".utf8))
    #expect(readings.processors == 2)
  }

  @Test("a kernel that does not say what is available has what is free and what could be")
  func oldKernel() {
    var readings = MachineReadings()
    readings.read(meminfo: Array("MemTotal: 100 kB\nMemFree: 10 kB\nBuffers: 2 kB\nCached: 30 kB\n".utf8))
    #expect(readings.memoryAvailable == 42)
    readings.read(meminfo: Array("MemFree: \(UInt64.max) kB\nCached: 30 kB\n".utf8))
    #expect(readings.memoryAvailable == .max)
  }

  @Test(
    "a text that says nothing leaves 0", arguments: ["", "\n", ":", "x: y", "processor", "cpu MHz : fast", ". . ."])
  func nothing(text: String) {
    var readings = MachineReadings()
    readings.read(cpuinfo: Array(text.utf8))
    readings.read(meminfo: Array(text.utf8))
    readings.read(loadavg: Array(text.utf8))
    readings.read(uptime: Array(text.utf8))
    #expect(readings == MachineReadings())
  }

  @Test(
    "numbers are read in hundredths",
    arguments: [
      ("0", 0), ("7", 700), ("7.", 700), ("0.5", 50), ("1.999", 199), ("184467440737095516.15", UInt64.max),
      ("184467440737095516.16", nil), ("99999999999999999999", nil), ("", nil), (".5", nil), ("1.2.3", nil),
      ("-1", nil), ("1e3", nil),
    ] as [(String, UInt64?)])
  func hundredths(text: String, value: UInt64?) {
    #expect(MachineReadings.hundredths(Array(text.utf8)) == value)
  }

  @Test("the IPv6 addresses of a machine are read, but for those that somebody else has")
  func addresses6() {
    let text = """
      fd000000000000000000000000000002 04 40 00 82     eth0
      00000000000000000000000000000001 01 80 10 80       lo
      fe8000000000000000fc00fffe000001 0a 40 20 80     eth0
      fd000000000000000000000000000003 04 40 00 c8     eth0
      fd00000000000000000000000000000g 04 40 00 80     eth0
      fd0000000000000000000000000004 04 40 00 80     eth0
      fd000000000000000000000000000005 04 40 00
      fd000000000000000000000000000006 fffffffff 40 00 80 eth0

      """
    #expect(
      interfaceAddresses6(Array(text.utf8)) == [
        InterfaceAddress6(IPv6Address(high: 0xFD00_0000_0000_0000, low: 2), interface: 4),
        InterfaceAddress6(IPv6Address(high: 0, low: 1), interface: 1),
        InterfaceAddress6(IPv6Address(high: 0xFE80_0000_0000_0000, low: 0x00FC_00FF_FE00_0001), interface: 10),
      ])
  }
}
