import Addresses

/// Asking for an address on one card, by BOOTP or RARP, until somebody answers. It has neither socket nor clock: frames and
/// the time are handed in.
///
/// The first question is asked at once, then after 1, 2, 4, 8 and every 16 seconds, each up to a quarter longer by chance so
/// that a room of machines switched on together does not stay in step (RFC 951 §7.2).
public struct AddressInquiry: Sendable {
  public enum Method: Sendable {
    case bootp
    case rarp
  }

  public let method: Method
  public let hardware: MACAddress
  private let transaction: UInt32
  private let start: UInt64
  private var interval: UInt64 = 1000
  /// When the next question is due, on the clock of `start`.
  public private(set) var nextDue: UInt64

  private static let longestInterval: UInt64 = 16_000

  /// For RARP: only this server's answers count; nil for any.
  private let server: IPv4Address?

  /// `transaction`: random. `start`: milliseconds of a clock that never goes back.
  public init(
    _ method: Method, hardware: MACAddress, transaction: UInt32, start: UInt64, server: IPv4Address? = nil
  ) {
    self.server = server
    self.method = method
    self.hardware = hardware
    self.transaction = transaction
    self.start = start
    nextDue = start
  }

  /// The frame to send if one is due. `random`: any number, for the next interval's length.
  public mutating func step(at now: UInt64, random: UInt32) -> [UInt8]? {
    guard now >= nextDue else { return nil }
    nextDue = now &+ interval &+ UInt64(random) % (interval / 4)
    interval = min(interval * 2, AddressInquiry.longestInterval)
    switch method {
    case .rarp:
      return ARPPacket.reverseRequest(by: hardware).broadcastFrame.bytes
    case .bootp:
      var message = BOOTPMessage(operation: .request, transaction: transaction, clientHardware: hardware)
      message.seconds = UInt16(min((now &- start) / 1000, UInt64(UInt16.max)))
      return message.broadcastFrame?.bytes
    }
  }

  /// Receives a frame; returns the answer in it, nil if it does not answer this inquiry.
  public func receive(_ bytes: [UInt8]) -> AddressConfiguration? {
    guard let frame = EthernetFrame(bytes) else { return nil }
    switch method {
    case .rarp:
      guard let packet = ARPPacket(frame: frame), packet.operation == .reverseReply,
        packet.targetHardware == hardware, server == nil || server == packet.sender,
        var result = AddressConfiguration(address: packet.target)
      else { return nil }
      result.server = packet.sender.isHostAddress ? packet.sender : nil
      return result
    case .bootp:
      guard let message = BOOTPMessage(frame: frame), message.transaction == transaction,
        message.clientHardware == hardware
      else { return nil }
      return message.configuration
    }
  }
}
