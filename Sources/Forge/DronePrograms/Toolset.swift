import Foundation
import Recipes
import SystemPackage
import Target

/// What `swift build --toolset` reads: how to compile for the target, and what to link instead of a system's libraries.
struct Toolset {
  let target: DroneTarget
  let sysroot: Sysroot
  let checkout: FilePath
  let scratch: FilePath

  static let oneObject = "-enable-single-module-llvm-emission"

  /// The same bytes whatever the folders are called: paths in messages and debug information start at the checkout.
  private var prefixMaps: [(from: String, to: String)] {
    [
      (sysroot.includes.removingLastComponent().string, "/sysroot"),
      (sysroot.opensslIncludes.removingLastComponent().string, "/openssl"),
      (checkout.string, "."),
    ]
  }

  /// The C library's headers, the kernel's and OpenSSL's.
  private var includes: [String] {
    ["-isystem", sysroot.includes.string, "-isystem", sysroot.opensslIncludes.string]
  }

  var swiftOptions: [String] {
    let forClang = (target.instructionSetFlags + includes).flatMap { ["-Xcc", $0] }
    return [
      "-wmo",
      // SwiftPM asks for one thread a core, and the code must not depend on how many cores the builder has.
      "-num-threads", "1",
      "-Osize",
      // One object per module, or the linker confuses constant arrays: see `SharedConstant`.
      "-Xfrontend", Self.oneObject,
      // So that the linker can drop what nothing calls.
      "-Xfrontend", "-function-sections",
      // Else each object carries a digest of its module that differs from build to build.
      "-Xfrontend", "-disable-incremental-llvm-codegen",
      // By default this is the folder's name.
      "-package-name", "droneforge",
      "-Xfrontend", "-target-cpu", "-Xfrontend", target.processor,
    ] + forClang + prefixMaps.flatMap { ["-file-prefix-map", "\($0.from)=\($0.to)"] }
      + ["-use-ld=lld", "-Xclang-linker", "-nostdlib", "-Xclang-linker", "-static"]
  }

  private var cOptions: [String] {
    target.instructionSetFlags + includes + [
      "-Os",
      "-fno-pic",
      "-ffunction-sections",
      "-fno-stack-protector",
      "-fno-asynchronous-unwind-tables",
    ] + prefixMaps.map { "-ffile-prefix-map=\($0.from)=\($0.to)" }
  }

  private var linkerOptions: [String] {
    [
      "-m", target.linkerEmulation,
      "--gc-sections",
      "--build-id=none",
      // Strings that end alike are kept once, and so are functions that are equal and whose address nobody takes.
      "-O2", "--icf=safe",
      sysroot.library.appending("crt1.o").string,
      // Of an archive only what is asked for is linked, so a program without TLS has nothing of these.
      sysroot.opensslLibrary.appending("libssl.a").string,
      sysroot.opensslLibrary.appending("libcrypto.a").string,
      sysroot.library.appending("libc.a").string,
    ]
  }

  func json() throws -> Data {
    struct Options: Encodable { let extraCLIOptions: [String] }
    struct File: Encodable {
      let schemaVersion = "1.0"
      let swiftCompiler: Options
      let cCompiler: Options
      let linker: Options
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(
      File(
        swiftCompiler: .init(extraCLIOptions: swiftOptions),
        cCompiler: .init(extraCLIOptions: cOptions),
        linker: .init(extraCLIOptions: linkerOptions)))
  }
}
