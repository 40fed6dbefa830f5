import ArgumentParser
import BootLine
import ClusterView
import Foundation
import Integrity
import Jobs
import ProcessView
import SystemPackage
import TestSupport
import Testing
import TydCommand
import Workshop

@testable import droneforge

/// What docs/ says, as far as it can be proven without a machine.
@Suite struct ManualTests {
  static let places = [
    "sh", "sh army", "sh drone", "sh first", "sh node", "sh cluster", "sh master", "sh hardware", "sh fails 1", "boot",
    "text",
  ]

  @Test("every block says where its lines are typed", arguments: ManualBlock.all)
  func place(_ block: ManualBlock) { #expect(ManualTests.places.contains(block.place)) }

  @Test("a drone understands every boot line", arguments: ManualBlock.all.filter { $0.place == "boot" })
  func bootLines(_ block: ManualBlock) {
    for line in block.lines { #expect(BootLine(Array(line.utf8)).errors.isEmpty, "\(line)") }
  }

  @Test("every program understands its options", arguments: ManualBlock.all.filter { $0.place.hasPrefix("sh") })
  func commands(_ block: ManualBlock) throws {
    for line in block.lines {
      let words = ManualBlock.words(line)
      let program = words.first ?? ""
      let rest = Array(words.dropFirst())
      let bytes = rest.map { [UInt8]($0.utf8) }
      switch program {
      case "build/bin/droneforge": _ = try Droneforge.parseAsRoot(rest)
      case "make": for target in rest where !target.contains("=") { #expect(isTarget(target), "\(line)") }
      case "tyd": _ = try TydCommand(bytes)
      case "showmap": _ = try ShowmapOptions(bytes)
      case "mosmon": _ = try MosmonOptions(bytes)
      case "mosrun": _ = try MosrunOptions(bytes)
      case "mosd": _ = try MosdOptions(bytes)
      case "mps": _ = try MpsOptions(bytes)
      case "mkill": _ = try MkillOptions(bytes)
      case "mtop": _ = try TopCommand(bytes)
      case "certaintyd": _ = try WatchOptions(bytes)
      default:
        #expect(
          ["ifconfig", "route", "fix_hosts", "killall", "wget", "rm", "sudo", "dnsmasq"].contains(program), "\(line)")
      }
    }
  }

  @Test("code stands between fences, which say where it is typed", arguments: ["README.md", "CONTRIBUTING.md"])
  func fenced(_ page: String) { #expect(!documentText(page).split(separator: "\n").contains { $0.hasPrefix("    ") }) }

  private func isTarget(_ name: String) -> Bool { documentText("Makefile").contains("\n\(name): ") }

  static let documents =
    ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
    + ["docs", "docs/manual", "docs/decisions"].flatMap { folder in markdownFiles(in: folder).map { "\(folder)/\($0)" }
    }

  @Test("every link leads to a file", arguments: documents)
  func links(_ document: String) {
    let folder = checkout.appending(document).removingLastComponent()
    let links = documentText(document).matches(of: /\]\(([^)#:]+)\)/).map { String($0.1) }
    for link in links {
      #expect(FileManager.default.fileExists(atPath: folder.appending(link).lexicallyNormalized().string), "\(link)")
    }
  }

  @Test("every manual page and every decision is in its index", arguments: ["docs/manual", "docs/decisions"])
  func index(_ folder: String) {
    let index = documentText("\(folder)/README.md")
    for page in markdownFiles(in: folder) where page != "README.md" { #expect(index.contains("(\(page))"), "\(page)") }
  }

  @Test(
    "a picture is what its command draws now",
    arguments: [("draw-floors", "Package.swift", "floors.svg"), ("draw-mosmon", "docs/mosmon.txt", "mosmon.svg")])
  func pictures(_ command: String, _ input: String, _ picture: String) async throws {
    let docs = checkout.appending("docs")
    let drawn = try await Command(
      "/bin/sh", ["-c", "\"$0\" <\"$1\"", docs.appending(command).string, checkout.appending(input).string]
    ).output()
    #expect(
      String(decoding: drawn, as: UTF8.self) == documentText("docs/\(picture)"),
      "docs/\(command) <\(input) >docs/\(picture)")
  }
}
