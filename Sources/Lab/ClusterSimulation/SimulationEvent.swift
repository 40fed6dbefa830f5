import Addresses
import ControlChannel

/// Something that is to happen in a simulated cluster.
enum SimulationEvent {
  case wake(Int)
  case packet(Packet)
  /// The kernel asks for keys.
  case question(Int, IPv4Address, boots: Int)
  /// A TCP connection reaches its other end; both ends have proved who they are; one cannot be made.
  case accept(UInt64)
  case met(UInt64)
  case unreachable(UInt64)
  /// For an end of a connection: a message, or nil for the end.
  case message(UInt64, end: Int, ControlMessage?)
  case address(Int, boots: Int)
  case keepMap(Int, boots: Int)
}

/// A packet in ESP.
struct Packet {
  let from: IPv4Address
  let to: Int
  let boots: Int
  let spi: UInt32
  /// By its number.
  let key: Int
  /// A datagram of the node's; of anybody else's nothing is looked at.
  let datagram: [UInt8]?
}
