import Netlink

/// Numbers from a seed (splitmix64): a failing case is the same case tomorrow.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}

/// A message of a type with a fixed structure and attributes, as the kernel would send it.
func message(_ type: UInt16, _ structure: [UInt8], _ attributes: (inout MessageBody) -> Void = { _ in }) -> [UInt8] {
  var body = MessageBody(structure)
  attributes(&body)
  return NetlinkRequest(type: type, flags: [], body: body).encoded(sequence: 7)
}

/// What one message is in rtnetlink.
func routeMessage(_ bytes: [UInt8]) throws -> RouteMessage? {
  try NetlinkMessage.list(in: bytes).first.map(RouteMessage.init)
}
