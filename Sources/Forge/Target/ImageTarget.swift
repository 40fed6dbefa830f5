/// The computers that an image is for: one kind, or several beside each other on one medium.
public struct ImageTarget: Sendable {
  /// Short name, used in the names of outputs and in bills: `any`.
  public let name: String
  /// The first one's kernel and root lie where the boot line of 2003 has them.
  public let drones: [DroneTarget]
  /// The ways in which a medium boots, in the order of the boot catalogue.
  public let bootWays: [BootWay]
  /// Bytes that an image may have.
  public let budget: Int

  /// Every PC: a BIOS starts the drone for its processor, UEFI the one of 64 bits.
  public static let any = ImageTarget(
    name: "any", drones: [.i586, .x86_64], bootWays: [.bios(.debian), .uefi(.debian)], budget: 32_000_000)

  /// PCs with a BIOS, from the Pentium on.
  public static let i586 = ImageTarget(
    name: "i586", drones: [.i586], bootWays: [.bios(.debian)], budget: 5_800_000)

  /// PCs of 64 bits, whatever their firmware.
  public static let x86_64 = ImageTarget(
    name: "x86_64", drones: [.x86_64], bootWays: [.bios(.debian), .uefi(.debian)], budget: 28_000_000)

  /// Every one, in the order of a help text.
  public static let all = [any, i586, x86_64]
  /// What an image is for when nobody names a target.
  public static let standard = any

  /// The same with a kernel that nobody signed: loaders that Secure Boot would let in are of no use to it, and are most of a
  /// small image.
  public var unsigned: ImageTarget {
    ImageTarget(
      name: name, drones: drones,
      bootWays: bootWays.map { way in
        if case .uefi = way { .uefi(.unsigned) } else { way }
      }, budget: min(budget, 9_000_000))
  }

  /// What UEFI starts: it hands a kernel of 32 bits to no computer of 64.
  public var wide: DroneTarget? { drones.first { $0.image?.kernel.is64Bit == true } }
}

extension ImageTarget {
  /// The target of that name.
  public init?(named name: String) {
    guard let target = Self.all.first(where: { $0.name == name }) else { return nil }
    self = target
  }

  /// The one of that name, as an image with these files in its EFI partition boots.
  public init?(named name: String, partition: [String]?) {
    guard let target = Self(named: name) else { return nil }
    let isUnsigned = partition.map { files in !GRUB.debian.parts.allSatisfy { files.contains($0.place) } } ?? false
    self = isUnsigned ? target.unsigned : target
  }
}
