import Foundation
import SystemPackage

/// A program of the build, in plain English and UTC, and in an environment of its own: of this program's it gets what finds
/// programs, folders and the archives, and nothing else.
///
/// Compilers, makefiles and archivers take dozens of variables for orders (`CPATH`, `LOCALVERSION`, `TAR_OPTIONS`, `XZ_OPT`):
/// a list of those would never be whole.
public func tool(
  _ executable: String, _ arguments: [String], in folder: FilePath? = nil, environment: [String: String] = [:]
) -> Command {
  let own = ["LC_ALL": "C", "TZ": "UTC"].merging(environment) { _, given in given }
  return Command(
    executable, arguments, environment: own, inheriting: Command.neutralVariables, workingDirectory: folder?.string)
}

extension Command {
  /// Variables that change where a program looks, and not what it makes.
  static let neutralVariables: Set<String> = {
    var names: Set = ["PATH", "LD_LIBRARY_PATH", "HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"]
    // The way to Debian's archives, and to the packages that Package.swift names.
    names.formUnion(["SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO", "SSH_AUTH_SOCK"])
    for proxy in ["http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy"] {
      names.formUnion([proxy, proxy.uppercased()])
    }
    return names
  }()
}

/// The first line that a program writes; empty when it writes nothing.
public func firstLine(of command: Command) async throws -> String {
  String(decoding: try await command.output(), as: UTF8.self).split(separator: "\n").first.map(String.init) ?? ""
}

/// `-j` for make.
public var parallelJobs: String { "-j\(ProcessInfo.processInfo.activeProcessorCount)" }
