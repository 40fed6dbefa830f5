import Bytes
import DroneLayout
import Testing

@Suite("the names that programs answer to")
struct ProgramTests {
  @Test("every program of init is found by its name", arguments: InitProgram.allCases)
  func initProgram(_ program: InitProgram) {
    #expect(InitProgram(name: [UInt8](program.name)) == program)
  }

  @Test("every view is found by its name", arguments: ViewProgram.allCases)
  func view(_ program: ViewProgram) {
    #expect(ViewProgram(name: [UInt8](program.name)) == program)
  }

  @Test("a link in the root ends with the name that its program answers to")
  func links() {
    let pairs =
      InitProgram.allCases.compactMap { program in program.link.map { ("\($0)", "\(program.name)") } }
      + ViewProgram.allCases.map { ("\($0.link)", "\($0.name)") }
    #expect(pairs.count == 9)
    for (link, name) in pairs { #expect(link.split(separator: "/").last.map(String.init) == name) }
  }

  @Test("the HowTo's name for mosmon is a view, too")
  func formerName() {
    let name = "\(ViewProgram.formerMosmonLink)".split(separator: "/").last ?? ""
    #expect(ViewProgram(name: name.utf8) == .mosmon)
  }

  @Test("any other name is process 1's, or tyd's", arguments: ["", "init", "tyd", "Network", "network ", "showmapper"])
  func other(_ name: String) {
    #expect(InitProgram(name: name.utf8) == nil)
    #expect(ViewProgram(name: name.utf8) == nil)
  }
}
