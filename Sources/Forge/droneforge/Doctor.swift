import ArgumentParser
import BuildCache
import Foundation
import SystemPackage
import Workshop

/// `droneforge doctor`.
struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Say what this computer lacks to build, run and test drones, and what mends it.",
    discussion: """
      Looks at Swift, the Debian packages of sysroot/packages, memory, disk, and what virtual machines need. Changes nothing. \
      The exit status is 1 when something is missing that a build or a test needs.
      """)

  @Option(help: "The checkout. (default: the one around this program or folder)", completion: .directory)
  var checkout: String?
  @Flag(help: "Print a JSON array of objects.") var json = false

  func run() async throws {
    let folder = try Checkout(named: checkout).folder
    let list = String(decoding: try contents(of: folder.appending("sysroot").appending("packages")), as: UTF8.self)
    let findings = await examined(checkout: folder, packages: neededPackages(list))
    print(json ? JSON.array(findings.map(\.json)).text : findings.map(\.text).joined(separator: "\n"))
    if findings.contains(where: { $0.state == .missing }) { throw ExitCode(1) }
  }
}

/// Something that was looked at.
struct DoctorFinding: Equatable {
  enum State: String { case fine, missing, advice }

  var state: State
  var what: String
  /// A command, or what else to do; nil for what is fine.
  var remedy: String?

  var text: String {
    switch state {
    case .fine: "ok       \(what)"
    case .missing: "missing  \(what)\n         \(remedy ?? "")"
    case .advice: "advice   \(what)\n         \(remedy ?? "")"
    }
  }

  var json: JSON {
    .object([
      ("state", .string(state.rawValue)), ("what", .string(what)), ("remedy", remedy.map { .string($0) } ?? .null),
    ])
  }
}

/// A line of sysroot/packages.
struct NeededPackage: Equatable {
  var name: String
  /// For what it is needed: `image`.
  var stage: String
}

/// The packages of sysroot/packages.
func neededPackages(_ text: String) -> [NeededPackage] {
  text.split(separator: "\n").compactMap { line in
    let words = line.split(separator: " ").map(String.init)
    guard words.count >= 3, !line.hasPrefix("#") else { return nil }
    return NeededPackage(name: words[0], stage: words[1])
  }
}

/// What is missing of the packages, a finding for each stage. `installed`: names.
func packageFindings(_ needed: [NeededPackage], installed: Set<String>) -> [DoctorFinding] {
  var stages: [String] = []
  for package in needed where !stages.contains(package.stage) { stages.append(package.stage) }
  return stages.map { stage in
    let names = needed.filter { $0.stage == stage }.map(\.name)
    let missing = names.filter { !installed.contains($0) }
    return missing.isEmpty
      ? DoctorFinding(state: .fine, what: "\(names.count) package\(names.count == 1 ? "" : "s") for \(stage)")
      : DoctorFinding(
        state: .missing, what: "packages for \(stage): \(missing.joined(separator: ", "))",
        remedy: "sysroot/install-packages \(stage)")
  }
}

/// Whether a compiler that says this of itself is new enough: `Swift version 6.3.1 (…)`.
func swiftFinding(_ said: String?) -> DoctorFinding {
  let remedy = "Install Swift 6.3 or newer from swift.org, or say make SWIFT=/path/to/swift."
  guard let said, let match = said.firstMatch(of: /version (\d+)\.(\d+)/), let major = Int(match.1),
    let minor = Int(match.2)
  else { return DoctorFinding(state: .missing, what: "Swift 6.3: there is no swift in PATH", remedy: remedy) }
  return (major, minor) >= (6, 3)
    ? DoctorFinding(state: .fine, what: "Swift \(major).\(minor)")
    : DoctorFinding(state: .missing, what: "Swift 6.3: this is \(major).\(minor)", remedy: remedy)
}

/// What `roomFinding` wants of memory and of each disk, in bytes: a build compiles a kernel beside OpenSSL.
private let (wantedMemory, wantedDisk) = (2_000_000_000, 4_000_000_000)

/// - Parameters:
///   - what: `memory`.
///   - bytes: nil when nobody can tell.
///   - wanted: less may be enough, and may not.
func roomFinding(_ what: String, _ bytes: Int?, wanted: Int, remedy: String) -> DoctorFinding {
  func gigabytes(_ bytes: Int) -> String { String(format: "%.1f GB", Double(bytes) / 1e9) }
  guard let bytes else { return DoctorFinding(state: .advice, what: "\(what): it cannot be told", remedy: remedy) }
  return bytes >= wanted
    ? DoctorFinding(state: .fine, what: "\(what): \(gigabytes(bytes))")
    : DoctorFinding(
      state: .advice, what: "\(what): \(gigabytes(bytes)), and \(gigabytes(wanted)) are wanted", remedy: remedy)
}

/// Looks at this computer.
private func examined(checkout: FilePath, packages: [NeededPackage]) async -> [DoctorFinding] {
  func said(_ program: String, _ words: [String]) async -> String? {
    (try? await tool(program, words).output()).map { String(decoding: $0, as: UTF8.self) }
  }
  func free(_ folder: FilePath) -> Int? {
    var (place, space) = (folder, statvfs())
    while !exists(place), place.removeLastComponent() {}
    return statvfs(place.string, &space) == 0 ? Int(space.f_bavail) * Int(space.f_frsize) : nil
  }
  var findings = [swiftFinding(await said("swift", ["--version"]))]
  let listed = await said("dpkg-query", ["-W", "-f", "${Package} ${db:Status-Status}\n"]) ?? ""
  let installed = listed.split(separator: "\n").filter { $0.hasSuffix(" installed") }.compactMap {
    $0.split(separator: " ").first.map(String.init)
  }
  findings += packageFindings(packages, installed: Set(installed))
  findings += [
    roomFinding(
      "memory", Int(ProcessInfo.processInfo.physicalMemory), wanted: wantedMemory,
      remedy: "Build on a computer with more, or add swap."),
    roomFinding(
      "disk for the cache", free(defaultCache()), wanted: wantedDisk,
      remedy: "Make room, or set XDG_CACHE_HOME to a folder on another disk."),
    roomFinding("disk for the checkout", free(checkout), wanted: wantedDisk, remedy: "Make room on its disk."),
    access("/dev/kvm", R_OK | W_OK) == 0
      ? DoctorFinding(state: .fine, what: "/dev/kvm")
      : DoctorFinding(
        state: .advice, what: "/dev/kvm cannot be used: virtual machines are emulated, and slow",
        remedy: exists("/dev/kvm")
          ? "sudo adduser $USER kvm, and log in again" : "Enable virtualisation in the firmware."),
    await said("unshare", (geteuid() == 0 ? [] : ["--user", "--map-root-user"]) + ["--net", "--mount", "true"]) != nil
      ? DoctorFinding(state: .fine, what: "namespaces")
      : DoctorFinding(
        state: .advice, what: "namespaces cannot be made: tests with networks of their own are skipped",
        remedy: "sudo sysctl kernel.unprivileged_userns_clone=1"),
  ]
  return findings
}
