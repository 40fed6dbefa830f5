import Addresses
import Tunnels

/// Every key and every SPI that was ever used. A key that protects two associations breaks its AEAD (RFC 5116 §3.1), and a
/// receiver with one SPI for two cannot tell packets apart (RFC 4301 §4.1).
struct KeyLedger {
  /// The machines at the ends of the one association that a key may protect.
  private struct Ends {
    var sender: Int?
    var receiver: Int?
  }

  private struct SPIUse: Hashable {
    let receiver: UInt32
    let spi: UInt32
    let holder: Int
  }

  private var keys: [Kernel.Key: Ends] = [:]
  private var spis: Set<SPIUse> = []

  /// A machine installs an association. Gives what is wrong with that, each as the end of a sentence that begins with the
  /// machine.
  mutating func install(
    _ association: TunnelAssociation, _ key: Kernel.Key, by machine: Int, own: IPv4Address
  ) -> [String] {
    var faults: [String] = []
    var ends = keys[key] ?? Ends()
    switch association.direction {
    case .inbound:
      if ends.receiver != nil || ends.sender == machine { faults.append("installs a key for the second time") }
      ends.receiver = machine
    case .outbound:
      if ends.sender != nil || ends.receiver == machine { faults.append("installs a key for the second time") }
      ends.sender = machine
    }
    keys[key] = ends
    let receiver = association.direction == .inbound ? own : association.peer
    if !spis.insert(SPIUse(receiver: receiver.bits, spi: association.spi, holder: machine)).inserted {
      faults.append("uses the SPI \(association.spi) for the second time")
    }
    return faults
  }
}
