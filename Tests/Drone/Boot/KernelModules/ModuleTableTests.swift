import Testing

@testable import KernelModules

@Suite struct ModuleTableTests {
  private static let digest = String(repeating: "0f", count: 32)

  private static func module(
    _ name: String, _ needs: [String] = [], _ patterns: [String] = [], isForAll: Bool = false
  ) -> ModuleTable.Module {
    ModuleTable.Module(
      name: Array(name.utf8), digest: [UInt8](repeating: 0x0F, count: 32), needs: needs.map { Array($0.utf8) },
      patterns: patterns.map { Array($0.utf8) }, isForAll: isForAll)
  }

  private static func table(_ modules: [ModuleTable.Module]) throws -> ModuleTable {
    try ModuleTable(release: Array("6.1.0-57-amd64".utf8), modules)
  }

  @Test("a table's text says release, modules, their digests and needs, and their patterns, and reads back")
  func text() throws {
    let table = try Self.table([
      Self.module("crc32c_generic", isForAll: true),
      Self.module("e1000e", ["crc32c_generic"], ["pci:v00008086d00001502sv*sd*bc*sc*i*", "pci:v1 *"]),
    ])
    let text = """
      droneforge-modules 1 6.1.0-57-amd64
      a crc32c_generic \(Self.digest)
      m e1000e \(Self.digest) crc32c_generic
      p pci:v00008086d00001502sv*sd*bc*sc*i*
      p pci:v1 *
      end 2

      """
    #expect(String(decoding: table.text, as: UTF8.self) == text)
    #expect(try ModuleTable(text: table.text) == table)
    #expect(table.modules[1].file == Array("e1000e.ko".utf8))
  }

  struct Fault: Sendable, CustomTestStringConvertible {
    var text: String
    var error: ModuleTable.ParseError
    var testDescription: String { "\(error)" }
    init(_ text: String, _ error: ModuleTable.ParseError) { (self.text, self.error) = (text, error) }
  }

  @Test(
    "what is no table is refused with its line",
    arguments: [
      Fault("", .heading),
      Fault("droneforge-modules 2 6.1\nend 0\n", .heading),
      Fault("droneforge-modules 1 \nend 0\n", .heading),
      Fault("droneforge-modules 1 6 1\nend 0\n", .heading),
      Fault("droneforge-modules 1 6.1\n", .cut),
      Fault("droneforge-modules 1 6.1\nend 1\n", .cut),
      Fault("droneforge-modules 1 6.1\nend 0\nend 0\n", .cut),
      Fault("droneforge-modules 1 6.1\nend 0", .cut),
      Fault("droneforge-modules 1 6.1\np pci:*\nend 0\n", .line(2)),
      Fault("droneforge-modules 1 6.1\nm\nend 0\n", .line(2)),
      Fault("droneforge-modules 1 6.1\nm a\nend 1\n", .line(2)),
      Fault("droneforge-modules 1 6.1\nm a \(digest.dropLast())\nend 1\n", .line(2)),
      Fault("droneforge-modules 1 6.1\nm a \(digest) \nend 1\n", .line(2)),
      Fault("droneforge-modules 1 6.1\nm ../a \(digest)\nend 1\n", .line(2)),
      Fault("droneforge-modules 1 6.1\nx a \(digest)\nend 1\n", .line(2)),
      Fault("droneforge-modules 1 6.1\nm a \(digest) b\nend 1\n", .missing(Array("b".utf8))),
      Fault("droneforge-modules 1 6.1\nm a \(digest)\nm a \(digest)\nend 2\n", .repeated(Array("a".utf8))),
    ])
  func faults(_ fault: Fault) {
    #expect(throws: fault.error) { try ModuleTable(text: Array(fault.text.utf8)) }
  }

  @Test("a module comes after all that it needs, each once, also where they need each other in a circle")
  func order() throws {
    let table = try Self.table([
      Self.module("a", ["b", "c"]), Self.module("b", ["d"]), Self.module("c", ["d"]), Self.module("d"),
      Self.module("x", ["y"]), Self.module("y", ["x"]),
    ])
    func names(_ wanted: [Int]) -> String {
      table.loadOrder(of: wanted).map { String(decoding: table.modules[$0].name, as: UTF8.self) }.joined(separator: " ")
    }
    #expect(names([0]) == "d b c a")
    #expect(names([3, 2, 0]) == "d c b a")
    #expect(names([4]) == "y x")
    #expect(names([9, -1]) == "")
  }

  @Test("a chain of needs as long as a table may be has its order")
  func chain() throws {
    let table = try Self.table(
      (0..<ModuleTable.most).map { Self.module("m\($0)", $0 + 1 < ModuleTable.most ? ["m\($0 + 1)"] : []) })
    #expect(table.loadOrder(of: [0]) == Array((0..<ModuleTable.most).reversed()))
  }

  @Test("modules for every computer come first; a device brings its own and what they need, once")
  func loading() throws {
    var loading = ModuleLoading(
      try Self.table([
        Self.module("esp4", ["xfrm_algo"], isForAll: true), Self.module("mii"), Self.module("xfrm_algo"),
        Self.module("r8169", ["mii", "libphy"], ["pci:v000010ECd00008168*"]),
        Self.module("r8152", ["mii"], ["usb:v0BDAp8152*"]), Self.module("libphy"),
      ]))
    func names(_ modules: [ModuleTable.Module]) -> [String] {
      modules.map { String(decoding: $0.name, as: UTF8.self) }
    }
    #expect(names(loading.begin()) == ["xfrm_algo", "esp4"])
    #expect(names(loading.begin()) == [])
    #expect(names(loading.receive(modalias: Array("pci:v000010ECd00008168sv0".utf8))) == ["mii", "libphy", "r8169"])
    #expect(names(loading.receive(modalias: Array("usb:v0BDAp8152d2000".utf8))) == ["r8152"])
    #expect(names(loading.receive(modalias: Array("usb:v0BDAp8152d2000".utf8))) == [])
    #expect(names(loading.receive(modalias: Array("acpi:PNP0C0A:".utf8))) == [])
  }

  @Test("the names of a table are read without the rest")
  func names() throws {
    let table = try Self.table([
      Self.module("crc32c_generic", isForAll: true), Self.module("e1000e", ["crc32c_generic"], ["pci:v1*", "pci:v2*"]),
      Self.module("igb"),
    ])
    #expect(
      try ModuleTable.names(text: table.text).map { String(decoding: $0, as: UTF8.self) } == [
        "crc32c_generic", "e1000e", "igb",
      ])
    #expect(throws: ModuleTable.ParseError.cut) { try ModuleTable.names(text: table.text.dropLast()) }
    #expect(throws: ModuleTable.ParseError.heading) { try ModuleTable.names(text: []) }
  }

  @Test("more modules than a table may have are refused by either reader")
  func tooMany() throws {
    let lines = (0...ModuleTable.most).map { "m m\($0) \(Self.digest)\n" }.joined()
    let text = [UInt8]("droneforge-modules 1 6.1\n\(lines)end \(ModuleTable.most + 1)\n".utf8)
    #expect(throws: ModuleTable.ParseError.tooMany) { try ModuleTable(text: text) }
    #expect(throws: ModuleTable.ParseError.tooMany) { try ModuleTable.names(text: text) }
  }
}
