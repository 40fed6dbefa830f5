import Testing
import Toolchain
import Workshop

@Suite struct ToolchainTests {
  @Test("without a Swift toolchain in PATH there is one sentence")
  func noToolchain() {
    #expect(throws: BuildError.self) { try Toolchain.found(path: "/nowhere:/also/nowhere") }
  }
}
