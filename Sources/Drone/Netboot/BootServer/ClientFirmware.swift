import Addressing
import Bytes
import DroneLayout

/// The firmware that asks, by what it says of itself in option 93 (RFC 4578 §2.1; the numbers are IANA's *Processor
/// Architecture Types*, RFC 5970 §3.3).
enum ClientFirmware: Equatable {
  /// 0, and whoever says nothing: a PC with a BIOS.
  case bios
  /// 7 and 9: UEFI of 64 bits on x86, by TFTP. IANA gave 7 to it after firmware had taken 9, so both are in use.
  case uefi
  /// 16: the same by HTTP (UEFI 2.10 §24.7).
  case uefiByHTTP
  /// Nothing that a drone runs on, or UEFI of 32 bits.
  case other(UInt16)

  init(_ question: BOOTPMessage) {
    guard let value = question.value(of: .architecture), value.count >= 2 else {
      self = .bios
      return
    }
    let number = UInt16(networkOrder: value[0..<2])
    switch number {
    case 0: self = .bios
    case 7, 9: self = .uefi
    case 16: self = .uefiByHTTP
    default: self = .other(number)
    }
  }

  /// The class that it knows its servers by (option 60).
  var bootClass: StaticString { self == .uefiByHTTP ? BOOTPMessage.httpClient : BOOTPMessage.bootROM }
}

extension BOOTPMessage {
  /// The class of boot ROMs and UEFI's PXE (RFC 4578 §2, PXE 2.1 §2.2.1).
  static var bootROM: StaticString { "PXEClient" }
  /// The class of firmware that boots by HTTP (UEFI 2.10 §24.7.3.1).
  static var httpClient: StaticString { "HTTPClient" }

  /// Whether firmware says this in order to boot.
  var isFromBootROM: Bool {
    let name = value(of: .vendorClass) ?? []
    return name.starts(with: [UInt8](BOOTPMessage.bootROM)) || name.starts(with: [UInt8](BOOTPMessage.httpClient))
  }
}

/// Which firmware a node has a boot file for. A PC with a BIOS always finds one.
public struct ServedFirmware: Equatable, Sendable {
  /// UEFI of 64 bits.
  public var uefi: Bool

  public init(uefi: Bool) { self.uefi = uefi }

  func serves(_ firmware: ClientFirmware) -> Bool {
    switch firmware {
    case .bios: true
    case .uefi, .uefiByHTTP: uefi
    case .other: false
    }
  }

  /// Counts a question that gets no file, and says whose it was.
  func miss(_ message: BOOTPMessage, in misses: inout Misses) -> [DHCPServer.Command] {
    var reason = [UInt8]("no boot file for firmware of architecture ")
    let architecture = UInt16(networkOrder: (message.value(of: .architecture) ?? []).prefix(2))
    appendDecimal(UInt64(architecture), to: &reason)
    return misses.add(message.clientHardware, reason + [UInt8](" (option 93) of "))
  }
}
