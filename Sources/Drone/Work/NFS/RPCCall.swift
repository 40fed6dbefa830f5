import Bytes

/// The two programs that are served (RFC 1813 §3 and §5), each in version 3 alone.
public enum RPCProgram {
  public static let nfs: UInt32 = 100_003
  public static let mount: UInt32 = 100_005
  public static let version: UInt32 = 3
}

/// Why a record is no call that can be carried out.
public enum RPCRefusal: Error, Equatable, Sendable {
  /// No call at all: nothing can be answered, and the connection is of no use.
  case notRPC
  /// Answered with this, a marked record.
  case denied(reply: [UInt8])
}

/// A remote procedure call (RFC 5531 §9). Who the caller says to be is not looked at: the secret is what counts.
public struct RPCCall: Sendable {
  /// The caller's number of the call, in its reply again.
  public let xid: UInt32
  public let program: UInt32
  public let version: UInt32
  public let procedure: UInt32
  public let arguments: ArraySlice<UInt8>

  /// RFC 5531 §8.2.
  private static let longestCredential: UInt32 = 400

  /// - Parameter record: as `RecordReader` gives it, without marks.
  public init(_ record: [UInt8]) throws(RPCRefusal) {
    var reader = XDRReader(record)
    guard let xid = try? reader.uint32(), let kind = try? reader.uint32(), kind == 0 else { throw .notRPC }
    self.xid = xid
    guard let rpc = try? reader.uint32() else { throw .denied(reply: RPCReply.garbage(xid)) }
    guard rpc == 2 else { throw .denied(reply: RPCReply.otherRPC(xid)) }
    do throws(ReadingError) {
      program = try reader.uint32()
      version = try reader.uint32()
      procedure = try reader.uint32()
      for _ in ["credential", "verifier"] as [StaticString] {
        _ = try reader.uint32()
        _ = try reader.opaque(upTo: RPCCall.longestCredential)
      }
    } catch {
      if case .value = error { throw .denied(reply: RPCReply.badCredential(xid)) }
      throw .denied(reply: RPCReply.garbage(xid))
    }
    arguments = reader.remaining
  }

  /// Whether it is a NULL call of a program that is served, which every server answers to everybody (RFC 1813 §3.3.0).
  public var isNull: Bool {
    procedure == 0 && version == RPCProgram.version && (program == RPCProgram.nfs || program == RPCProgram.mount)
  }

  /// The answer to a NULL call, a marked record.
  public var nullReply: [UInt8] { ReplyWriter(xid).record }

  /// Whether no server has such a procedure; the answer then.
  public var refusal: [UInt8]? {
    guard program == RPCProgram.nfs || program == RPCProgram.mount else { return RPCReply.accepted(xid, status: 1) }
    guard version == RPCProgram.version else {
      return RPCReply.accepted(xid, status: 2, RPCProgram.version, RPCProgram.version)
    }
    let last: UInt32 = program == RPCProgram.nfs ? 21 : 5
    return procedure > last ? RPCReply.accepted(xid, status: 3) : nil
  }

  /// What the arguments ask for.
  public func request() throws(RPCRefusal) -> ServedRequest {
    if let refusal { throw .denied(reply: refusal) }
    do throws(ReadingError) {
      return program == RPCProgram.nfs
        ? .nfs(try NFSRequest(procedure, arguments)) : .mount(try MountRequest(procedure, arguments))
    } catch {
      throw .denied(reply: RPCReply.garbage(xid))
    }
  }
}

/// A call of one of the two programs.
public enum ServedRequest: Equatable, Sendable {
  case mount(MountRequest)
  case nfs(NFSRequest)
}

/// Replies that say only that there is no result, as marked records (RFC 5531 §9).
enum RPCReply {
  /// The call was understood as such; `status` is an accept_stat.
  static func accepted(_ xid: UInt32, status: UInt32, _ more: UInt32...) -> [UInt8] {
    var writer = ReplyWriter(xid, status: status)
    for number in more { writer.bytes.append(networkOrder: number) }
    return writer.record
  }

  /// GARBAGE_ARGS.
  static func garbage(_ xid: UInt32) -> [UInt8] { accepted(xid, status: 4) }

  /// RPC_MISMATCH: version 2 alone.
  static func otherRPC(_ xid: UInt32) -> [UInt8] { denied(xid, 0, 2, 2) }

  /// AUTH_ERROR with AUTH_BADCRED.
  static func badCredential(_ xid: UInt32) -> [UInt8] { denied(xid, 1, 1) }

  private static func denied(_ xid: UInt32, _ numbers: UInt32...) -> [UInt8] {
    var out: [UInt8] = []
    for number in [xid, 1, 1] + numbers { out.append(networkOrder: number) }
    return record(of: out)
  }
}

/// A reply that is being written: it begins with room for its mark and an accepted call's head.
struct ReplyWriter {
  var bytes: [UInt8] = []

  init(_ xid: UInt32, status: UInt32 = 0, capacity: Int = 256) {
    bytes.reserveCapacity(capacity)
    // The mark; the reply's xid; REPLY; MSG_ACCEPTED; a verifier of flavour AUTH_NONE without bytes; accept_stat.
    for number in [0, xid, 1, 0, 0, 0, status] { bytes.append(networkOrder: number) }
  }

  /// What was written, marked.
  var record: [UInt8] {
    var out = bytes
    let mark = recordMark(out.count - 4)
    for place in 0..<4 { out[place] = UInt8(truncatingIfNeeded: mark >> UInt32(24 - 8 * place)) }
    return out
  }
}
