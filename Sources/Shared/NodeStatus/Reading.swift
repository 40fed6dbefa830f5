import Addresses
import Bytes

/// Why a line is no node's status.
public enum NodeStatusError: Error, Equatable, Sendable {
  /// From this byte on, counted from 0, it is not what a status has there.
  case unreadable(at: Int)
  /// It lacks what every status has.
  case incomplete

  /// A sentence.
  public var text: [UInt8] {
    switch self {
    case .unreadable(let place):
      var out = [UInt8]("This is no node's status from byte ")
      appendDecimal(UInt64(clamping: place), to: &out)
      return out + [UInt8](" on.")
    case .incomplete: return [UInt8]("This status of a node lacks its id, its address, its state or the nodes.")
    }
  }
}

extension NodeStatus {
  /// Reads what `json` writes; members that it does not know are passed over, and white space may stand between words.
  public init(json bytes: [UInt8]) throws(NodeStatusError) {
    var reader = JSONReader(bytes)
    var id: UInt16?
    var address: IPv4Address?
    var standing: Standing?
    var nodes: [Node]?
    var status = NodeStatus(id: 0, address: .unspecified, standing: .alone)
    try reader.object { (reader, name) throws(NodeStatusError) in
      if name.spells("node") {
        id = try reader.id()
      } else if name.spells("address") {
        address = try reader.address()
      } else if name.spells("state") {
        standing = try reader.word(of: Standing.allCases) { $0.word }
      } else if name.spells("waits") {
        status.obstacle = try reader.string()
      } else if name.spells("cluster") {
        status.cluster = try reader.octets()
      } else if name.spells("fingerprint") {
        status.fingerprint = try reader.octets()
      } else if name.spells("canApprove") {
        status.mayApprove = try reader.flag()
      } else if name.spells("encrypted") {
        status.isEncrypted = try reader.flag()
      } else if name.spells("nodes") {
        nodes = try reader.array { (reader) throws(NodeStatusError) in try Node(&reader) }
      } else if name.spells("tunnels") {
        status.tunnels = try reader.array { (reader) throws(NodeStatusError) in try Tunnel(&reader) }
      } else if name.spells("refused") {
        status.refused = []
        try reader.object { (reader, name) throws(NodeStatusError) in
          status.refused.append(Counter(name: name, count: try reader.number()))
        }
      } else if name.spells("refusedPackets") {
        status.refusedPackets = try RefusedPackets(&reader)
      } else if name.spells("deaths") {
        status.deaths = UInt32(clamping: try reader.number())
      } else if name.spells("short") {
        status.shortages = try reader.array { (reader) throws(NodeStatusError) in try reader.string() }
      } else if name.spells("kept") {
        status.kept = try reader.array { (reader) throws(NodeStatusError) in try KeptAddress(&reader) }
      } else if name.spells("beside") {
        status.besideServer = try reader.address()
      } else if name.spells("boots") {
        status.boots = try reader.array { (reader) throws(NodeStatusError) in try Boot(&reader) }
      } else {
        try reader.skip()
      }
    }
    try reader.end()
    guard let id, let address, let standing, let nodes else { throw .incomplete }
    (status.id, status.address, status.standing, status.nodes) = (id, address, standing, nodes)
    self = status
  }
}

extension NodeStatus.Node {
  fileprivate init(_ reader: inout JSONReader) throws(NodeStatusError) {
    self.init(id: 0, address: .unspecified, state: .dead)
    var isComplete = (id: false, state: false)
    try reader.object { (reader, name) throws(NodeStatusError) in
      if name.spells("id") {
        id = try reader.id()
        isComplete.id = true
      } else if name.spells("address") {
        address = try reader.address()
      } else if name.spells("state") {
        state = try reader.word(of: NodeStatus.State.allCases) { $0.word }
        isComplete.state = true
      } else if name.spells("fingerprint") {
        fingerprint = try reader.octets()
      } else if name.spells("canApprove") {
        mayApprove = try reader.flag()
      } else {
        try reader.skip()
      }
    }
    guard isComplete.id, isComplete.state else { throw .incomplete }
  }
}

extension NodeStatus.Tunnel {
  fileprivate init(_ reader: inout JSONReader) throws(NodeStatusError) {
    self.init(address: .unspecified, inboundSPI: 0, outboundSPI: 0, rekeys: 0)
    try reader.object { (reader, name) throws(NodeStatusError) in
      if name.spells("address") {
        address = try reader.address()
      } else if name.spells("spiIn") {
        inboundSPI = try reader.number32(digits: 8)
      } else if name.spells("spiOut") {
        outboundSPI = try reader.number32(digits: 8)
      } else if name.spells("rekeys") {
        rekeys = try reader.number()
      } else {
        try reader.skip()
      }
    }
  }
}

extension NodeStatus.RefusedPackets {
  fileprivate init(_ reader: inout JSONReader) throws(NodeStatusError) {
    self.init(late: 0, replayed: 0, unproven: 0)
    try reader.object { (reader, name) throws(NodeStatusError) in
      if name.spells("late") {
        late = try reader.number()
      } else if name.spells("replayed") {
        replayed = try reader.number()
      } else if name.spells("unproven") {
        unproven = try reader.number()
      } else {
        try reader.skip()
      }
    }
  }
}

extension NodeStatus.KeptAddress {
  fileprivate init(_ reader: inout JSONReader) throws(NodeStatusError) {
    self.init(address: .unspecified, seconds: 0)
    try reader.object { (reader, name) throws(NodeStatusError) in
      if name.spells("address") {
        address = try reader.address()
      } else if name.spells("seconds") {
        seconds = try reader.number()
      } else {
        try reader.skip()
      }
    }
  }
}

extension NodeStatus.Boot {
  fileprivate init(_ reader: inout JSONReader) throws(NodeStatusError) {
    self.init(hardware: .zero, address: .unspecified, file: [], percent: 0, completed: 0)
    try reader.object { (reader, name) throws(NodeStatusError) in
      if name.spells("mac") {
        hardware = try reader.hardware()
      } else if name.spells("address") {
        address = try reader.address()
      } else if name.spells("file") {
        file = try reader.string()
      } else if name.spells("percent") {
        percent = try reader.number()
      } else if name.spells("completed") {
        completed = try reader.number()
      } else {
        try reader.skip()
      }
    }
  }
}
