import Foundation
import Linux
import SystemPackage
import TestSupport
import Testing
import VirtualMachine
import Workshop

/// README's "Your first army in five minutes", word by word.
@Suite(.serialized) struct FirstArmyTests {
  /// What the section says to type.
  struct Section {
    /// Lines in code before the table of keys: what starts the army.
    var start: [String] = []
    /// The keys, by what stands in the table's first column, and what they do.
    var keys: [(keys: String, effect: String)] = []
    /// Lines in code after the table: typed in a second terminal.
    var second: [String] = []

    init(readme: String) throws {
      guard let title = readme.range(of: "## Your first army in five minutes\n") else {
        throw BuildError.input("README.md has no section about the first army.")
      }
      let text = readme[title.upperBound...]
      let section = text[..<(text.range(of: "\n## ")?.lowerBound ?? text.endIndex)]
      for line in section.split(separator: "\n") {
        if line.hasPrefix("make ") {
          start.append(String(line))
        } else if line.hasPrefix("build/bin/") {
          second.append(String(line))
        } else if line.hasPrefix("| Ctrl-") {
          let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
          keys.append((cells[0], cells[1]))
        }
      }
    }
  }

  /// `Ctrl-A k 2` as it is typed.
  private func typed(_ keys: String) -> String {
    keys.split(separator: " ").map { key in
      guard key.hasPrefix("Ctrl-"), let letter = key.last?.asciiValue else { return String(key) }
      return String(UnicodeScalar(letter & 0x1F))
    }.joined()
  }

  @Test("the README's first army: what it says to type does what it says")
  func asWritten() async throws {
    let checkout = Image.build.removingLastComponent()
    let section = try Section(
      readme: String(decoding: contents(of: checkout.appending("README.md")), as: UTF8.self))
    #expect(section.start == ["make army N=3"])
    #expect(section.keys.map(\.keys) == ["Ctrl-A k 2", "Ctrl-A r 2", "Ctrl-A u 3", "Ctrl-A p 3", "Ctrl-A w", "Ctrl-C"])
    try await RunningArmy.withRuntime { army in
      try await withMachineGroup(of: 3) {
        let terminal = try PseudoTerminal(
          ["/bin/sh", "-c", section.start[0]], environment: army.environment, directory: checkout.string)
        try terminal.expect("All 3 drones are in after ", within: .seconds(400))
        let look = { terminal.look(milliseconds: 20) }
        let start = try await army.waits(for: "all alive", meanwhile: look) { standing in
          standing.drones.allSatisfy { $0.cluster == "alive" }
        }
        for (keys, _) in section.keys.dropLast() {
          terminal.type(typed(keys))
          if keys == "Ctrl-A w" { try terminal.expect("---------------", within: .seconds(120)) }
          try await follows(keys, army, look)
        }
        for command in section.second {
          let words = command.split(separator: " ").map(String.init)
          _ = try await Command(
            checkout.appending(words[0]).string, Array(words.dropFirst()),
            environment: ["XDG_RUNTIME_DIR": army.runtime.string]
          ).output()
          if words.count == 4 { try await follows(command, army, look) }
        }
        terminal.type(typed(section.keys.last?.keys ?? ""))
        #expect(try terminal.end(within: .seconds(20)) == .exited(0))
        #expect(RunningArmy.alive(start.drones.compactMap(\.process)) == [] && army.leftovers == [])
      }
    }
  }

  /// Waits for what a key or a command says it does.
  private func follows(_ typed: String, _ army: RunningArmy, _ look: () -> Void) async throws {
    let words = typed.split(separator: " ")
    guard let number = words.last.flatMap({ Int($0) }), let verb = words.dropLast().last else { return }
    try await army.waits(for: typed, meanwhile: look) { standing in
      switch verb {
      case "k", "kill": standing[number].power == "off" && standing[number].cluster == "dead"
      case "u", "unplug": !standing[number].plugged && standing[number].cluster == "dead"
      default: standing[number].power == "on" && standing[number].plugged && standing[number].cluster == "alive"
      }
    }
  }
}
