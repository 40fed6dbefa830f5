import NodeStatus
import TestSupport
import Testing

@testable import DroneArmy

@Suite struct StatusLineFuzzTests {
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
