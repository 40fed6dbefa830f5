import PacketFilter
import Testing

@testable import Netlink

@Suite struct FilterBatchTests {
  @Test("a batch is begun, does its changes in order, asks for one answer, and is ended")
  func brackets() {
    var batch = FilterBatch()
    batch.addTable("t")
    batch.deleteTable("t")
    #expect(
      batch.encoded(sequence: 5) == [
        20, 0, 0, 0, 16, 0, 1, 0, 5, 0, 0, 0, 0, 0, 0, 0,  // NFNL_MSG_BATCH_BEGIN, request, sequence 5
        0, 0, 0, 10,  // AF_UNSPEC, version, NFNL_SUBSYS_NFTABLES
        28, 0, 0, 0, 0, 10, 1, 4, 6, 0, 0, 0, 0, 0, 0, 0,  // NFT_MSG_NEWTABLE, request, create
        2, 0, 0, 0,  // NFPROTO_IPV4
        6, 0, 1, 0, 0x74, 0, 0, 0,  // NFTA_TABLE_NAME: "t"
        28, 0, 0, 0, 2, 10, 5, 0, 7, 0, 0, 0, 0, 0, 0, 0,  // NFT_MSG_DELTABLE, request, acknowledge
        2, 0, 0, 0,  // NFPROTO_IPV4
        6, 0, 1, 0, 0x74, 0, 0, 0,  // NFTA_TABLE_NAME
        20, 0, 0, 0, 17, 0, 1, 0, 8, 0, 0, 0, 0, 0, 0, 0,  // NFNL_MSG_BATCH_END
        0, 0, 0, 10,
      ])
  }

  @Test("a base chain has a hook, a policy and a type")
  func baseChain() {
    var batch = FilterBatch()
    batch.addChain("in", base: FilterChain.Base(hook: .input, priority: -1, policy: .drop), to: "t")
    #expect(
      batch.requests.first?.encoded(sequence: 1) == [
        76, 0, 0, 0, 3, 10, 1, 4, 1, 0, 0, 0, 0, 0, 0, 0,  // NFT_MSG_NEWCHAIN, request, create
        2, 0, 0, 0,  // NFPROTO_IPV4
        6, 0, 1, 0, 0x74, 0, 0, 0,  // NFTA_CHAIN_TABLE
        7, 0, 3, 0, 0x69, 0x6E, 0, 0,  // NFTA_CHAIN_NAME
        20, 0, 4, 0x80,  // NFTA_CHAIN_HOOK, nested
        8, 0, 1, 0, 0, 0, 0, 1,  // NFTA_HOOK_HOOKNUM: NF_INET_LOCAL_IN
        8, 0, 2, 0, 0xFF, 0xFF, 0xFF, 0xFF,  // NFTA_HOOK_PRIORITY
        8, 0, 5, 0, 0, 0, 0, 0,  // NFTA_CHAIN_POLICY: NF_DROP
        11, 0, 7, 0, 0x66, 0x69, 0x6C, 0x74, 0x65, 0x72, 0, 0,  // NFTA_CHAIN_TYPE: "filter"
      ])
  }

  @Test("a set has a kind and a number, then come its elements")
  func set() {
    var batch = FilterBatch()
    batch.add(
      FilterSet(name: "p", kind: .port, flags: [.timeout, .dynamic], timeout: 1000, capacity: 8, elements: [[0, 69]]),
      to: "t")
    #expect(
      batch.requests.map { $0.encoded(sequence: 1) } == [
        [
          92, 0, 0, 0, 9, 10, 1, 4, 1, 0, 0, 0, 0, 0, 0, 0,  // NFT_MSG_NEWSET, request, create
          2, 0, 0, 0,  // NFPROTO_IPV4
          6, 0, 1, 0, 0x74, 0, 0, 0,  // NFTA_SET_TABLE
          6, 0, 2, 0, 0x70, 0, 0, 0,  // NFTA_SET_NAME
          8, 0, 3, 0, 0, 0, 0, 0x30,  // NFTA_SET_FLAGS: timeout, eval
          8, 0, 4, 0, 0, 0, 0, 13,  // NFTA_SET_KEY_TYPE: inet_service
          8, 0, 5, 0, 0, 0, 0, 2,  // NFTA_SET_KEY_LEN
          8, 0, 10, 0, 0, 0, 0, 1,  // NFTA_SET_ID
          12, 0, 9, 0x80, 8, 0, 1, 0, 0, 0, 0, 8,  // NFTA_SET_DESC with NFTA_SET_DESC_SIZE
          12, 0, 11, 0, 0, 0, 0, 0, 0, 0, 3, 0xE8,  // NFTA_SET_TIMEOUT: milliseconds
        ],
        [
          56, 0, 0, 0, 12, 10, 1, 4, 1, 0, 0, 0, 0, 0, 0, 0,  // NFT_MSG_NEWSETELEM, request, create
          2, 0, 0, 0,  // NFPROTO_IPV4
          6, 0, 1, 0, 0x74, 0, 0, 0,  // NFTA_SET_ELEM_LIST_TABLE
          6, 0, 2, 0, 0x70, 0, 0, 0,  // NFTA_SET_ELEM_LIST_SET
          20, 0, 3, 0x80,  // NFTA_SET_ELEM_LIST_ELEMENTS, nested
          16, 0, 1, 0x80,  // NFTA_LIST_ELEM, nested
          12, 0, 1, 0x80,  // NFTA_SET_ELEM_KEY, nested
          6, 0, 1, 0, 0, 69, 0, 0,  // NFTA_DATA_VALUE
        ],
      ])
  }

  @Test("a helper names its tracker and the protocols that it watches")
  func helper() {
    var batch = FilterBatch()
    batch.add(ConnectionHelper(name: "h", tracker: "tftp", transport: .udp), to: "t")
    #expect(
      batch.requests.first?.encoded(sequence: 1) == [
        76, 0, 0, 0, 18, 10, 1, 4, 1, 0, 0, 0, 0, 0, 0, 0,  // NFT_MSG_NEWOBJ, request, create
        2, 0, 0, 0,  // NFPROTO_IPV4
        6, 0, 1, 0, 0x74, 0, 0, 0,  // NFTA_OBJ_TABLE
        6, 0, 2, 0, 0x68, 0, 0, 0,  // NFTA_OBJ_NAME
        8, 0, 3, 0, 0, 0, 0, 3,  // NFTA_OBJ_TYPE: NFT_OBJECT_CT_HELPER
        32, 0, 4, 0x80,  // NFTA_OBJ_DATA, nested
        9, 0, 1, 0, 0x74, 0x66, 0x74, 0x70, 0, 0, 0, 0,  // NFTA_CT_HELPER_NAME: "tftp"
        6, 0, 2, 0, 0, 2, 0, 0,  // NFTA_CT_HELPER_L3PROTO: NFPROTO_IPV4, in network order
        5, 0, 3, 0, 17, 0, 0, 0,  // NFTA_CT_HELPER_L4PROTO: UDP
      ])
  }

  @Test("many elements go in several messages, none of which is too long")
  func manyElements() {
    var batch = FilterBatch()
    batch.add((0..<2500).map { [10, 0, UInt8($0 >> 8), UInt8($0 & 0xFF)] }, to: "s", of: "t")
    #expect(batch.requests.count == 3)
    #expect(batch.requests.allSatisfy { !$0.body.overflowed })
  }

  @Test("a batch of nothing, or with a rule too long to be said, is not sent")
  func unsendable() {
    #expect(FilterBatch().encoded(sequence: 1) == nil)
    var batch = FilterBatch()
    let long = FilterExpression.log(prefix: [UInt8](repeating: 0x61, count: 70000), level: .debug)
    batch.append(FilterRule([long]), to: "c", of: "t")
    #expect(batch.encoded(sequence: 1) == nil)
  }

  @Test("the drone's table is read back from its batch as it was written")
  func roundTrip() throws {
    var batch = FilterBatch()
    batch.replace(.drone)
    let bytes = try #require(batch.encoded(sequence: 1))
    var found = FilterTable(name: "")
    for message in try NetlinkMessage.list(in: bytes) {
      switch try FilterMessage(message) {
      case .table(let name): found = FilterTable(name: name)
      case .set(let set, "drone"): found.sets.append(set)
      case .elements(let elements, let set, "drone"):
        let index = try #require(found.sets.firstIndex { $0.name == set })
        found.sets[index].elements += elements
      case .helper(let helper, "drone"): found.helpers.append(helper)
      case .chain(let chain, "drone"): found.chains.append(chain)
      case .rule(let rule, let chain, "drone"):
        let index = try #require(found.chains.firstIndex { $0.name == chain })
        found.chains[index].rules.append(rule)
      default: break
      }
    }
    #expect(found == .drone)
  }

  @Test("the drone's table drops by default in every direction and ends each chain with a line in the log")
  func drone() {
    let chains = FilterTable.drone.chains.filter { $0.base != nil }
    #expect(chains.map(\.base?.hook) == [.input, .output, .forward])
    #expect(chains.allSatisfy { $0.base?.policy == .drop })
    for chain in chains {
      guard case .log = chain.rules.last?.expressions.last else {
        Issue.record("\(chain.name) drops in silence")
        continue
      }
    }
  }
}
