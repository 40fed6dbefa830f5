import ClusterView
import Foundation
import Terminal
import TestSupport
import Testing

@Suite struct ClusterViewFuzzTests {
  private static let table = [UInt8](
    """
    table 1 3 0x010b in 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f our cluster
    0x010b 192.168.1.11 alive 1 133 25 28 20 3600 2.0.0 oa
    0x0115 192.168.1.21 suspect 2 450 0 60 41 90 2.0.0 -
    0x0116 - removed 0 0 0 0 0 0 0.0.0 a

    """.utf8)

  @Test("any bytes are a table or an error, and what was read is written and read again as it was")
  func tables() {
    let fault = Fuzzing.configured.firstFault { generator in
      let bytes = Self.table.damaged(&generator)
      do throws(ClusterTableError) {
        let table = try ClusterTable(text: bytes)
        if table.nodes.count > bytes.count { return "more nodes than bytes in \(bytes)" }
        return (try? ClusterTable(text: table.text)) == table ? nil : "\(table) is read as another"
      } catch {
        return error.text.count > 20 && error.text.count < 100 ? nil : "an error without words for \(bytes)"
      }
    }
    #expect(fault == nil)
  }

  @Test("any table's JSON is JSON, with every node in it")
  func json() {
    let fault = Fuzzing.one(in: 10).firstFault { generator in
      guard let table = try? ClusterTable(text: Self.table.damaged(&generator)) else { return nil }
      guard let view = try? JSONSerialization.jsonObject(with: Data(table.json)) as? [String: Any],
        let nodes = view["nodes"] as? [[String: Any]]
      else { return "no JSON for \(table)" }
      return nodes.count == table.nodes.count ? nil : "\(nodes.count) nodes for \(table)"
    }
    #expect(fault == nil)
  }

  @Test("any table, keys and size make a picture of that size, whose changes are bytes that end with a known style")
  func pictures() {
    let fault = Fuzzing.one(in: 10).firstFault { generator in
      guard let table = try? ClusterTable(text: Self.table.damaged(&generator)) else { return nil }
      let size = TerminalSize(
        columns: Int.random(in: -1...140, using: &generator), rows: Int.random(in: -1...50, using: &generator))
      var monitor = Monitor()
      var reader = KeyReader()
      var writer = ScreenWriter(TerminalAbilities(term: [UInt8]("linux".utf8)))
      for _ in 0..<UInt8.random(in: 1...30, using: &generator) {
        let bytes: [UInt8] =
          [[0x1B, 0x5B], [UInt8.random(in: 0...255, using: &generator)], [UInt8]("lmrsudtwvVah".utf8)]
          .randomElement(using: &generator) ?? []
        for byte in bytes {
          guard let key = reader.take(byte) else { continue }
          let count = monitor.nodes(of: table).count
          _ = monitor.press(key, page: monitor.page(count: count, size: size), count: count)
        }
        let frame = monitor.frame(table, size)
        if frame.lines.count != size.rows || frame.lines.contains(where: { $0.count > size.columns }) {
          return "a picture beyond \(size)"
        }
        let sent = writer.update(frame)
        if sent.contains(where: { $0 != 0x1B && !(0x20...0x7E).contains($0) }) { return "\(sent) is sent" }
        if !writer.update(frame).isEmpty { return "a picture differs from itself" }
      }
      return nil
    }
    #expect(fault == nil)
  }
}
