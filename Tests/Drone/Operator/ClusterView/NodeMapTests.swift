import Addresses
import Bytes
import ClusterView
import Testing

private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

@Suite struct NodeMapTests {
  @Test("one node is shown to the column as openMosix shows it")
  func one() {
    var table = RecordedCluster.one
    table.own = 0x0ADC
    table.nodes[0].id = 0x0ADC
    table.nodes[0].address = IPv4Address(192, 168, 10, 220)
    #expect(
      text(nodeMapText(table)) == """
        My Node-Id: 0x0adc

        Base Node-Id Address          Count
        ------------ ---------------- -----
        0x0adc       192.168.10.220   1

        """)
  }

  @Test("nodes whose ids and addresses follow each other stand in one line, gone ones in none")
  func ranges() {
    var table = RecordedCluster.numbered(7)
    table.nodes[6].address = IPv4Address(10, 0, 0, 1)
    #expect(
      text(nodeMapText(table)) == """
        My Node-Id: 0x0101

        Base Node-Id Address          Count
        ------------ ---------------- -----
        0x0101       192.168.1.1      3
        0x0105       192.168.1.5      2
        0x0107       10.0.0.1         1

        """)
  }

  @Test("a thousand nodes are few lines, and every live one is counted once")
  func thousand() {
    let table = RecordedCluster.numbered(1000)
    let lines = text(nodeMapText(table)).split(separator: "\n").dropFirst(3)
    let counts = lines.compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
    #expect(counts.reduce(0, +) == table.liveNodes.count)
    #expect(lines.count == 144 && lines.allSatisfy { $0.count <= 36 })
    #expect(lines.last == "0x04e7       192.168.4.231    2")
  }

  @Test("the last id and the last address have no successor")
  func edges() {
    var table = RecordedCluster.numbered(2)
    table.nodes[0].id = .max
    table.nodes[0].address = .broadcast
    table.nodes[1].id = 1
    #expect(text(nodeMapText(table)).contains("0x0001       192.168.1.2      1\n0xffff       255.255.255.255  1\n"))
  }

  @Test("as JSON it is everything that is known of every node")
  func json() {
    var table = RecordedCluster.two
    table.name = [UInt8]("a \"b\\".utf8)
    table.nodes.append(ClusterTable.Node(id: 1, address: .unspecified, state: .removed, load: 1234))
    #expect(
      text(table.json)
        == #"{"node":"0x010b","state":"in","cluster":"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f","#
        + #""name":"a \"b\\","nodes":[{"id":"0x0001","address":null,"state":"removed","cpus":0,"speed":0,"load":12.34,"#
        + #""memoryTotal":0,"memoryFree":0,"uptime":0,"version":"0.0.0","isOwn":false,"canApprove":false},"#
        + #"{"id":"0x010b","address":"192.168.1.11","state":"alive","cpus":1,"speed":133,"load":0.25,"memoryTotal":28,"#
        + #""memoryFree":20,"uptime":3600,"version":"2.0.0","isOwn":true,"canApprove":true},"#
        + #"{"id":"0x0115","address":"192.168.1.21","state":"suspect","cpus":2,"speed":450,"load":0.00,"memoryTotal":60,"#
        + #""memoryFree":41,"uptime":90,"version":"2.0.0","isOwn":false,"canApprove":false}]}"# + "\n")
  }
}

@Suite struct ViewOptionsTests {
  private func words(_ line: String) -> [[UInt8]] { line.split(separator: " ").map { [UInt8]($0.utf8) } }

  @Test("a command line says what to show")
  func read() throws {
    #expect(try ShowmapOptions(words("")).form == .map)
    #expect(try ShowmapOptions(words("--json")).form == .json)
    #expect(try ShowmapOptions(words("--table")).form == .table)
    #expect(try ShowmapOptions(words("-h")).wantsHelp)
    let options = try MosmonOptions(words("--once --columns 132 --rows 50 --keys mdt --from /tmp/table"))
    #expect(options.isOnce && options.columns == 132 && options.rows == 50)
    #expect(options.keys == [UInt8]("mdt".utf8) && options.file == [UInt8]("/tmp/table".utf8))
    #expect(try MosmonOptions(words("--help")).wantsHelp)
  }

  @Test(
    "what cannot be carried out is refused by a sentence of printable ASCII",
    arguments: [
      "-x", "--once --columns", "--once --columns 0", "--once --rows 1001", "--once --rows x", "--columns 80",
      "--keys", "--from", "\u{1B}[31m", String(repeating: "x", count: 500),
    ])
  func refused(_ line: String) {
    do throws(ViewOptionError) {
      _ = try MosmonOptions(words(line))
      Issue.record("\(line) was taken")
    } catch {
      #expect(error.sentence.last == UInt8(ascii: ".") && (15...150).contains(error.sentence.count))
      #expect(error.sentence.allSatisfy { (0x20...0x7E).contains($0) })
    }
    #expect(throws: ViewOptionError.self) { try ShowmapOptions(words(line)) }
  }

  @Test("the help texts fit a screen")
  func help() {
    for help in [ShowmapOptions.help, MosmonOptions.help, Monitor.keys] {
      let text = help.withUTF8Buffer { String(decoding: $0, as: UTF8.self) }
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      #expect(lines.count <= 24 && lines.allSatisfy { $0.count <= 80 }, "\(lines.max { $0.count < $1.count } ?? "")")
    }
  }
}
