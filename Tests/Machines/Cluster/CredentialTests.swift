import Testing
import VirtualMachine

/// What a drone does with the cluster's credential that its image carries.
@Suite struct CredentialTests {
  @Test("a drone from the network has the cluster's certificate and no key, and its root is as certaintyd knows it")
  func fromNetwork() async throws {
    try await withVirtualMachine(try Image.direct("ip=off")) { machine in
      try await machine.expectShell()
      #expect(try await machine.output("ls -A /run/cluster | tr '\\n' ' '") == "ca.crt cluster")
      #expect(try await machine.output("stat -c %a /run/cluster /run/cluster/ca.crt | tr '\\n' ' '") == "700 600")
      #expect(try await machine.output("grep -c 'cluster .* ok .* must be approved by a member' /run/boot.log") == "1")
      #expect(try await machine.run("test -e /credential").status != 0)
      // certaintyd has looked more than once by then.
      #expect(try await machine.output("sleep 5; pidof certaintyd | wc -w") != "0")
    }
  }

  @Test("a drone from a CD has the key, too, for root alone")
  func fromCD() async throws {
    try await withVirtualMachine(try Image.cd()) { machine in
      try await machine.bootByEnter()
      #expect(try await machine.output("stat -c %a /run/cluster/ca.key") == "600")
      #expect(try await machine.output("grep -c 'cluster .* ok .* may admit itself and others' /run/boot.log") == "1")
      #expect(try await machine.run("test -e /credential").status != 0)
    }
  }
}
