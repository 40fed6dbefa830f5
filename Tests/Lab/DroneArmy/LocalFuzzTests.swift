import NodeStatus
import Reporting
import Supervision
import TestSupport
import Testing
import TydCommand

@testable import DroneArmy

/// What programs of one machine tell each other in lines.
@Suite struct LocalFuzzTests {
  private let orders = Mutator([
    "leave", "stop", "pending", "status", "json", "table", "standing", "remove", "allow", "approve", "window",
    "processes", " ", " ", "277", "0", "65536", "40", "abcdef0123456789",
  ])

  @Test("any line is an order that is read again as it was, or none")
  func orderLines() {
    let fault = Fuzzing.configured.firstFault { generator in
      let line = orders.bytes(&generator, pieces: 0...5).filter { $0 != 10 }
      guard let order = TydCommand.Order(line: line) else { return nil }
      return TydCommand.Order(line: [UInt8](order.line.dropLast())) == order ? nil : "\(order) for \(line)"
    }
    #expect(fault == nil)
  }

  private let records = Mutator(["77", "1", "\n", "\n", "/usr/sbin/tyd", "-m", "--resume", "2147483648", "-"])

  @Test("any text is a record of a service that is written as it was read, or none")
  func services() {
    let fault = Fuzzing.configured.firstFault { generator in
      let text = records.bytes(&generator, pieces: 0...8)
      guard let record = ServiceRecord(text) else { return nil }
      return ServiceRecord(record.text) == record ? nil : "\(record) for \(text)"
    }
    #expect(fault == nil)
  }

  private let standings = Mutator([
    "joining", "pending", "member", " ", "\n", "277", "3", "65536", String(repeating: "a0", count: 32),
  ])

  @Test("any line says how a node stands, and what says so is read again as it was")
  func standingLines() {
    let fault = Fuzzing.configured.firstFault { generator in
      let line = standings.bytes(&generator, pieces: 0...6)
      let standing = NodeStanding(line)
      return NodeStanding(standing.text) == standing ? nil : "\(standing) for \(line)"
    }
    #expect(fault == nil)
  }

  @Test("any console line is a drone's status or none, however the console cuts it, and no line is longer than allowed")
  func statusLines() {
    let status = [UInt8](
      """
      {"node":"0x0001","address":"10.0.0.1","state":"in","nodes":[{"id":"0x0001","address":"10.0.0.1","state":"alive"},\
      {"id":"0x0002","address":"10.0.0.2","state":"dead"}]}

      """.utf8)
    let fault = Fuzzing.configured.firstFault { generator in
      let bytes = status.damaged(&generator)
      var whole = LineReader(limit: 200)
      var cut = LineReader(limit: 200)
      let place = Int.random(in: 0...bytes.count, using: &generator)
      let lines = whole.read(bytes)
      let pieces = cut.read([UInt8](bytes[..<place])) + cut.read([UInt8](bytes[place...]))
      if lines != pieces { return "pieces matter in \(bytes)" }
      for line in lines {
        if line.count > 200 { return "\(line.count) bytes in a line" }
        if let status = NodeStatus(line: line), status.nodes.count > line.count { return "more nodes than bytes" }
      }
      return nil
    }
    #expect(fault == nil)
  }
}
