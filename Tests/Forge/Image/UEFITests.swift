import Foundation
import SystemPackage
import Target
import TestSupport
import Testing
import Workshop

@testable import Image

/// What a CD and a tree for the network hold for UEFI.
@Suite struct UEFITests {
  private func said(_ program: String, _ arguments: [String]) async throws -> String {
    String(decoding: try await Command(program, arguments).output(), as: UTF8.self)
  }

  private static let isolinux = checkout.appending("isolinux")

  private func labels(_ medium: Medium) throws -> BootLabels {
    let name = medium == .cd ? "isolinux.cfg" : "pxelinux.cfg"
    return try BootLabels(
      String(decoding: contents(of: Self.isolinux.appending(name)), as: UTF8.self), from: name,
      folder: medium == .cd ? nil : "/")
  }

  private func configuration(_ medium: Medium) throws -> GRUBConfiguration {
    GRUBConfiguration(
      medium: medium, labels: try labels(medium),
      screens: try (1...6).map { try contents(of: Self.isolinux.appending("f\($0).txt")) })
  }

  private func text(of path: String, on medium: Medium = .cd) throws -> String {
    let entry = try #require(try configuration(medium).entries.first { $0.path == path })
    guard case .file(.bytes(let bytes)) = entry.kind else { return "" }
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test("the CD boots by BIOS and by UEFI, and both partition tables have the partition for UEFI")
  func boot() async throws {
    try await withFolder { folder in
      let image = try await buildImage(.cd, from: fakeParts(in: folder, for: .x86_64), in: folder).path.string
      let report = try await said(
        "xorriso", ["-no_rc", "-indev", image, "-report_el_torito", "plain", "-report_system_area", "plain"])
      let lines = report.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
      func line(_ beginning: String) -> [String]? {
        let words = beginning.split(separator: " ").map(String.init)
        return lines.first { $0.starts(with: words) }.map { Array($0.dropFirst(words.count)) }
      }
      #expect(line("El Torito boot img : 1")?.prefix(3) == ["BIOS", "y", "none"])
      let efi = try #require(line("El Torito boot img : 2"))
      #expect(efi.prefix(3) == ["UEFI", "y", "none"])
      let (sectors, start) = (try #require(Int(efi[5])), try #require(Int(efi[6])) * 4)
      #expect(line("System area summary: MBR isohybrid") != nil && report.contains("GPT"), "\(report)")
      #expect(line("ISO image size/512 :") == ["\(start)"])
      #expect(line("MBR partition : 1") == ["0x80", "0x00", "0", "\(start)"])
      #expect(line("MBR partition : 2") == ["0x00", "0xef", "\(start)", "\(sectors)"])
      #expect(line("GPT start and size : 1") == ["0", "\(start)"])
      #expect(line("GPT start and size : 2") == ["\(start)", "\(sectors)"])

      let table = try await said("/usr/sbin/sfdisk", ["--dump", image])
      #expect(table.contains("type=ef") && table.contains("bootable"), "\(table)")
      for part in GRUB.debian.parts {
        let file = try await Command("mtype", ["-i", "\(image)@@\(start * 512)", "::\(part.place)"]).output()
        #expect(file == fakeLoader(part.place), "\(part.place)")
      }
    }
  }

  @Test("the bill names every file of the partition with its package")
  func bill() async throws {
    try await withFolder { folder in
      let image = try await buildImage(.cd, from: fakeParts(in: folder, for: .x86_64), in: folder)
      let bill = try BillOfMaterials(json: contents(of: image.bill))
      let items = try #require(bill.efiPartition)
      let files = items.filter { $0.kind == .file }
      #expect(files.map(\.path) == (GRUB.debian.parts.map(\.place) + ["/BOOT/GRUB/GRUB.CFG"]).sorted())
      #expect(items.filter { $0.kind == .directory }.map(\.path) == ["/BOOT", "/BOOT/GRUB", "/EFI", "/EFI/BOOT"])
      let shim = try #require(files.first { $0.path == "/EFI/BOOT/BOOTX64.EFI" })
      let bytes = fakeLoader(shim.path)
      #expect(shim.size == bytes.count && shim.sha256 == "\(SHA256(bytes))")
      #expect(shim.origin == "package shim-signed 1")
      let other = try await buildImage(.network, from: fakeParts(in: folder, for: .x86_64), in: folder)
      #expect(try BillOfMaterials(json: contents(of: other.bill)).efiPartition == nil)
    }
  }

  @Test("an image without one of the loaders is not built")
  func missing() async throws {
    try await withFolder { folder in
      var parts = try await fakeParts(in: folder, for: .x86_64)
      parts.loaders["/EFI/BOOT/GRUBX64.EFI"] = nil
      let said = await sentence { try await isBuilt(.cd, from: parts, in: folder.appending("out")) }
      #expect(said.contains("no /EFI/BOOT/GRUBX64.EFI of grub-efi-amd64-signed"), "\(said)")
    }
  }

  @Test("a tree for the network has what firmware and GRUB fetch, each with its package; the CD's files are not in it")
  func tree() async throws {
    try await withFolder { folder in
      let image = try await buildImage(.network, from: fakeParts(in: folder, for: .any), in: folder)
      let files = try BillOfMaterials(json: contents(of: image.bill)).medium.filter { $0.kind == .file }
      for part in GRUB.debian.networkParts {
        #expect(try contents(of: FilePath(image.path.string + part.place)) == fakeLoader(part.place))
        #expect(files.first { $0.path == part.place }?.origin == "package \(part.package) 1")
      }
      func text(_ path: String) throws -> String {
        String(decoding: try contents(of: image.path.appending(path)), as: UTF8.self)
      }
      #expect(try text("grub/grub.cfg") == "set prefix=($root)/boot/grub\nsource /boot/grub/grub.cfg\n")
      let menu = try text("boot/grub/grub.cfg")
      #expect(menu.contains("linux /chaos/x86_64/bzImage ") && menu.contains("initrd /chaos/x86_64/chaos.rdz"))
      #expect(!files.contains { $0.path.hasPrefix("/EFI") || $0.path.hasPrefix("/BOOT") })
    }
  }

  @Test("a changed loader makes another image")
  func changed() async throws {
    try await withFolder { folder in
      let parts = try await fakeParts(in: folder, for: .x86_64)
      let before = try ImageRecipe(.cd, from: parts, goingTo: folder).hash
      try await write("another".utf8, to: folder.appending("BOOTIA32.EFI"))
      #expect(try ImageRecipe(.cd, from: parts, goingTo: folder).hash != before)
    }
  }

  @Test(
    "the menu and the prompt have SYSLINUX's labels with its kernel, its words and its wait", arguments: Medium.allCases
  )
  func menu(_ medium: Medium) throws {
    let (labels, menu) = (try labels(medium), try text(of: "/boot/grub/grub.cfg", on: medium))
    // From the network no drone begins a cluster.
    #expect(
      labels.labels.count == (medium == .cd ? 16 : 7) && labels.standard == "drone" && labels.wait == 30
        && labels.speed == 115200)
    #expect(
      labels.labels[1]
        == .init(
          name: "join", kernel: "/chaos/bzImage", archive: "/chaos/chaos.rdz",
          words: "console=ttyS0,115200 console=tty0 tyd=any"))
    let card = medium == .cd ? "" : " BOOTIF=01:$net_default_mac"
    for label in labels.labels {
      #expect(
        menu.contains(
          """
          function \(label.name) {
            linux \(label.kernel) \(label.words)\(card) "$@"
            initrd \(label.archive)
            boot
          }

          """))
      #expect(menu.contains("menuentry '\(label.name)' --id \(label.name) { \(label.name) }\n"))
    }
    for key in 1...6 { #expect(menu.contains("--hotkey=f\(key) ")) }
    #expect(menu.contains("set timeout=30\nset default=drone\n") && menu.contains("--speed=115200"))
    #expect(menu.contains("menuentry 'F5 Labels'"))
  }

  /// Commands and modules of the signed GRUB (its image's list of modules); it loads no others.
  private static let builtIn: Set<String> = [
    "boot", "cat", "clear", "echo", "initrd", "linux", "loadfont", "menuentry", "normal", "search", "serial", "set",
    "sleep", "source", "submenu", "terminal_input", "terminal_output", "true", "regexp",
  ]

  @Test(
    "only commands are used that the signed GRUB has in itself", arguments: ["grub.cfg", "prompt.cfg", "beginning"],
    Medium.allCases)
  func commands(_ name: String, _ medium: Medium) throws {
    var text = try name == "beginning" ? "" : text(of: "/boot/grub/\(name)", on: medium)
    if case .file(.bytes(let bytes)) = GRUBConfiguration.beginning(on: medium).kind, name == "beginning" {
      text = String(decoding: bytes, as: UTF8.self)
    }
    let labels = Set(try labels(medium).labels.map(\.name))
    let words: Set<String> = ["if", "then", "else", "fi", "function", "}", "{"]
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      for command in line.split(whereSeparator: { ";{".contains($0) }) {
        let words = command.split(separator: " ").map(String.init).drop { words.contains($0) }
        guard let first = words.first, !command.contains("function ") else { continue }
        #expect(Self.builtIn.contains(first) || labels.contains(first), "\(first) in \(line)")
      }
    }
  }

  @Test("screens keep their text and lose their colours", arguments: 1...6)
  func screens(key: Int) throws {
    let screen = try text(of: "/boot/grub/f\(key).txt")
    #expect(screen.utf8.allSatisfy { (0x20...0x7E).contains($0) || $0 == 0x0A })
    let lines = screen.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count <= 26 && lines.allSatisfy { $0.count < 80 })
    #expect(screen.contains("Esc shows the menu") && !screen.contains("Enter starts it"))
    if key == 4 { #expect(screen.contains("drone ip=192.168.1.21::192.168.1.1:255.255.255.0")) }
  }

  static let refused: [(String, String)] = [
    ("SERIAL 1 9600", "only the first serial port"), ("SERIAL 0", "only the first serial port"),
    ("TIMEOUT soon", "that is no time"), ("TIMEOUT -1", "that is no time"),
    ("LABEL a b", "a label is one word"), ("LABEL drone", "each is there once"), ("LABEL 9p", "a label is one word"),
    ("APPEND console=tty0", "one initrd="), ("APPEND initrd=/a initrd=/b", "one initrd="),
    ("APPEND initrd=/a x=$y", "mean something to GRUB"), ("MENU TITLE x", "that is not understood"),
    ("DEFAULT nothing", "no label \"nothing\""), ("LABEL more", "The label more of"),
    ("LABEL more\nKERNEL vmlinuz\nAPPEND initrd=/a", "by an absolute path"),
    ("SYSAPPEND 1", "only the card can be told"), ("SYSAPPEND", "only the card can be told"),
  ]

  @Test("a configuration of which no menu can be made is one sentence", arguments: refused.indices)
  func refusals(_ number: Int) {
    let (more, says) = Self.refused[number]
    let sound = "DEFAULT drone\nLABEL drone\n  KERNEL /chaos/bzImage\n  APPEND initrd=/chaos/chaos.rdz\n"
    let error = #expect(throws: BuildError.self) { try BootLabels(sound + more + "\n", from: "isolinux.cfg") }
    #expect(error.map { "\($0)".contains(says) } == true, "it says: \(error.map { "\($0)" } ?? "")")
  }
}

extension ImageFuzzTests {
  @Test("any bytes are a configuration or a sentence, and a screen of 7-bit text")
  func fuzzing() throws {
    let sound = try contents(of: checkout.appending("isolinux").appending("isolinux.cfg"))
    let fault = Fuzzing.configured.firstFault { generator in
      let bytes = sound.damaged(&generator)
      do {
        let labels = try BootLabels(String(decoding: bytes, as: UTF8.self), from: "isolinux.cfg")
        if !labels.labels.contains(where: { $0.name == labels.standard }) { return "no standard label: \(bytes)" }
      } catch is BuildError {} catch { return "\(error)" }
      let plain = GRUBConfiguration.plain(bytes)
      return plain.utf8.allSatisfy { (0x20...0x7E).contains($0) || $0 == 0x0A } ? nil : "a screen: \(bytes)"
    }
    #expect(fault == nil)
  }
}
