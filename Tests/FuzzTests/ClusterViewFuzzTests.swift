import ClusterView
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
}
