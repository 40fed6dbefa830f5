import SystemPackage

/// What a computer runs when it is switched on, and the board that this is for.
public enum Firmware: String, Sendable, CaseIterable {
  /// A PC's BIOS (SeaBIOS) on a board of 1996: IDE, USB 2.0.
  case bios
  /// UEFI of 64 bits without Secure Boot, on a board of 2009: AHCI, USB 3.
  case uefi
  /// UEFI of 32 bits before a processor of 64, as small PCs of the years to 2015 have it.
  case uefi32
  /// UEFI of 64 bits that starts only what is signed with Microsoft's keys.
  case secureBoot = "secureboot"
  /// The same with one key alone, which is no secret: Debian's packages of firmware have it for tests.
  case ownKey = "ownkey"

  /// The two chips of a UEFI: QEMU takes a file for each.
  public struct Flash: Sendable {
    public let code: FilePath
    /// What the firmware stores, Secure Boot's keys among it, as it leaves the factory. Each machine has a copy that goes with it.
    public let variables: FilePath
    /// Debian's package with both.
    public let package: String
    /// Whether only the firmware's own mode of the processor may write (System Management Mode).
    let isGuarded: Bool
  }

  /// nil for the BIOS that QEMU brings with it.
  public var flash: Flash? {
    let folder: FilePath = "/usr/share/OVMF"
    return switch self {
    case .bios: nil
    case .uefi:
      Flash(
        code: folder.appending("OVMF_CODE_4M.fd"), variables: folder.appending("OVMF_VARS_4M.fd"), package: "ovmf",
        isGuarded: false)
    case .uefi32:
      Flash(
        code: folder.appending("OVMF32_CODE_4M.secboot.fd"), variables: folder.appending("OVMF32_VARS_4M.fd"),
        package: "ovmf-ia32", isGuarded: true)
    case .secureBoot:
      Flash(
        code: folder.appending("OVMF_CODE_4M.ms.fd"), variables: folder.appending("OVMF_VARS_4M.ms.fd"),
        package: "ovmf", isGuarded: true)
    case .ownKey:
      Flash(
        code: folder.appending("OVMF_CODE_4M.snakeoil.fd"), variables: folder.appending("OVMF_VARS_4M.snakeoil.fd"),
        package: "ovmf", isGuarded: true)
    }
  }

  /// The key that `ownKey` knows, with a passphrase, and its certificate, both in PEM.
  public static let testKey: (key: FilePath, passphrase: String, certificate: FilePath) = (
    "/usr/share/ovmf/PkKek-1-snakeoil.key", "snakeoil", "/usr/share/ovmf/PkKek-1-snakeoil.pem"
  )

  public var isUEFI: Bool { flash != nil }

  /// MiB in which an image must boot; 0 for a BIOS, which leaves it all there is. With 256 Debian's GRUB has no memory for the
  /// kernel, with 288 the kernel finds no place to unpack itself; with 320 all goes well.
  public var smallestMemory: Int { isUEFI ? 384 : 0 }

  /// The emulator's arguments for board and chips.
  func arguments(for boot: MachineConfiguration.Boot) -> [String] {
    guard let flash else { return [] }
    var out = ["-machine", flash.isGuarded ? "q35,smm=on" : "q35"]
    if flash.isGuarded { out += ["-global", "driver=cfi.pflash01,property=secure,value=on"] }
    out += [
      "-drive", "if=pflash,unit=0,format=raw,readonly=on,file=\(escaped(flash.code))",
      // What is written goes to a temporary file of the emulator's.
      "-drive", "if=pflash,unit=1,format=raw,snapshot=on,file=\(escaped(flash.variables))",
    ]
    // It would try every card first.
    var others = ["6"]
    if case .network = boot {} else { others.append("4") }
    for version in others {
      out += ["-fw_cfg", "name=opt/org.tianocore/IPv\(version)PXESupport,string=n"]
    }
    return out
  }
}
