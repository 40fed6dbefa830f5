import Foundation
import SystemPackage
import Toolchain
import Workshop

/// A constant array that two modules offer the linker under one name, though each numbers its own.
///
/// Swift's optimiser turns an array of constants into a static object, named for the function it stands in and numbered
/// within one module's compilation: `$s…FTv_r`, `…Tv0_r`. Where another module inlines that function it makes objects of
/// its own and numbers them in its own order. As local symbols these do not meet. As weak ones, which they are when a module
/// is compiled to several objects, the linker keeps the first of a name, and code of the other module reads a wrong array.
struct SharedConstant: Equatable, CustomStringConvertible {
  /// The mangled name.
  let symbol: String
  /// In the linker's order.
  let modules: [String]

  var description: String { "\(modules.joined(separator: " and ")) (\(symbol))" }
}

/// Finds the shared constants of a program's objects, whether their bytes are the same today or not.
///
/// - Parameter symbols: what `llvm-nm --print-file-name --format=posix --defined-only --extern-only` says of the objects.
func sharedConstants(in symbols: String) -> [SharedConstant] {
  var owners: [String: [String]] = [:]
  for line in symbols.split(separator: "\n") {
    // `…/Netlink.build/Message.swift.o: $s7Netlink…FTv_r V 0 14`
    guard let colon = line.range(of: ": ", options: .backwards),
      let symbol = line[colon.upperBound...].split(separator: " ").first, isNumberedConstant(symbol)
    else { continue }
    let object = FilePath(String(line[..<colon.lowerBound]))
    let folder = object.removingLastComponent().lastComponent
    owners[String(symbol), default: []].append(folder?.stem ?? object.string)
  }
  return owners.filter { $0.value.count > 1 }.map { .init(symbol: $0.key, modules: $0.value) }
    .sorted { $0.symbol < $1.symbol }
}

/// Whether a mangled name ends as those of static objects do: `Tv`, a number or none, `_`, and `r` for a read-only one
/// (the Swift ABI's Mangling.rst, `global ::= global 'Tv' INDEX`).
private func isNumberedConstant(_ name: Substring) -> Bool {
  var name = name
  if name.last == "r" { name.removeLast() }
  guard name.popLast() == "_" else { return false }
  while let last = name.last, "0"..."9" ~= last { name.removeLast() }
  return name.hasSuffix("Tv")
}

/// Throws a sentence that names modules and symbols when the linker would confuse two modules' constants.
func checkConstants(
  of program: String, in objects: [FilePath], with toolchain: Toolchain
) async throws {
  let listed = try await tool(
    toolchain.symbolLister.string,
    ["--print-file-name", "--format=posix", "--defined-only", "--extern-only"] + objects.map(\.string)
  ).output()
  let shared = sharedConstants(in: String(decoding: listed, as: UTF8.self))
  guard !shared.isEmpty else { return }
  throw BuildError.input(
    """
    \(program) is not built: modules hold constant arrays under the same names, and the linker would take one for \
    another: \(shared.prefix(5).map(\.description).joined(separator: ", "))\
    \(shared.count > 5 ? " and \(shared.count - 5) more" : ""). Compile each module to one object \
    (\(Toolset.oneObject)).
    """)
}
