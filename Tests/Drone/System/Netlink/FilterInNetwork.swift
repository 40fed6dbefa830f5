import Addresses
import Linux
import Netlink
import PacketFilter
import TestSupport

/// Changes the packet filter of a network.
func perform(_ batch: FilterBatch, in network: NetworkThread) throws {
  try network.run {
    var socket = try NetlinkSocket(.netfilter)
    try socket.perform(batch)
  }
}

/// Whether a connection from a network to this place comes about.
func connects(
  _ network: NetworkThread, _ place: SocketAddress, from port: UInt16 = 0, within milliseconds: Int = 300
) throws -> Bool {
  try network.run {
    do {
      let client = try connectStream(to: place, fromPort: port)
      return waitReady([Interest(client.number, .writable)], milliseconds: milliseconds) == [.writable]
        && connectionFailure(client) == nil
    } catch let error as SystemError where error.number == 1 {
      return false
    }
  }
}

/// Sockets made on one thread and used on another, by one at a time.
final class Held: @unchecked Sendable {
  let descriptor: Descriptor
  init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
}

/// Without indentation, empty lines, and the way nft breaks long lists.
func lines(_ text: String) -> [String] {
  text.split(separator: "\n").map { $0.trimmingPrefix { $0 == " " || $0 == "\t" } }.map(String.init).filter {
    !$0.isEmpty
  }
}
