import Addressing
import BootLine
import Linux
import NetworkAddresses

/// BusyBox's udhcpc on one card. Its script, `lease`, sends every event here through the client's standard output.
final class DHCPClient {
  let card: Int32
  /// Which `ip=` word it works for.
  let assignment: Int
  let child: Child
  private let pipe: Pipe
  private var unread: [UInt8] = []

  init(card: Card, assignment: Int, request: InterfaceRequest, now: UInt64) throws(SystemError) {
    self.card = card.index
    self.assignment = assignment
    pipe = try Pipe()
    let output = pipe.output.number
    let arguments = DHCPClient.arguments(card.name, request)
    child = Child(now: now) {
      var program = Program("/bin/busybox", arguments: arguments, environment: standardEnvironment())
      program.environment.append([UInt8](leaseVariable) + [UInt8]("=1"))
      program.output = output
      return program
    }
  }

  /// `-t 4 -T 2 -A 10`: four questions two seconds apart, ten seconds of quiet, and again for as long as it takes. `-a`: the
  /// address offered is looked for on the wire first, and declined if somebody has it.
  private static func arguments(_ card: [UInt8], _ request: InterfaceRequest) -> [[UInt8]] {
    var arguments: [[UInt8]] = [
      [UInt8]("udhcpc"), [UInt8]("-f"), [UInt8]("-i"), card, [UInt8]("-s"), [UInt8]("/sbin/lease"),
      [UInt8]("-t"), [UInt8]("4"), [UInt8]("-T"), [UInt8]("2"), [UInt8]("-A"), [UInt8]("10"), [UInt8]("-a300"),
      [UInt8]("-O"), [UInt8]("ntpsrv"),
    ]
    if let name = request.hostname { arguments += [[UInt8]("-x"), [UInt8]("hostname:") + name] }
    if let identifier = request.clientIdentifier {
      let bytes = ([identifier.type] + identifier.identifier).flatMap { hexadecimalByte($0) }
      arguments += [[UInt8]("-x"), [UInt8]("0x3d:") + bytes]
    }
    return arguments
  }

  /// Readable when the script has sent something.
  var number: Int32 { pipe.input.number }

  /// The events that have come. Call it only when there is something to read.
  func events() -> [LeaseEvent] {
    guard let bytes = try? pipe.input.read(upTo: 4096) else { return [] }
    unread += bytes
    var events: [LeaseEvent] = []
    while let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
      if let event = LeaseEvent(record: unread[..<end]) { events.append(event) }
      unread.removeFirst(end + 1)
    }
    // The client's own words may come without an end of line; a record is shorter.
    if unread.count > 4096 { unread = [] }
    return events
  }
}
