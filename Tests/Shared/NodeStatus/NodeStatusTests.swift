import Addresses
import Bytes
import NodeStatus
import TestSupport
import Testing

/// A status with a value in every member.
private let full: NodeStatus = {
  var status = NodeStatus(id: 0x010B, address: IPv4Address(192, 168, 1, 11), standing: .in)
  status.obstacle = [UInt8](#"its "key" \ must be approved"#.utf8)
  status.cluster = [UInt8](0..<32)
  status.fingerprint = [UInt8](repeating: 0xFE, count: 32)
  status.mayApprove = true
  status.isEncrypted = false
  status.nodes = [
    .init(id: 0x010B, address: status.address, state: .alive, fingerprint: status.fingerprint, mayApprove: true),
    .init(id: 0x0115, address: IPv4Address(192, 168, 1, 21), state: .suspect, fingerprint: [1]),
    .init(id: 0xFFFF, address: .unspecified, state: .removed),
  ]
  status.tunnels = [.init(address: IPv4Address(192, 168, 1, 21), inboundSPI: 0xAB, outboundSPI: .max, rekeys: 3)]
  status.refused = [.init(name: [UInt8]("slow"), count: 0), .init(name: [UInt8]("strangers"), count: .max)]
  status.refusedPackets = .init(late: 1, replayed: 2, unproven: 3)
  status.deaths = 7
  status.shortages = [[UInt8]("/tmp is full: 4096 of 4096 KB"), [UInt8]("only 900 of 31000 KB are left")]
  status.kept = [.init(address: IPv4Address(192, 168, 1, 22), seconds: 86_400)]
  status.besideServer = IPv4Address(192, 168, 1, 1)
  status.boots = [
    .init(
      hardware: .broadcast, address: IPv4Address(10, 0, 0, 9), file: [UInt8]("chaos/chaos.rdz"), percent: 100,
      completed: 1)
  ]
  return status
}()

@Suite("a node's status as JSON")
struct NodeStatusTests {
  @Test("its members have the names that programs know")
  func golden() {
    #expect(
      String(decoding: full.json, as: UTF8.self)
        == #"{"node":"0x010b","address":"192.168.1.11","state":"in","waits":"its \"key\" \\ must be approved","#
        + #""cluster":"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f","#
        + #""fingerprint":"fefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefe","canApprove":true,"#
        + #""encrypted":false,"nodes":[{"id":"0x010b","address":"192.168.1.11","state":"alive","#
        + #""fingerprint":"fefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefe","canApprove":true},"#
        + #"{"id":"0x0115","address":"192.168.1.21","state":"suspect","fingerprint":"01","canApprove":false},"#
        + #"{"id":"0xffff","address":"","state":"removed","fingerprint":"","canApprove":false}],"#
        + #""tunnels":[{"address":"192.168.1.21","spiIn":"0x000000ab","spiOut":"0xffffffff","rekeys":3}],"#
        + #""refused":{"slow":0,"strangers":18446744073709551615},"#
        + #""refusedPackets":{"late":1,"replayed":2,"unproven":3},"deaths":7,"#
        + #""short":["/tmp is full: 4096 of 4096 KB","only 900 of 31000 KB are left"],"#
        + #""kept":[{"address":"192.168.1.22","seconds":86400}],"#
        + #""beside":"192.168.1.1","boots":[{"mac":"ff:ff:ff:ff:ff:ff","address":"10.0.0.9","file":"chaos/chaos.rdz","percent":100,"#
        + #""completed":1}]}"# + "\n")
  }

  @Test(
    "what was written is read again", arguments: [full, NodeStatus(id: 0, address: .unspecified, standing: .alone)])
  func again(_ status: NodeStatus) throws {
    #expect(try NodeStatus(json: status.json) == status)
  }

  @Test("every state has a word of its own", arguments: NodeStatus.State.allCases)
  func states(_ state: NodeStatus.State) throws {
    var status = full
    status.nodes[0].state = state
    #expect(try NodeStatus(json: status.json).nodes[0].state == state)
  }

  @Test("white space, escapes, and members of a later version are no obstacle")
  func lenient() throws {
    let text = """
      { "later" : [ {"a": [null, -1.5e3, true]}, "x" ], "node" : "0x0001",
        "address":"10.0.0.1", "state":"joining", "waits":"a\\u0041\\n\\/", "nodes":[ ] }
      """
    let status = try NodeStatus(json: [UInt8](text.utf8))
    #expect(status.id == 1 && status.standing == .joining && status.nodes.isEmpty)
    #expect(status.obstacle == [UInt8]("aA\n/".utf8))
  }

  @Test(
    "what is no status is an error that says where",
    arguments: [
      ("", .unreadable(at: 0)),
      ("tyd --status --json", .unreadable(at: 0)),
      ("[1]", .unreadable(at: 0)),
      ("{", .unreadable(at: 1)),
      ("{}", .incomplete),
      ("{}x", .unreadable(at: 2)),
      ("{\"nodes\":3}", .unreadable(at: 9)),
      ("{\"node\":\"0x1\"}", .unreadable(at: 8)),
      ("{\"address\":\"10.0.0\"}", .unreadable(at: 11)),
      ("{\"state\":\"out\"}", .unreadable(at: 9)),
      ("{\"nodes\":[{\"id\":\"0x0001\"}]}", .incomplete),
      ("{\"waits\":\"\\u00e9\"}", .unreadable(at: 11)),
      ("{\"deaths\":18446744073709551616}", .unreadable(at: 10)),
      ("{\"a\":[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]}", .unreadable(at: 21)),
    ] as [(String, NodeStatusError)])
  func refused(_ text: String, error: NodeStatusError) {
    #expect(throws: error) { try NodeStatus(json: [UInt8](text.utf8)) }
  }
}

@Suite("fuzzing a node's status")
struct NodeStatusFuzzTests {
  @Test("damaged status is read or refused, and what is read is written as it is read again")
  func damaged() {
    let written = full.json
    let fault = Fuzzing.configured.firstFault { generator in
      let bytes = written.damaged(&generator)
      guard let status = try? NodeStatus(json: bytes) else { return nil }
      if status.nodes.count > bytes.count { return "more nodes than bytes in \(bytes)" }
      guard let again = try? NodeStatus(json: status.json) else { return "not read again: \(bytes)" }
      return again.json == status.json ? nil : "read otherwise again: \(bytes)"
    }
    #expect(fault == nil)
  }

  @Test("pieces of JSON in any order are read or refused")
  func pieces() {
    let mutator = Mutator([
      "{", "}", "[", "]", ":", ",", "\"", "\\", "\\u00", "true", "false", "null", "\"node\":\"0x0001\"",
      "\"address\":\"10.0.0.1\"", "\"state\":\"in\"", "\"nodes\":[", "\"refused\":{", "\"boots\":[{", "\"short\":[",
      "\"kept\":[{", "-1.5",
    ])
    let fault = Fuzzing.configured.firstFault { generator in
      let bytes = mutator.bytes(&generator, pieces: 0...40)
      guard let status = try? NodeStatus(json: bytes) else { return nil }
      return (try? NodeStatus(json: status.json)) == nil ? "not read again: \(bytes)" : nil
    }
    #expect(fault == nil)
  }
}
