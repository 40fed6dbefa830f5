import Netlink

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
