import Addresses
import Netlink
import TestSupport
import Testing

/// Damaged messages of XFRM, in both layouts.
@Suite struct TransformFuzzTests {
  /// What requests of all kinds look like, and so what the kernel's messages look like; behind them an ACQUIRE and an EXPIRE.
  private static let samples: [[UInt8]] = {
    let own = InternetAddress.ipv4(IPv4Address(10, 0, 0, 1))
    let peer = InternetAddress.ipv4(IPv4Address(10, 0, 0, 2))
    guard let key = AEADKey(.aesGCM16, material: [UInt8](repeating: 7, count: 20)) else { return [] }
    let association = SecurityAssociation(source: own, destination: peer, spi: 0x1000, key: key)
    let policy = TransformPolicy.require(.outbound, from: own, to: peer)
    var samples: [NetlinkRequest] = []
    for layout in [TransformLayout.i386, .x86_64] {
      let add = NetlinkRequest.add(association, layout: layout)
      let set = NetlinkRequest.set(policy, layout: layout)
      var removal = NetlinkRequest.remove(policy)
      removal.body.attribute(7, Array(set.body.bytes.dropLast(68)))
      let name = Array(add.body.bytes[56..<80] + add.body.bytes[80..<96])
      let acquire = name + set.body.bytes.prefix(56) + set.body.bytes.dropLast(68) + [UInt8](repeating: 9, count: 16)
      let expire = add.body.bytes.dropLast(140) + [1, 0, 0, 0, 0, 0, 0, 0]
      samples += [
        add, set, removal, .remove(association.name),
        NetlinkRequest(type: 0x17, flags: [], body: MessageBody(acquire + set.body.bytes.suffix(68))),
        NetlinkRequest(type: 0x18, flags: [], body: MessageBody(Array(expire))),
      ]
    }
    return samples.map { $0.encoded(sequence: 1) }
  }()

  @Test("any message is read or refused, and what was read can be written")
  func everyMessage() {
    var kinds: Set<UInt8> = []
    let fault = Fuzzing.configured.firstFault { generator in
      let sample = Self.samples.randomElement(using: &generator) ?? []
      let datagram = UInt8.random(in: 0..<8, using: &generator) == 0 ? sample : sample.damaged(&generator)
      guard let messages = try? NetlinkMessage.list(in: datagram) else { return nil }
      for message in messages {
        for layout in [TransformLayout.i386, .x86_64] {
          guard let read = try? TransformMessage(message, layout: layout) else { continue }
          kinds.insert(UInt8(truncatingIfNeeded: message.type))
          if let fault = self.fault(in: read, layout) { return "\(fault) for \(datagram)" }
        }
      }
      return nil
    }
    #expect(fault == nil)
    #expect(Fuzzing.configured.cases < 1000 || kinds.isSuperset(of: [0x10, 0x11, 0x14, 0x17, 0x18, 0x19]))
  }

  private func fault(in message: TransformMessage, _ layout: TransformLayout) -> String? {
    switch message {
    case .policy(let policy):
      let request = NetlinkRequest.set(policy, layout: layout)
      guard !request.body.overflowed else { return nil }
      guard
        let written = try? NetlinkMessage.list(in: request.encoded(sequence: 1)).first,
        let again = try? TransformMessage(written, layout: layout)
      else { return "a policy that cannot be read again" }
      return again == message ? nil : "\(message) became \(again)"
    case .acquire(let acquire):
      let bytes = NetlinkRequest.allocateSPI(for: acquire, in: 256...4096, layout: layout).body.bytes
      return bytes.count % 4 == 0 ? nil : "a request of \(bytes.count) bytes"
    case .association(let status), .expired(let status, _):
      return NetlinkRequest.get(status.name).body.bytes.count == 24 ? nil : "a name of a wrong size"
    default: return nil
    }
  }
}
