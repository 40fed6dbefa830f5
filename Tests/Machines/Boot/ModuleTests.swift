import Testing
import VirtualMachine

/// A drone of 64 bits, whose kernel brings its drivers as modules.
@Suite struct ModuleTests {
  @Test(
    "a PC of 64 bits boots from CD, loads what its card needs, gets its address, and after ten seconds takes no further module"
  )
  func cd() async throws {
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      try await network.serveDHCP()
      let card = NetworkCard(.e1000, on: .tap(try await network.tap("tap0")))
      var configuration = try Image.cd64(cards: [card])
      configuration.boot = .cd(try Image.wideISO)
      try await withVirtualMachine(configuration, in: network) { machine in
        try await machine.expect("boot:")
        machine.type("first no_timer_check\n")
        try await machine.expectShell()
        #expect(try await machine.output("uname -m") == "x86_64")
        #expect(try await machine.address().hasPrefix("192.168.1.1"))
        let loaded = try await machine.output("cut -d' ' -f1 /proc/modules")
        #expect(loaded.split(separator: "\n").contains("e1000"), "\(loaded)")
        #expect(!loaded.split(separator: "\n").contains("e1000e"), "only what a device asks for")
        // Then those that nobody needed go from memory, too.
        try await machine.succeeds(
          "n=0; until [ $(cat /proc/sys/kernel/modules_disabled) = 1 ] || [ $n = 40 ]; do sleep 1; n=$((n+1)); done; "
            + "[ $n -lt 40 ]; sleep 2; [ -z \"$(ls -A /modules)\" ]")
        #expect(try await machine.output("certaintyd --once; echo $?") == "0")
        #expect(try await machine.run("ip -6 addr | grep .").status != 0, "a drone has no IPv6")
        let status = try await machine.output("tyd --status")
        #expect(status.contains("alive"), "\(status)")
      }
    }
  }
}
