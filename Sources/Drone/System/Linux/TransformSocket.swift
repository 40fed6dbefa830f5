import Bytes
import CLinux
import Netlink

extension TransformLayout {
  /// Of the kernel under this program.
  public static var native: TransformLayout { TransformLayout(longAlignment: Int(linux_long_alignment)) }
}

/// Sets how the kernel treats packets that wait for keys: it holds the first instead of dropping all, and a question for
/// keys stands for this many seconds before it is repeated.
public func setKeyWaiting(seconds: UInt32) throws(SystemError) {
  try writeFile("/proc/sys/net/core/xfrm_larval_drop", [UInt8]("0"))
  var text: [UInt8] = []
  appendDecimal(UInt64(seconds), to: &text)
  try writeFile("/proc/sys/net/core/xfrm_acq_expires", text)
}

extension NetlinkSocket {
  /// All security associations of the kernel, those that wait for keys included.
  public mutating func associations() throws(NetlinkSocketError) -> [AssociationStatus] {
    var found: [AssociationStatus] = []
    for case .association(let status) in try transformMessages(list(.listAssociations)) { found.append(status) }
    return found
  }

  /// One association as it is now. Refused with ESRCH if there is none.
  public mutating func association(_ name: SecurityAssociationName) throws(NetlinkSocketError) -> AssociationStatus? {
    for case .association(let status) in try transformMessages(ask(.get(name))) { return status }
    return nil
  }

  /// All policies of the kernel, those of sockets included.
  public mutating func policies() throws(NetlinkSocketError) -> [TransformPolicy] {
    var found: [TransformPolicy] = []
    for case .policy(let policy) in try transformMessages(list(.listPolicies)) { found.append(policy) }
    return found
  }

  /// Removes the larval association of an ACQUIRE: its packets are dropped, and the next one causes another ACQUIRE.
  /// Refused with ENOENT or ESRCH if an association or its time has ended it already.
  public mutating func abandon(_ acquire: AcquireRequest) throws(NetlinkSocketError) {
    let request = NetlinkRequest.allocateSPI(for: acquire, in: 0x100...UInt32.max, layout: .native)
    for case .association(let status) in try transformMessages(ask(request)) { try perform(.remove(status.name)) }
  }

  /// Events of associations and policies. Waits for at most this many milliseconds.
  public func transformEvents(within milliseconds: Int) throws(NetlinkSocketError) -> [TransformMessage] {
    try transformMessages(try events(within: milliseconds))
  }

  /// The same for all that has come, as `takeEvents`.
  public func takeTransformEvents(_ body: (TransformMessage) -> Void) -> Bool {
    takeAll({ () throws(NetlinkSocketError) in try transformEvents(within: 0) }, body)
  }

  private func transformMessages(_ messages: [NetlinkMessage]) throws(NetlinkSocketError) -> [TransformMessage] {
    var found: [TransformMessage] = []
    do {
      for message in messages { found.append(try TransformMessage(message, layout: .native)) }
    } catch {
      throw .unreadable(error)
    }
    return found
  }
}
