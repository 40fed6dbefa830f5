import Addresses
import Bytes
import MachineReadings
import TestSupport
import Testing

@testable import MachineReadings
@testable import Membership
@testable import Surveys

/// Texts of /proc, datagrams about processes, and reports.
@Suite struct ProcessListFuzzTests {
  private static let cluster = ClusterIdentifier(bits: 0xC1A0_0000_0000_0001)
  private let mutator = Mutator([
    "77 (sh) S 1 77 77 0 -1 4194560 90 0 3 0 12 5 1 2 20 0 1 0 100 4194304 120 4294967295 1 1 0 0\n", "(", ")", " ",
    "-",
    "\n", "1", "0 ", "18446744073709551615 ", "R", "Uid:\t", "\t0", "\t4294967296",
  ])

  @Test("any text gives a process that can be looked at and sent, or none")
  func texts() {
    let fault = Fuzzing.configured.firstFault { generator in
      let text = mutator.bytes(&generator, pieces: 0...12)
      _ = ProcessReading.user(status: text)
      let shared = ProcessReading.shared(statm: text)
      guard let reading = ProcessReading(stat: text) else { return nil }
      let first = ProcessLook([reading], at: generator.next() >> 20)
      let second = ProcessLook([reading, reading], at: generator.next() >> 20, since: first)
      let listed = second.busiest(.cpu, most: 5, least: 1).map { ListedProcess($0, user: 0, shared: shared) }
      let message = ProcessMessage(
        cluster: Self.cluster, sender: .broadcast,
        .answer(
          ProcessAnswer(
            number: 1, total: 1, running: 1, processors: 1, memoryTotal: 1, memoryAvailable: 1, processes: listed)))
      return (try? ProcessMessage(message.bytes, of: Self.cluster)) == message ? nil : "\(message) is not read again"
    }
    #expect(fault == nil)
  }

  private static let process = ListedProcess(
    process: 300, user: 1000, state: UInt8(ascii: "R"), priority: 20, nice: -5, cpu: 998, time: 16_384, virtual: 4096,
    resident: 480, shared: 120, name: [UInt8]("loop".utf8))

  private static func answer(_ count: Int) -> ProcessAnswer {
    ProcessAnswer(
      number: 7, total: 31, running: 2, processors: 1, memoryTotal: 30_000, memoryAvailable: 20_000,
      processes: Array(repeating: process, count: count))
  }

  private static let messages = [
    ProcessMessage(
      cluster: cluster, sender: .broadcast, .question(ProcessQuestion(number: 7, order: .time, most: 40, least: 4))
    ).bytes, ProcessMessage(cluster: cluster, sender: .broadcast, .answer(answer(0))).bytes,
    ProcessMessage(cluster: cluster, sender: .broadcast, .answer(answer(3))).bytes,
  ]

  @Test("any bytes are a message or an error, and what was read is written and read again as it was")
  func messages() {
    let fault = Fuzzing.configured.firstFault { generator in
      let bytes = (Self.messages.randomElement(using: &generator) ?? []).damaged(&generator)
      let message: ProcessMessage
      do throws(MembershipDecodeError) {
        message = try ProcessMessage(bytes, of: Self.cluster)
      } catch {
        return error.text.count > 20 ? nil : "an error without words for \(bytes)"
      }
      return (try? ProcessMessage(message.bytes, of: Self.cluster)) == message ? nil : "\(message) is not read again"
    }
    #expect(fault == nil)
  }

  @Test("any bytes are a report or an error")
  func reports() {
    let report = SurveyReport([
      .init(id: 1, address: IPv4Address(10, 0, 0, 1), load: 5, processors: 1, outcome: .answered(Self.answer(2))),
      .init(id: 2, address: IPv4Address(10, 0, 0, 2), load: 5, processors: 1, outcome: .silent),
      .init(id: 3, address: IPv4Address(10, 0, 0, 3), load: 5, processors: 1, outcome: .answered(Self.answer(0))),
    ]).bytes(of: Self.cluster)
    let fault = Fuzzing.configured.firstFault { generator in
      let bytes = report.damaged(&generator)
      guard let read = try? SurveyReport(bytes) else { return nil }
      return read.nodes.count > bytes.count ? "more nodes than bytes for \(bytes)" : nil
    }
    #expect(fault == nil)
  }
}
