import SystemPackage
import VirtualMachine
import Workshop

/// A drone from CD on a network without DHCP. It takes its address by itself and serves, as the label `pxe` has it.
func withPXEMaster(
  in network: NetworkNamespace, capture: FilePath? = nil, file: String = #fileID, function: String = #function,
  _ body: (VirtualMachine) async throws -> Void
) async throws {
  let tap = try await network.tap("tap0")
  let configuration = try Image.cd(
    cards: [.init(on: .tap(tap), address: "52:54:00:00:00:11", capture: capture)])
  try await withVirtualMachine(configuration, in: network, file: file, function: function) { machine in
    try await machine.expect("boot:")
    machine.type("drone TYD=3\n")
    try await machine.expectShell()
    try await machine.waits(for: "that it serves", within: .seconds(90)) { $0.contains("\"boots\":") }
    try await machine.succeeds(
      "n=0; until grep -q 'pxe .*others may boot' /run/tyd/log || [ $n = 40 ]; do sleep 1; n=$((n+1)); done; "
        + "grep -q 'pxe .*others may boot' /run/tyd/log")
    try await body(machine)
  }
}

extension VirtualMachine {
  /// Asks for tyd's status until it is as wanted, and gives it.
  @discardableResult
  func waits(for wanted: String, within bound: Duration = .seconds(60), _ holds: (String) -> Bool) async throws
    -> String
  {
    let watch = MachineWatch()
    while true {
      let status = try await run("tyd --status --json").output
      if holds(status) { return status }
      guard watch.elapsed < bound else {
        let log = try await run("cat /run/tyd/log; dmesg | tail -5").output
        throw BuildError.input("It did not come within \(bound): \(wanted). Status: \(status)\nLog: \(log)")
      }
      try await Task.sleep(for: .milliseconds(300))
    }
  }
}
