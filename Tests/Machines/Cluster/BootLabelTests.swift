import Foundation
import Testing
import VirtualMachine

/// Labels of the boot prompt that make a cluster, typed as the F5 screen has them.
@Suite struct BootLabelTests {
  @Test("join waits quietly until n3, which is first without a shell, has begun the cluster; then j3 joins as well")
  func labels() async throws {
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      try await network.serveDHCP()
      try await withMachineGroup(of: 3) {
        let cards = try await ["tap0", "tap1", "tap2"].enumerated().asyncMap { index, name in
          NetworkCard(.rtl8139, on: .tap(try await network.tap(name)), address: "52:54:00:00:00:1\(index)")
        }
        try await withVirtualMachine(try Image.cd(cards: [cards[0]]), in: network) { joiner in
          try await joiner.expect("boot:")
          joiner.type("join\n")
          try await joiner.expectShell()
          let wait = "n=0; until grep -q quietly /run/tyd/log || [ $n = 30 ]; do sleep 1; n=$((n+1)); done; echo $n"
          #expect(try await joiner.output(wait) != "30")
          #expect(try await joiner.output("tyd --status | head -n 1").contains("joining"))
          #expect(try await joiner.output("greeting").contains("tyd is on its way into one"))
          // Nothing more is said while it goes on, neither in the log nor on the console.
          let log = "wc -l </run/boot.log"
          let before = try await joiner.output(log)
          #expect(try await joiner.output("sleep 15; \(log)") == before)
          try await withVirtualMachine(try Image.cd(cards: [cards[1]]), in: network) { first in
            try await first.expect("boot:")
            first.type("n3\n")
            try await first.expect("none, as the boot line asks")
            try await joiner.waitsFor(members: 2)
            // It waits for tyd no longer than a shell may, and a busy computer takes its time.
            let greeting = "greeting | grep 'is in, 2 nodes; others join by: tyd -m 192.168.1.'"
            try await joiner.succeeds(
              "n=0; until \(greeting) || [ $n = 20 ]; do sleep 1; n=$((n+1)); done; \(greeting)")
            try await withVirtualMachine(try Image.cd(cards: [cards[2]]), in: network) { third in
              try await third.expect("boot:")
              third.type("j3\n")
              try await third.expect("none, as the boot line asks")
              try await joiner.waitsFor(members: 3)
              // There is nobody to type to.
              for machine in [first, third] {
                #expect(!machine.transcript.contains(Image.prompt))
              }
            }
          }
        }
      }
    }
  }
}

extension VirtualMachine {
  /// Waits until so many nodes are alive, up to 60 s of the guest's time.
  fileprivate func waitsFor(members: Int) async throws {
    let command =
      "n=0; until [ $(tyd --status | grep -c ' alive ') = \(members) ] || [ $n = 60 ]; do sleep 1; n=$((n+1)); done; echo took $n s"
    let answer = try await run(command, within: .seconds(100)).output
    print("\(members) members: \(answer)")
    #expect(!answer.contains("took 60 s"))
  }
}

extension Sequence {
  fileprivate func asyncMap<Result>(_ transform: (Element) async throws -> Result) async rethrows -> [Result] {
    var out: [Result] = []
    for element in self { out.append(try await transform(element)) }
    return out
  }
}
