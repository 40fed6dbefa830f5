import Testing

@testable import Target

@Suite struct DroneTargetTests {
  @Test("a target is found by its name, and by nothing else")
  func names() {
    #expect(DroneTarget.all.map { DroneTarget(named: $0.name)?.name } == ["i586", "x86_64"])
    for name in ["", "i386", "I586", "i586 "] { #expect(DroneTarget(named: name) == nil) }
  }

  @Test("there are images for every target, and a kernel of Debian's for those of 64 bits")
  func images() {
    for target in DroneTarget.all { #expect((target.image?.kernelPackage != nil) == (target.elfClass == 2)) }
  }

  @Test("the emulator has the memory in which an image must boot", arguments: DroneTarget.all.indices)
  func memory(_ index: Int) {
    let target = DroneTarget.all[index]
    #expect(target.emulator.memory == target.image?.smallestMemory ?? target.emulator.memory)
  }

  @Test("a kernel of 64 bits is asked for where programs have 64 bits", arguments: DroneTarget.all.indices)
  func kernel(_ index: Int) {
    let target = DroneTarget.all[index]
    if let image = target.image { #expect(image.kernel.is64Bit == (target.elfClass == 2)) }
  }

  @Test("a target with images has a process 1, and every target has tyd", arguments: DroneTarget.all.indices)
  func programs(_ index: Int) {
    let target = DroneTarget.all[index]
    #expect(target.programs.contains(.tyd))
    #expect(target.programs.contains(.processOne) == (target.image != nil))
  }

  @Test("an image whose kernel nobody signed has GRUB alone, and is known by the files of its EFI partition")
  func unsigned() throws {
    let wide = ImageTarget.x86_64.unsigned
    #expect(wide.name == "x86_64" && wide.budget == 9_000_000 && ImageTarget.i586.unsigned.budget == 5_800_000)
    let places = GRUB.unsigned.parts.map(\.place)
    #expect(places == ["/EFI/BOOT/BOOTX64.EFI", "/EFI/BOOT/BOOTIA32.EFI"])
    func isUnsigned(_ partition: [String]?) throws -> Bool {
      try #require(ImageTarget(named: "x86_64", partition: partition)).budget == 9_000_000
    }
    #expect(try isUnsigned(["/BOOT/GRUB/GRUB.CFG"] + places))
    #expect(try !isUnsigned(GRUB.debian.parts.map(\.place)))
    #expect(try !isUnsigned(nil))
    #expect(ImageTarget(named: "arm", partition: nil) == nil)
  }
}
