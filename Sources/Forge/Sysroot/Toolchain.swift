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
struct CrossCompiler: Sendable {
  let target: DroneTarget
  let toolchain: Toolchain
  let identity: String

  /// No unwind tables, no position-independent code, sections that the linker can drop: a drone has little memory.
  var flags: [String] {
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
  var recipe: String { ([identity] + flags).joined(separator: " ") }
}

/// A program of the build: in plain English, and without the settings that a surrounding `make` or a developer's
/// environment would bring into another project's makefiles.
func tool(
  _ executable: String, _ arguments: [String], in folder: FilePath? = nil, environment: [String: String] = [:]
) -> Command {
  var values: [String: String?] = [:]
  for name in [
    "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEFILES", "MAKEOVERRIDES", "ARCH", "CROSS_COMPILE", "CC", "HOSTCC", "AR",
    "CFLAGS", "CPPFLAGS", "LDFLAGS", "KCFLAGS", "KBUILD_OUTPUT", "O", "V", "LANG", "LANGUAGE",
  ] { values.updateValue(nil, forKey: name) }
  values["LC_ALL"] = "C"
  values["TZ"] = "UTC"
  for (name, value) in environment { values[name] = value }
  return Command(executable, arguments, environment: values, workingDirectory: folder?.string)
}

func firstLine(of command: Command) async throws -> String {
  String(decoding: try await command.output(), as: UTF8.self).split(separator: "\n").first.map(String.init) ?? ""
}

/// `-j` for make.
var parallelJobs: String { "-j\(ProcessInfo.processInfo.activeProcessorCount)" }
