import MachineReadings
import TestSupport
import Testing

@Suite struct MachineReadingsFuzzTests {
  private let mutator = Mutator([
    "processor", "cpu MHz", "MemTotal", "MemAvailable", "MemFree", "Cached", ":", "\t", " ", "\n", ".", "kB", "0", "9",
    "18446744073709551615", "0.08 1.25 12.5 2/31 93",
    "fe8000000000000000fc00fffe000001", " 0a", " 40", " 80", " eth0\n",
  ])

  @Test("any text gives readings")
  func everyText() {
    let fault = Fuzzing.configured.firstFault { generator in
      let text = mutator.bytes(&generator, pieces: 0...30)
      var readings = MachineReadings()
      readings.read(cpuinfo: text)
      readings.read(meminfo: text)
      readings.read(loadavg: text)
      readings.read(uptime: text)
      if interfaceAddresses6(text).count * 38 > text.count { return "more addresses than lines in \(text)" }
      return Int(readings.processors) > text.count ? "more processors than bytes in \(text)" : nil
    }
    #expect(fault == nil)
  }
}
