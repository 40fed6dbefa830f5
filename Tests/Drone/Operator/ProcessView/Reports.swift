import Addresses
import MachineReadings
import Surveys

/// A report of so many nodes, always the same: most of them idle, some busy, a few silent.
func sampleReport(nodes count: Int, silent: Set<Int> = [], notAsked: Set<Int> = []) -> SurveyReport {
  SurveyReport(
    (0..<count).map { index in
      let id = UInt16(0x010B + index)
      var outcome = SurveyReport.Outcome.answered(sampleAnswer(index))
      if silent.contains(index) { outcome = .silent }
      if notAsked.contains(index) { outcome = .notAsked }
      return SurveyReport.Node(
        id: id, address: IPv4Address(bits: 0xC0A8_0000 + UInt32(id)), load: index % 5 == 0 ? 104 : 2,
        processors: index % 3 == 0 ? 2 : 1, outcome: outcome)
    })
}

func sampleAnswer(_ index: Int) -> ProcessAnswer {
  var processes: [ListedProcess] = []
  if index % 5 == 0 {
    processes.append(
      process(UInt32(300 + index), "loop", cpu: UInt32(990 - index % 90), time: 16_384, resident: 480, state: "R"))
  }
  processes.append(process(212, "tyd", cpu: UInt32(4 + index % 7), time: UInt32(812 + index), resident: 2048))
  processes.append(process(1, "init", cpu: 0, time: 95, resident: 360))
  processes.append(process(5, "kworker/0:0", cpu: 0, time: 3, resident: 0, state: "I"))
  return ProcessAnswer(
    number: 1, total: 31, running: UInt32(index % 5 == 0 ? 1 : 0), processors: index % 3 == 0 ? 2 : 1,
    memoryTotal: 29_696, memoryAvailable: 20_480, processes: processes)
}

func process(
  _ number: UInt32, _ name: String, cpu: UInt32, time: UInt32, resident: UInt32, state: Unicode.Scalar = "S",
  user: UInt32 = 0
) -> ListedProcess {
  ListedProcess(
    process: number, user: user, state: UInt8(ascii: state), priority: 20, nice: 0, cpu: cpu, time: time,
    virtual: resident == 0 ? 0 : resident &* 3 &+ 1024, resident: resident, shared: resident / 4,
    name: [UInt8](name.utf8)
  )
}
