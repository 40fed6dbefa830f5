import Addresses

extension NetlinkRequest {
  /// Gives the kernel a new association. Fails with EEXIST if it has one of this name, with ENOENT or EINVAL if it lacks
  /// the cipher or a value is wrong.
  public static func add(_ association: SecurityAssociation, layout: TransformLayout) -> NetlinkRequest {
    association.request(TransformType.newAssociation, .exclusive, layout)
  }

  /// Gives the kernel an association in the place of the one of its name that only has its index yet (see `allocateSPI`).
  /// Fails with ESRCH if there is none.
  public static func update(_ association: SecurityAssociation, layout: TransformLayout) -> NetlinkRequest {
    association.request(TransformType.updateAssociation, [], layout)
  }

  /// Removes an association. Fails with ESRCH if there is none.
  public static func remove(_ name: SecurityAssociationName) -> NetlinkRequest {
    NetlinkRequest(
      type: TransformType.deleteAssociation, flags: [.request, .acknowledge], body: MessageBody(name.bytes))
  }

  /// Asks for one association; it comes as a message that `TransformMessage` reads. Fails with ESRCH if there is none.
  public static func get(_ name: SecurityAssociationName) -> NetlinkRequest {
    NetlinkRequest(
      type: TransformType.getAssociation, flags: [.request, .acknowledge], body: MessageBody(name.bytes))
  }

  /// All associations, those that wait for keys included.
  public static var listAssociations: NetlinkRequest {
    NetlinkRequest(type: TransformType.getAssociation, flags: [.request, .dump], body: MessageBody())
  }

  /// Has the kernel choose a free index for the state that waits since an ACQUIRE, and name it in its answer (a message
  /// that `TransformMessage` reads).
  ///
  /// A waiting state has no index, and without one nothing can take it away before its time: this and then `remove` do, so
  /// that the next packet asks for keys again.
  /// - Parameter indices: where to choose from.
  public static func allocateSPI(
    for acquire: AcquireRequest, in indices: ClosedRange<UInt32>, layout: TransformLayout
  ) -> NetlinkRequest {
    let state = AssociationBytes(
      selector: .every(like: acquire.destination), destination: acquire.destination, spi: 0, source: acquire.source,
      soft: .none, hard: .none, sequence: acquire.sequence, requestID: acquire.requestID, flags: 0)
    // `struct xfrm_userspi_info`: the association, then the least and the greatest index. As many 32-bit numbers as fill
    // its alignment.
    let structure = state.encoded(layout) + indices.lowerBound.nativeBytes + indices.upperBound.nativeBytes
    return NetlinkRequest(
      type: TransformType.allocateSPI, flags: [.request, .acknowledge], body: MessageBody(structure))
  }
}

extension SecurityAssociation {
  fileprivate func request(_ type: UInt16, _ flags: MessageFlags, _ layout: TransformLayout) -> NetlinkRequest {
    // In transport mode the kernel compares a packet's addresses with nothing but this: with a wider selector a peer's keys would
    // carry packets in any other's name (`__xfrm_policy_check`).
    let state = AssociationBytes(
      selector: TransformSelector(from: source, to: destination), destination: destination, spi: spi, source: source,
      soft: softLimits, hard: hardLimits, sequence: acquireSequence, requestID: requestID,
      flags: extendedSequence ? SecurityAssociation.extendedFlag : 0)
    var body = MessageBody(state.encoded(layout))
    body.attribute(TransformAttribute.aead, key.bytes)
    body.attribute(TransformAttribute.extendedReplay, replayBytes)
    return NetlinkRequest(type: type, flags: flags.union([.request, .acknowledge]), body: body)
  }

  /// XFRM_STATE_ESN.
  static let extendedFlag: UInt8 = 0x80
  /// XFRMA_REPLAY_ESN_MAX, in bytes of the window's bits.
  private static let widestWindow: UInt32 = 4096

  /// `struct xfrm_replay_state_esn`: how many words the window takes, sequence numbers of both directions (low halves, then
  /// high), the window's width, and its bits, all clear.
  private var replayBytes: [UInt8] {
    let width = min(max(replayWindow, 1), SecurityAssociation.widestWindow)
    let words = (width + 31) / 32
    return words.nativeBytes + [UInt8](repeating: 0, count: 16) + width.nativeBytes
      + [UInt8](repeating: 0, count: Int(words) * 4)
  }
}

extension SecurityAssociationName {
  /// `struct xfrm_usersa_id`.
  fileprivate var bytes: [UInt8] {
    destination.transformBytes + spi.bigEndianBytes + destination.family.nativeBytes
      + [encapsulatingSecurityPayload, 0]
  }
}

/// `struct xfrm_usersa_info`, being written.
struct AssociationBytes {
  var selector: TransformSelector
  var destination: InternetAddress
  var spi: UInt32
  var source: InternetAddress
  var soft: LifetimeLimits
  var hard: LifetimeLimits
  var sequence: UInt32
  var requestID: UInt32
  var flags: UInt8

  func encoded(_ layout: TransformLayout) -> [UInt8] {
    var out = selector.bytes
    // `struct xfrm_id`, with three bytes of padding, and the source.
    out += destination.transformBytes + spi.bigEndianBytes + [encapsulatingSecurityPayload, 0, 0, 0]
    out += source.transformBytes
    out += lifetimeBytes(soft: soft, hard: hard)
    // What the kernel counts: the life so far, and failures.
    out += [UInt8](repeating: 0, count: 32 + 12)
    out += sequence.nativeBytes + requestID.nativeBytes + destination.family.nativeBytes
    out += [0, 0, flags]  // transport mode, the old replay window of at most 32
    return out + [UInt8](repeating: 0, count: layout.associationSize - out.count)
  }
}
