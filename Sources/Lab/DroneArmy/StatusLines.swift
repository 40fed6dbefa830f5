import Addresses
import NodeStatus

extension NodeStatus {
  /// Nil for a line that is no status.
  init?(line: [UInt8]) {
    guard let status = try? NodeStatus(json: line) else { return nil }
    self = status
  }

  func node(at address: IPv4Address) -> Node? {
    // A node that is back under another identity stands beside the one that is gone.
    nodes.first { $0.address == address && $0.state == .alive } ?? nodes.first { $0.address == address }
  }
}

/// Lines out of a stream, without the terminal's carriage returns. What grows longer than any line is thrown away.
struct LineReader {
  private var unfinished: [UInt8] = []
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  mutating func read(_ piece: [UInt8]) -> [[UInt8]] {
    var lines: [[UInt8]] = []
    for byte in piece {
      switch byte {
      case 10:
        lines.append(unfinished)
        unfinished = []
      case 13: continue
      default:
        unfinished.append(byte)
        if unfinished.count > limit { unfinished = [] }
      }
    }
    return lines
  }
}
