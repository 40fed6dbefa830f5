import ArgumentParser
import BootLine
import ClusterView
import Foundation
import Integrity
import ProcessView
import SystemPackage
import TestSupport
import Testing
import TydCommand
import Workshop

@testable import droneforge

/// A block of commands in docs/manual.
struct ManualBlock: CustomStringConvertible, Sendable {
  let page: String
  /// What follows the fence: where the lines are typed, as docs/manual/README.md says.
  let place: String
  let lines: [String]

  var description: String { "\(page): \(lines.first ?? "")" }

  static let all: [ManualBlock] = {
    var found: [ManualBlock] = []
    for page in pages(in: "docs/manual") {
      var place: String?
      var lines: [String] = []
      for line in text(of: "docs/manual/\(page)").split(separator: "\n", omittingEmptySubsequences: false) {
        if line.hasPrefix("```") {
          if let open = place { found.append(ManualBlock(page: page, place: open, lines: lines)) }
          place = place == nil ? String(line.dropFirst(3)) : nil
          lines = []
        } else if place != nil {
          lines.append(String(line))
        }
      }
    }
    return found
  }()

  /// The words of a line as a shell splits them; comments and a last `&` left out.
  static func words(_ line: String) -> [String] {
    var all: [String] = []
    var word: String?
    var quote: Character?
    for letter in line {
      if let open = quote {
        if letter == open { quote = nil } else { word?.append(letter) }
      } else if letter == "'" || letter == "\"" {
        quote = letter
        word = word ?? ""
      } else if letter == " " {
        if let finished = word { all.append(finished) }
        word = nil
      } else if letter == "#", word == nil {
        break
      } else {
        word = (word ?? "") + String(letter)
      }
    }
    if let word { all.append(word) }
    return all.last == "&" ? all.dropLast() : all
  }
}

private func text(of path: String) -> String {
  (try? String(contentsOfFile: checkout.appending(path).string, encoding: .utf8)) ?? ""
}

private func pages(in folder: String) -> [String] {
  let names = try? FileManager.default.contentsOfDirectory(atPath: checkout.appending(folder).string)
  return (names ?? []).filter { $0.hasSuffix(".md") }.sorted()
}

/// What docs/ says, as far as it can be proven without a machine.
@Suite struct ManualTests {
  static let places = [
    "sh", "sh drone", "sh first", "sh node", "sh master", "sh hardware", "sh fails 1", "boot", "text",
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
      case "mtop": _ = try TopCommand(bytes)
      case "certaintyd": _ = try WatchOptions(bytes)
      default:
        #expect(
          ["ifconfig", "route", "fix_hosts", "killall", "wget", "rm", "sudo", "dnsmasq"].contains(program), "\(line)")
      }
    }
  }

  private func isTarget(_ name: String) -> Bool { text(of: "Makefile").contains("\n\(name): ") }

  static let documents =
    ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
    + ["docs", "docs/manual", "docs/decisions"].flatMap { folder in pages(in: folder).map { "\(folder)/\($0)" } }

  @Test("every link leads to a file", arguments: documents)
  func links(_ document: String) {
    let folder = checkout.appending(document).removingLastComponent()
    let links = text(of: document).matches(of: /\]\(([^)#:]+)\)/).map { String($0.1) }
    for link in links {
      #expect(FileManager.default.fileExists(atPath: folder.appending(link).lexicallyNormalized().string), "\(link)")
    }
  }

  @Test("every manual page and every decision is in its index", arguments: ["docs/manual", "docs/decisions"])
  func index(_ folder: String) {
    let index = text(of: "\(folder)/README.md")
    for page in pages(in: folder) where page != "README.md" { #expect(index.contains("(\(page))"), "\(page)") }
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
      String(decoding: drawn, as: UTF8.self) == text(of: "docs/\(picture)"),
      "docs/\(command) <\(input) >docs/\(picture)")
  }
}
