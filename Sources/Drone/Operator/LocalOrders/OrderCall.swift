import Addresses
import MachineReadings
import TydCommand

/// What the driver of `OrderCall` has to do, in this order.
public enum OrderCommand: Equatable, Sendable {
  /// Nothing that still comes counts; end the connection when what was answered has gone.
  case end
  case answer(OrderAnswer)
  /// Answer with this text.
  case show(OrderCall.View)
  /// Ask every member for its processes and call `postpone`, and `finish` when that is over. If too many do so already, answer
  /// `tooManySurveys`.
  case survey(ProcessOrder, most: UInt8)
  /// Change the membership, or whom this node admits, and answer with what came of it.
  case remove(UInt16)
  case allow(UInt16)
  case approve([UInt8])
  case openWindow(minutes: UInt16)
  /// Demand nothing any longer of an address that a member had, and answer with what came of it.
  case release(IPv4Address)
  /// Answer, and end the program after this many milliseconds; `isFarewell`: announce the leave to the others first.
  case leave(after: UInt64, isFarewell: Bool, OrderAnswer)
}

/// A connection over the local socket from a program of this machine that gives an order: the bytes so far, the deadline, and
/// what the order asks of the node. It holds no socket and no clock.
///
/// Whoever drives it calls `receive` with what came and `step` when `nextDue` has come, and performs the commands that these give.
public struct OrderCall: Sendable {
  public enum View: Equatable, Sendable {
    case status(json: Bool)
    case table
    case standing
    case pending
  }

  /// This node, as far as it matters to an order.
  public struct Host: Sendable {
    public let id: UInt16
    /// It holds the key of the cluster's authority.
    public let canCertify: Bool

    public init(id: UInt16, canCertify: Bool) {
      self.id = id
      self.canCertify = canCertify
    }
  }

  /// More programs wait until one of these is done.
  public static let most = 16
  /// For the order and for its answer, in milliseconds.
  static let patience: UInt64 = 5000
  /// Farewells go out before their tunnels are taken down.
  static let farewell: UInt64 = 300
  static let longestLine = 512

  private enum Stage { case reading, waiting, answered, over }

  private var stage = Stage.reading
  private var line: [UInt8] = []
  /// When `step` is due, in milliseconds: it is ended then, whatever happens.
  public private(set) var nextDue: UInt64

  /// Nil for a program that may give no order: all of them, the status too, are root's alone.
  public init?(user: UInt32, at now: UInt64) {
    guard user == 0 else { return nil }
    nextDue = now &+ OrderCall.patience
  }

  /// Ends it if its time is over.
  public mutating func step(at now: UInt64) -> [OrderCommand] { nextDue <= now ? end() : [] }

  /// Bytes came, or none: the program has closed its end.
  public mutating func receive(_ part: [UInt8], _ host: Host) -> [OrderCommand] {
    switch stage {
    case .reading: break
    // A program that goes away does not want its answer any longer; one that goes on talking has had its word.
    case .waiting: return part.isEmpty ? end() : []
    case .answered, .over: return end()
    }
    guard !part.isEmpty else { return end() }
    line += part
    guard let end = line.firstIndex(of: UInt8(ascii: "\n")), end <= OrderCall.longestLine else {
      return line.count > OrderCall.longestLine ? self.end() : []
    }
    guard let order = TydCommand.Order(line: [UInt8](line[..<end])) else { return [.answer(.unknown)] + self.end() }
    let command = command(for: order, host)
    // Whoever ends the node waits until it has ended: that is when the socket does.
    switch command {
    case .leave: stage = .answered
    case .survey: stage = .waiting
    default: return [command] + self.end()
    }
    return [command]
  }

  private mutating func end() -> [OrderCommand] {
    guard stage != .over else { return [] }
    stage = .over
    nextDue = .max
    return [.end]
  }

  private func command(for order: TydCommand.Order, _ host: Host) -> OrderCommand {
    switch order {
    case .status(let json): return .show(.status(json: json))
    case .table: return .show(.table)
    case .standing: return .show(.standing)
    case .pending: return .show(.pending)
    case .processes(let ranking, let most): return .survey(ranking, most: most)
    case .remove(let id): return id == host.id ? .answer(.itself) : .remove(id)
    case .allow(let id): return .allow(id)
    case .release(let address): return .release(address)
    case .approve(let digits): return host.canCertify ? .approve(digits) : .answer(.cannotCertify)
    case .approveWindow(let minutes): return host.canCertify ? .openWindow(minutes: minutes) : .answer(.cannotCertify)
    case .stop: return .leave(after: 0, isFarewell: false, .done([]))
    case .leave: return .leave(after: OrderCall.farewell, isFarewell: true, .left)
    }
  }

  // MARK: Surveys

  /// The answer comes later.
  public mutating func postpone(until deadline: UInt64) { nextDue = deadline }

  /// The answer has been given.
  public mutating func finish() -> [OrderCommand] { end() }
}
