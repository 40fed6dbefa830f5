import Foundation
import SystemPackage
import Target
import Workshop

/// The Swift toolchain's programs: its clang and LLVM tools compile the drone's C as well.
public struct Toolchain: Sendable {
  public let swift: FilePath
  public let clang: FilePath
  public let archiver: FilePath
  public let ranlib: FilePath
  public let objectCopier: FilePath
  public let disassembler: FilePath
  public let symbolLister: FilePath

  /// Finds `swift` in PATH and the other programs beside it, or beside the file that it is a link to.
  public static func found(path: String = ProcessInfo.processInfo.environment["PATH"] ?? "") throws -> Toolchain {
    let candidates = path.split(separator: ":").map { FilePath(String($0)).appending("swift") }
    for swift in candidates where FileManager.default.isExecutableFile(atPath: swift.string) {
      let real = FilePath(URL(fileURLWithPath: swift.string).resolvingSymlinksInPath().path)
      for folder in [swift.removingLastComponent(), real.removingLastComponent()] {
        func tool(_ name: String) -> FilePath { folder.appending(name) }
        let needed = ["clang", "llvm-ar", "llvm-ranlib", "llvm-objcopy", "llvm-nm", "ld.lld"]
        guard needed.allSatisfy({ FileManager.default.isExecutableFile(atPath: tool($0).string) }) else { continue }
        return Toolchain(
          swift: swift, clang: tool("clang"), archiver: tool("llvm-ar"), ranlib: tool("llvm-ranlib"),
          objectCopier: tool("llvm-objcopy"), disassembler: tool("llvm-objdump"),
          symbolLister: tool("llvm-nm"))
      }
    }
    throw BuildError.input(
      "No Swift toolchain with its own clang and LLVM tools is in PATH: install Swift 6.3 or newer from swift.org.")
  }

  /// What tells this compiler from another one: its version line, without the folder it stands in.
  public func identity() async throws -> String { try await firstLine(of: tool(clang.string, ["--version"])) }
}

/// The compiler for the drone's C programs and the flags that keep it to the target's instructions.
public struct CrossCompiler: Sendable {
  public let target: DroneTarget
  public let toolchain: Toolchain
  /// What tells its toolchain from another one.
  public let identity: String

  public init(_ toolchain: Toolchain, for target: DroneTarget) async throws {
    self.target = target
    self.toolchain = toolchain
    identity = try await toolchain.identity()
  }

  /// No unwind tables, no position-independent code, sections that the linker can drop: a drone has little memory.
  public var flags: [String] {
    ["-target", target.clangTriple] + target.instructionSetFlags + [
      "-Os",
      "-fno-pic",
      "-fno-stack-protector",
      "-fno-unwind-tables",
      "-fno-asynchronous-unwind-tables",
      "-ffunction-sections",
      "-fdata-sections",
    ]
  }

  /// Everything that a compiled file depends on besides its sources.
  public var recipe: String { ([identity] + flags).joined(separator: " ") }
}
