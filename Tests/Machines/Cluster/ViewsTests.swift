import Testing
import VirtualMachine

/// What a person sees of a cluster on a drone's own screens.
@Suite struct ViewsTests {
  @Test("showmap and mosmon show two drones, on a screen and on a serial line, and that one is gone when it is off")
  func twoDrones() async throws {
    try await withNetworkNamespace(address: "192.168.1.1/24") { network in
      try await withDrones(["192.168.1.11", "192.168.1.21"], in: network) { drones in
        let (first, second) = (drones[0].machine, drones[1].machine)
        let outside = try await first.run("showmap")
        #expect(outside.status == 1)
        #expect(outside.output.contains("not in a cluster: `tyd` starts one, `tyd -m ADDRESS` joins one"))
        try await formCluster(drones)
        for (machine, own) in [(first, "0x010b"), (second, "0x0115")] {
          let map = try await machine.succeeds("showmap").replacing("\r", with: "")
          #expect(
            map.contains(
              """
              My Node-Id: \(own)

              Base Node-Id Address          Count
              ------------ ---------------- -----
              0x010b       192.168.1.11     1
              0x0115       192.168.1.21     1
              """), "\(map)")
        }
        #expect(
          try await second.succeeds("showmap --json").contains("\"address\":\"192.168.1.11\",\"state\":\"alive\""))
        let picture = try await first.succeeds("Mosmon --once --keys t | cat")
        #expect(picture.contains("Node #  0x010b 0x0115") && picture.contains("2 nodes, 2 CPUs, load "))
        // Both have 32 MiB, of which the kernel leaves some to programs.
        #expect(try await first.succeeds("mosmon --once --keys t | grep -o 'of [45][0-9] MiB'").contains("MiB"))
        // 80 columns by 24 rows without being told.
        #expect(picture.split(separator: "\n").count { $0.contains("|") || $0.contains("+---") } == 22, "\(picture)")

        // A serial line does not know its size: the terminal is asked, and this one says that it has ten rows.
        second.type("mosmon\n\u{1B}[10;60R")
        let above = try await second.expect("Node #")
        #expect(above.count { $0 == "|" } == 7, "\(above)")
        try await second.expect("q quit")
        second.type("q")
        try await second.expect(Image.prompt)
        #expect(try await second.succeeds("echo $((6*7))").contains("42"))

        try await first.typeOnKeyboard("\nmosmon\n")
        try await first.expectOnScreen("Node #  0x010b 0x0115")
        try await first.typeOnKeyboard("mt")
        try await first.expectOnScreen("memory in use, % | 2 nodes")
        try await first.screenshot(to: try Image.screenshot("mosmon"))
        try await first.typeOnKeyboard("h")
        try await first.expectOnScreen("mosmon: one bar for every node")
        try await first.press(["ret"])
        try await first.expectOnScreen("memory in use, % | 2 nodes")

        second.type("poweroff\n")
        _ = try await second.waitForEnd(within: .seconds(60))
        try await first.expectOnScreen("1 node, 1 gone (d)", within: .seconds(60))
        try await first.typeOnKeyboard("d")
        let dead = try await first.expectOnScreen("Node #  0x010b 0x0115")
        #expect(dead.contains("| 1 node, 1 gone "))
        try await first.typeOnKeyboard("q")
        #expect(!(try await first.succeeds("showmap").contains("0x0115")))
        try await first.typeOnKeyboard("\nstty -a\n")
        try await first.expectOnScreen(" icanon")
      }
    }
  }
}
