import Testing
import VirtualMachine

/// What is written on a drone lies in its memory.
@Suite struct MemoryTests {
  @Test(
    "files fill a drone's file systems and nothing else: programs, certaintyd and tyd go on",
    arguments: [16, 24, 32, 256])
  func full(_ size: Int) async throws {
    // Firmware and boot loader need more than 16 MB.
    var configuration =
      size < 32 ? try Image.direct("ip=off") : try Image.cd(cards: [NetworkCard(.rtl8139, on: .user())])
    configuration.memory = size
    try await withVirtualMachine(configuration) { machine in
      try await machine.expectShell()
      // What a drone with less is promised is a shell.
      let isMember = size >= 32
      if isMember { try await machine.succeeds("tyd") }
      try await machine.run("rm -f /tmp/*; grep MemTotal /proc/meminfo; free; df -k")
      try await fill("/tmp", machine)
      // Process 1 says so within five seconds, on the console and where /run has room for it.
      try await machine.succeeds(
        "n=0; until grep '/tmp is full' /run/boot.log || [ $n = 20 ]; do sleep 1; n=$((n+1)); done")
      if isMember {
        #expect(try await machine.run("tyd --status").output.contains("short    /tmp is full"))
      }
      for folder in ["/run", "/dev/shm", "/dev"] { try await fill(folder, machine) }
      // Files without content take memory, too. A failed redirection of `:` would end the line.
      let many = try await machine.run(
        "mkdir /dev/shm/d; n=0; while true >/dev/shm/d/$n; do n=$((n+1)); done 2>&1; echo made $n")
      #expect(!many.output.contains("made 1000000"))
      let left = try await machine.output("awk '/^MemAvailable/ { print $2 }' /proc/meminfo")
      print("With \(size) MB and everything full, \(left) kB are left.")
      #expect((Int(left) ?? 0) >= (size < 32 ? 400 : 4096))
      #expect(try await machine.output("dmesg | grep -c 'Out of memory'") == "0")
      try await machine.succeeds("pidof certaintyd")
      if isMember { #expect(try await machine.run("tyd --status").output.contains("alone")) }
      try await machine.succeeds("rm -r /tmp/full /run/full /dev/shm/* /dev/full-of-zeros; echo x >/tmp/x")
    }
  }

  @Test(
    "so does the root, when nobody watches it, also under the root= of 2003 when its kind is told",
    arguments: ["", "root=/dev/ram0 rw rootfstype=tmpfs "])
  func root(_ words: String) async throws {
    var configuration = try Image.direct("\(words)ip=off certaintyd=off")
    configuration.memory = 32
    try await withVirtualMachine(configuration) { machine in
      try await machine.expectShell()
      try await fill("", machine)
      try await machine.succeeds("rm /full && echo x >/x")
    }
  }

  private func fill(_ folder: String, _ machine: VirtualMachine) async throws {
    // /dev/full is a device.
    let file = folder == "/dev" ? "/dev/full-of-zeros" : folder + "/full"
    let text = try await machine.run("dd if=/dev/zero of=\(file) bs=4k 2>&1").output
    #expect(text.contains("No space left on device"), "\(folder)")
  }
}
