import DroneLayout
import Addressing
import BootLine
import Bytes
import Linux
import ProcessControl

/// BusyBox's udhcpc on one card. Its script, `lease`, sends every event here through the client's standard output.
final class DHCPClient {
  let card: Int32
  /// Which `ip=` word it works for.
  let assignment: Int
  let child: Child
  private let pipe: Pipe
  private var unread: [UInt8] = []
  /// A client begins every run by saying that there is no lease. When it had to be started again, its card keeps what it has.
  /// The run that has reported it.
  private var begunRun = 0

  init(card: Card, assignment: Int, request: InterfaceRequest, now: UInt64) throws(SystemError) {
    self.card = card.index
    self.assignment = assignment
    pipe = try Pipe()
    DHCPClient.endOrphan(card.name)
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
  /// address offered is looked for on the wire first, and declined if somebody has it. `-o -x 0x37:`: the client's own list of
  /// options stands in ascending order, and some servers give no routes then (RFC 3442 wants them asked for first).
  private static func arguments(_ card: [UInt8], _ request: InterfaceRequest) -> [[UInt8]] {
    var arguments: [[UInt8]] = [
      [UInt8]("udhcpc"), [UInt8]("-f"), [UInt8]("-i"), card, [UInt8]("-s"), [UInt8](InitProgram.lease.link ?? ""),
      [UInt8]("-t"), [UInt8]("4"), [UInt8]("-T"), [UInt8]("2"), [UInt8]("-A"), [UInt8]("10"), [UInt8]("-a300"),
      [UInt8]("-o"), [UInt8]("-x"), [UInt8]("0x37:") + hexadecimalText(LeaseEvent.askedOptions.map { $0.number }),
      [UInt8]("-p"), processFile(card).bytes,
    ]
    if let name = request.hostName { arguments += [[UInt8]("-x"), [UInt8]("hostname:") + name] }
    if let identifier = request.clientIdentifier {
      let bytes = hexadecimalText([identifier.type] + identifier.identifier)
      arguments += [[UInt8]("-x"), [UInt8]("0x3d:") + bytes]
    }
    return arguments
  }

  private static func processFile(_ card: [UInt8]) -> Path { NetworkState.folder / (card + [UInt8](".pid")) }

  /// Ends a client that an earlier run of this program left behind on the card, because nobody reads what it reports.
  private static func endOrphan(_ card: [UInt8]) {
    let digits = (NetworkState.read(processFile(card)) ?? []).prefix { $0 != UInt8(ascii: "\n") }
    guard let number = decimal(digits), let process = Int32(exactly: number), process > 1 else { return }
    let command = (try? readFile("/proc" / [UInt8](digits) / "cmdline", limit: 256)) ?? []
    if command.starts(with: [UInt8]("udhcpc")) { sendSignal(.terminate, to: process) }
  }

  /// Readable when the script has sent something.
  var number: Int32 { pipe.input.number }

  /// The events that have come. Call it only when there is something to read.
  func events() -> [LeaseEvent] {
    guard let bytes = try? pipe.input.read(upTo: 4096) else { return [] }
    unread += bytes
    var events: [LeaseEvent] = []
    while let line = unread.takeLine() {
      guard let event = LeaseEvent(record: line) else { continue }
      if event.kind == .deconfigured, begunRun != child.runs {
        begunRun = child.runs
      } else {
        events.append(event)
      }
    }
    // The client's own words may come without an end of line; a record is shorter.
    if unread.count > 4096 { unread = [] }
    return events
  }
}
