import Addresses
import Tunnels

/// Every key and every SPI that was ever used. A key that protects two associations breaks its AEAD (RFC 5116 §3.1), and a
/// receiver with one SPI for two cannot tell packets apart (RFC 4301 §4.1).
struct KeyLedger {
  /// What a key is made from: the same secret and context give the same key.
  struct Material: Hashable {
    let secret: UInt64
    let context: KeyContext?
  }

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

  private var numbers: [Material: Int] = [:]
  /// By the numbers of the keys.
  private var keys: [Ends] = []
  private var spis: Set<SPIUse> = []

  /// The number of the key that is made from this, which no other key has.
  mutating func number(of material: Material) -> Int {
    if let number = numbers[material] { return number }
    numbers[material] = keys.count
    keys.append(Ends())
    return keys.count - 1
  }

  /// A machine installs an association. Gives what is wrong with that, each as the end of a sentence that begins with the
  /// machine.
  mutating func install(
    _ association: TunnelAssociation, _ key: Int, by machine: Int, own: IPv4Address
  ) -> [String] {
    var faults: [String] = []
    var ends = keys[key]
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
