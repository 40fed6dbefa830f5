import KernelModules
import TestSupport
import Testing

@Suite struct KernelModulesFuzzTests {
  private static let digest = String(repeating: "0f", count: 32)
  private static let sample = [UInt8](
    """
    droneforge-modules 1 6.1.0-57-amd64
    a esp4 \(digest) xfrm_algo
    m xfrm_algo \(digest)
    m r8169 \(digest)
    p pci:v000010ECd00008168*
    end 3

    """.utf8)
  private static let mutator = Mutator([
    "droneforge-modules 1 6.1\n", "a ", "m ", "p ", "end ", "e", "m", "x", "y", "\(digest)", " x", " y", "\n", "\n",
    "-", "/",
    "pci:v*d*", "\u{0}", "é",
    "m x \(digest)\n", "m y \(digest) x\n", "p usb:*\n", "end 0\n", "end 1\n", "end 2\n",
  ])

  @Test("any text is a table that reads back, with the names that are read alone, or an error of one line for both")
  func table() {
    let fault = Fuzzing.configured.firstFault { generator in
      Bool.random(using: &generator)
        ? self.fault(Self.sample.damaged(&generator))
        : self.fault([UInt8]("droneforge-modules 1 6.1\n".utf8) + Self.mutator.bytes(&generator, pieces: 0...12))
    }
    #expect(fault == nil)
  }

  private func fault(_ text: [UInt8]) -> String? {
    let names = Result { () throws(ModuleTable.ParseError) in try ModuleTable.names(text: text) }
    do throws(ModuleTable.ParseError) {
      let table = try ModuleTable(text: text)
      guard (try? ModuleTable(text: table.text)) == table else {
        return "it reads back differently"
      }
      return (try? names.get()) == table.modules.map(\.name) ? nil : "other names"
    } catch {
      switch (error, names) {
      // What modules there are is known when each line is.
      case (.repeated, .success), (.missing, .success): return nil
      case (let one, .failure(let other)): return one == other ? nil : "\(one) and \(other)"
      default: return "names of what is no table: \(error)"
      }
    }
  }
}
