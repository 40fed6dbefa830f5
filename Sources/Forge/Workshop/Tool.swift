import Foundation
import SystemPackage

/// A program of the build: in plain English, and without the settings that a surrounding `make` or a developer's
/// environment would bring into another project's makefiles.
public func tool(
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

/// The first line that a program writes; empty when it writes nothing.
public func firstLine(of command: Command) async throws -> String {
  String(decoding: try await command.output(), as: UTF8.self).split(separator: "\n").first.map(String.init) ?? ""
}

/// `-j` for make.
public var parallelJobs: String { "-j\(ProcessInfo.processInfo.activeProcessorCount)" }
