import Foundation
import SystemPackage
import Target
import Testing
import VirtualMachine

/// Work that exists on the master alone, run by drones.
@Suite struct WorkTests {
  @Test(
    "a command of the master's runs on a drone as if it ran there: files, user, status, signals, outputs, terminal; it is seen, and ended"
  )
  func asIfHere() async throws {
    try await withWorkers { _, master, drones in
      let there = "mosrun -n 192.168.1.21 "
      // Programs that no drone has, one of them a script.
      #expect(try await master.output(there + "hello") == "hello")
      #expect(try await master.output(there + "sh -c 'echo $MOSRUN_NODE-$MOSRUN_HOME'") == "0x0115-0x010b")
      let name = try await drones[0].output("hostname")
      #expect(try await master.output(there + "hostname") == name && name != "master")
      // A script that names no program to read it.
      try await master.succeeds(
        "mkdir -p /tmp/plain; echo 'echo read by $MOSRUN_NODE $1' > /tmp/plain/s; chmod 755 /tmp/plain/s")
      #expect(
        try await master.output("cd /tmp/plain; \(there) ./s x; mosrun -h ./s y") == "read by 0x0115 x\nread by y")
      // The exit status, and a signal's.
      #expect(try await master.run(there + "sh -c 'exit 7'").status == 7)
      #expect(try await master.run(there + "sh -c 'kill -9 $$'").status == 137)
      #expect(try await master.run(there + "nothing-like-this").status == 127)
      // The outputs stay apart, and the input is the command's.
      #expect(try await master.output(there + "sh -c 'echo out; echo err >&2' 2>/dev/null") == "out")
      #expect(try await master.output("echo text | \(there) cat") == "text")
      #expect(
        try await master.output("dd if=/dev/zero bs=1k count=3000 2>/dev/null | \(there) cat | wc -c") == "3072000")
      // An ordinary user, in his own folder.
      try await master.succeeds(
        "echo 'alice:x:1000:1000::/home/alice:/bin/sh' >> /etc/passwd; mkdir -p /home/alice; chown 1000:1000 /home/alice; "
          + "echo secret > /root/mine; chmod 700 /root")
      try await master.succeeds(
        "setpriv --reuid 1000 --regid 1000 --clear-groups sh -c 'export HOME=/home/alice; cd; \(there) sh -c \"id -u; pwd; umask; echo made > here; cat /root/mine; ls /home; ls /proc | grep -c ^[0-9]\"' > /tmp/said 2>&1; true"
      )
      let said = try await master.output("cat /tmp/said")
      #expect(said.hasPrefix("1000\n/home/alice\n"), "\(said)")
      #expect(said.contains("/root/mine") && !said.contains("secret"), "\(said)")
      #expect(try await master.output("stat -c '%u %a' /home/alice/here; cat /home/alice/here") == "1000 644\nmade")
      // A terminal where this one is.
      #expect(try await master.output(there + "sh -c 'test -t 0 && test -t 1 && echo terminal'") == "terminal")
      // A job has no way out: no capabilities, no writable /proc, no file of the drone's.
      let bounds = try await master.output(
        there
          + "sh -c 'grep CapEff /proc/self/status; echo x > /proc/sys/kernel/core_pattern; unshare -r true; ls /proc/1/root; "
          + "mount -t proc proc /mnt; chmod 0 /dev/null; echo x > /dev/null' 2>&1; true"
      )
      #expect(bounds.contains("/dev/null: Read-only"), "\(bounds)")
      #expect(bounds.contains("0000000000000000") && bounds.contains("core_pattern: Read-only"), "\(bounds)")
      #expect(bounds.contains("unshare: ") && bounds.contains("/proc/1/root: Permission denied"), "\(bounds)")
      // A job that takes all memory ends, and the node does not.
      let hog = try await master.run(
        there + "sh -c 'x=xxxxxxxxxxxxxxxx; while :; do x=$x$x; done'", within: .seconds(120))
      #expect(hog.status == 137 || hog.status == 2, "\(hog)")
      // What one job writes the next one reads on another node.
      try await master.succeeds("mkdir /tmp/work; cd /tmp/work; mosrun -n 0x0116 sh -c 'echo 1 > a'")
      #expect(try await master.output("cd /tmp/work; \(there) cat a") == "1")
      // Everywhere at once.
      let all = try await master.output("cd /; mosrun -a sh -c 'echo same'")
      #expect(all.contains("0x010b,0x0115,0x0116 (3)") && all.contains("same"), "\(all)")
      // A job for each line of a list, over the cluster, its outputs in the list's order.
      try await master.succeeds("cd /tmp/work; for w in a b c d; do echo \"echo $w; test \\$MOSRUN_NODE\"; done > list")
      #expect(try await master.output("cd /tmp/work; mosrun -j 3 --joblog log -f list | tr -d '\\n'") == "abcd")
      #expect(try await master.output("cd /tmp/work; cut -f7 log | tr '\\n' ' '") == "Exitval 0 0 0 0")
      // The rest of /tmp is the drone's own, and so is nothing of the drone's files.
      #expect(try await master.run("touch /tmp/here-only; cd /; \(there) ls /tmp/here-only /init /run/tyd").status != 0)
      #expect(try await master.run("cd /; \(there) touch /usr/bin/new").status != 0)
      #expect(try await drones[0].run("certaintyd --status 2>&1 | grep -i lost").status != 0)
      try await speaksToMembersAlone(master, drones)
      try await filesHaveTimesOfTheirHome(master, drones[1])
      // Nothing is left behind.
      #expect(try await drones[0].output("ps | grep -c '[m]osd-job'") == "0")
      try await nobodyElseMounts(master, drones)
      try await forkBomb(master, drones[0])
      try await jobsAreSeen(master, drones)
    }
  }

  /// A command speaks to members and hears them, to nobody else even where the node's own filter is open, and by no port of a node's.
  private func speaksToMembersAlone(_ master: VirtualMachine, _ drones: [VirtualMachine]) async throws {
    let there = "cd /; mosrun -n 0x0115 "
    try await drones[1].succeeds("{ echo from-the-other | timeout 300 nc -l -p 6000 >/tmp/heard & }; sleep 1")
    #expect(
      try await master.output(there + "sh -c 'echo from-the-job | nc -w 20 192.168.1.22 6000'") == "from-the-other")
    #expect(try await drones[1].output("cat /tmp/heard") == "from-the-job")
    try await master.succeeds(
      "(\(there) sh -c 'echo served | timeout 300 nc -l -p 6001' >/tmp/served </dev/null 2>&1 &)")
    let heard =
      "n=0; until echo asked | nc -w 5 192.168.1.21 6001 2>/dev/null || [ $n = 60 ]; do sleep 1; n=$((n+1)); done"
    #expect(try await drones[1].output(heard) == "served")
    try await drones[0].succeeds("tyd -f off")
    // The drone itself is refused nothing any longer.
    let told = try await drones[0].output("nc -w 5 192.168.1.1 6000 </dev/null 2>&1; true")
    #expect(!told.contains("No route to host"), "\(told)")
    for place in ["192.168.1.1 6000", "192.168.1.22 3278", "192.168.1.11 3279", "127.0.0.1 3279"] {
      let said = try await master.output(there + "sh -c 'nc -w 5 \(place) </dev/null 2>&1; true'")
      #expect(said.contains("No route to host"), "\(place): \(said)")
    }
    try await drones[0].succeeds("tyd -f init")
  }

  /// A clock that is a day ahead is seen by the job, and by no file that it writes: make goes by those.
  private func filesHaveTimesOfTheirHome(_ master: VirtualMachine, _ drone: VirtualMachine) async throws {
    try await drone.succeeds("date -s @$(($(date +%s)+86400))")
    try await master.succeeds(
      "cd /tmp/work; touch a; mosrun -n 0x0116 sh -c 'date +%s; echo 1 >b; touch c' >then; touch d; cat then; date +%s; "
        + "[ $(cat then) -gt $(($(date +%s)+80000)) ] && [ ! a -nt b ] && [ ! b -nt c ] && [ ! c -nt d ]")
    try await drone.succeeds("date -s @$(($(date +%s)-86400))")
  }

  /// A session's files are for its node alone, and for that one no more than the session shows.
  private func nobodyElseMounts(_ master: VirtualMachine, _ drones: [VirtualMachine]) async throws {
    // What root of the node can learn: the secret and the port.
    let mounts = try await drones[0].output("grep ' nfs ' /proc/$(cat /run/mosd/pid)/mounts | head -n 1")
    let words = mounts.split(separator: " ").map(String.init)
    try #require(words.count > 3, "\(mounts)")
    let secret = String(words[0].dropFirst("192.168.1.11:/".count).prefix { $0 != "/" })
    let port = String(words[3].split(separator: ",").first { $0.hasPrefix("port=") }?.dropFirst(5) ?? "")
    try #require(secret.count == 32 && !port.isEmpty, "\(mounts)")
    func mount(_ path: String, by drone: VirtualMachine) async throws -> Bool {
      let options =
        "vers=3,proto=tcp,nolock,soft,timeo=20,retrans=1,port=\(port),mountport=\(port),mountvers=3,mountproto=tcp,"
        + "addr=192.168.1.11,mountaddr=192.168.1.11"
      let made = try await drone.run(
        "mkdir -p /tmp/m; mount -t nfs -o \(options) 192.168.1.11:\(path) /tmp/m && ls /tmp/m && umount /tmp/m",
        within: .seconds(180))
      return made.status == 0
    }
    // The same call of the node that it is for works, so the others prove something.
    #expect(try await mount("/\(secret)/", by: drones[0]))
    #expect(try await !mount("/\(secret)/", by: drones[1]), "another node with the secret")
    #expect(try await !mount("/\(String(secret.reversed()))/", by: drones[0]), "another secret")
    #expect(try await !mount("/\(secret)/var", by: drones[0]), "a folder that is not shown")
    #expect(try await !mount("/\(secret)/usr/../var", by: drones[0]), "the same by a detour")
  }

  private func forkBomb(_ master: VirtualMachine, _ drone: VirtualMachine) async throws {
    _ = try await master.run(
      "cd /; mosrun -n 0x0115 sh -c 'f() { f | f & }; f; sleep 3' >/dev/null 2>&1", within: .seconds(300))
    try await drone.succeeds(
      "n=0; while [ $(ps | wc -l) -gt 150 ]; do [ $n -lt 30 ] || break; sleep 1; n=$((n+1)); done; [ $n -lt 30 ]",
      within: .seconds(300))
    #expect(try await master.run("cd /; mosrun -n 0x0115 true", within: .seconds(120)).status == 0)
  }

  /// mps, mtop and metrics show a job, mkill ends it, and a node takes as much as it is told.
  private func jobsAreSeen(_ master: VirtualMachine, _ drones: [VirtualMachine]) async throws {
    let alice = "setpriv --reuid 1000 --regid 1000 --clear-groups env HOME=/home/alice "
    // Two fill a drone of one processor.
    try await master.succeeds(
      "cd /; for n in 115-1 115-2 116-3; do (\(alice) mosrun -n 0x0${n%-*} sleep 100${n#*-}; echo $? > /tmp/ended${n#*-}) & done; "
        + "n=0; until [ $(mps | grep -c 'sleep 100') = 3 ] || [ $n = 60 ]; do sleep 1; n=$((n+1)); done",
      within: .seconds(300))
    let seen = try await drones[1].output("mps --json")
    let read = try JSONSerialization.jsonObject(with: Data(seen.utf8)) as? [String: Any]
    var names: [String: String] = [:]
    var nodes: [String] = []
    for job in read?["jobs"] as? [[String: Any]] ?? [] {
      #expect(job["user"] as? String == "alice", "\(seen)")
      names[job["command"] as? String ?? ""] = job["job"] as? String
      nodes.append(job["node"] as? String ?? "")
    }
    #expect(nodes.sorted() == ["0x0115", "0x0115", "0x0116"], "\(seen)")
    #expect((read?["silent"] as? [String])?.isEmpty == true, "\(seen)")
    let (first, second) = (try #require(names["sleep 1001"]), try #require(names["sleep 1002"]))
    let third = try #require(names["sleep 1003"])
    // A busy node may miss a round of questions.
    try await master.succeeds(
      "n=0; until mtop --once --sort memory --json | grep -q '\"job\":\"\(first)\"' || [ $n = 20 ]; do n=$((n+1)); done; [ $n -lt 20 ]",
      within: .seconds(300))
    let counts = try await drones[0].output("cat /run/mosd/counts")
    #expect(counts.contains("here 2\n") && counts.contains("mounted "), "\(counts)")
    // Another user may not, nor may a node that it does not concern; its user may, and root of the node that runs it.
    let bob = "setpriv --reuid 1001 --regid 1001 --clear-groups "
    #expect(try await master.run("\(bob) mkill \(first)").output.contains("another user's"))
    #expect(try await drones[1].run("mkill \(first)").output.contains("end it on its home node 0x010b"))
    try await master.succeeds("\(alice) mkill \(first)")
    try await drones[0].succeeds("mkill -KILL \(second)")
    try await master.succeeds("mkill -INT \(third)")
    try await master.succeeds(
      "n=0; until [ -s /tmp/ended1 -a -s /tmp/ended2 -a -s /tmp/ended3 ] || [ $n = 60 ]; do sleep 1; n=$((n+1)); done")
    #expect(try await master.output("sort /tmp/ended[123]") == "130\n137\n143")
    // A node that is drained takes nothing until it is told so.
    try await drones[0].succeeds("mosd --drain")
    #expect(try await master.run("cd /; mosrun -n 0x0115 true").output.contains("takes no work now"))
    try await drones[0].succeeds("mosd --limit 1")
    try await master.succeeds("cd /; mosrun -n 0x0115 true")
    // One that works for others only refuses this one.
    try await drones[0].succeeds(
      "mosd --stop && mosd --work-for 0x0116")
    #expect(try await master.run("cd /; mosrun -n 0x0115 true").output.contains("works for others only"))
    try await drones[1].succeeds("cd /; mosrun -n 0x0115 true")
  }

  @Test(
    "mosrun says that a job's node died, or runs it again elsewhere; a home node's death ends its jobs and lets its files go; a short cut hurts nobody"
  )
  func deaths() async throws {
    try await withWorkers { network, master, drones in
      // tyd may be started anew on either side.
      try await master.succeeds("(cd /; mosrun -n 0x0115 sh -c 'sleep 15; echo still' > /tmp/again 2>&1) & :")
      try await drones[0].succeeds(runs("sleep 15") + "; kill -9 $(cat /run/tyd/pid)")
      try await master.succeeds("kill -9 $(cat /run/tyd/pid); (tyd --resume >/dev/null 2>&1 &) ; sleep 1")
      try await master.succeeds(
        "n=0; until grep -q still /tmp/again || [ $n = 60 ]; do sleep 1; n=$((n+1)); done; cat /tmp/again; grep still /tmp/again"
      )
      // A cable that is out for a while hurts nobody. Three seconds are promised (LostNodesTests); a machine that waits for a
      // processor takes some of them.
      try await master.succeeds(
        "(cd /; mosrun -n 0x0115 sh -c 'sleep 12; echo through' > /tmp/cut 2>&1; echo $? >> /tmp/cut) & :")
      try await drones[0].succeeds(runs("sleep 12"))
      try await network.run("sh", ["-c", "ip link set tap1 down; sleep 2; ip link set tap1 up"])
      try await master.succeeds("n=0; until grep -q '^[0-9]' /tmp/cut || [ $n = 60 ]; do sleep 1; n=$((n+1)); done")
      #expect(try await master.output("cat /tmp/cut") == "through\n0")
      // A drone without power.
      try await master.succeeds(
        "(cd /; mosrun -n 0x0116 sleep 1000 > /tmp/dead 2>&1; echo $? >> /tmp/dead; cat /proc/uptime >> /tmp/dead) & :")
      try await master.succeeds(
        "(cd /; mosrun -r -n 0x0116 sh -c 'sleep 3; echo on $MOSRUN_NODE' > /tmp/repeated 2>&1) & :")
      try await drones[1].succeeds(runs("sleep 1000"))
      try await master.succeeds("cat /proc/uptime > /tmp/then")
      try await drones[1].setLink(up: false)
      try await master.succeeds("n=0; until [ $(wc -l < /tmp/dead) = 3 ] || [ $n = 60 ]; do sleep 1; n=$((n+1)); done")
      let dead = try await master.output("cat /tmp/dead")
      #expect(dead.contains("the node 0x0116 (192.168.1.22) was lost"), "\(dead)")
      #expect(dead.contains("\n255\n"), "\(dead)")
      let then = try await master.output("cut -d. -f1 /tmp/then; tail -n 1 /tmp/dead | cut -d. -f1").split(
        separator: "\n"
      )
      .compactMap { Int($0) }
      try #require(then.count == 2)
      print("mosrun said it \(then[1] - then[0]) s after the drone's last word.")
      try await master.succeeds("n=0; until grep -q ^on /tmp/repeated || [ $n = 60 ]; do sleep 1; n=$((n+1)); done")
      let repeated = try await master.output("cat /tmp/repeated")
      #expect(repeated.contains("once more on another node") && !repeated.contains("on 0x0116"), "\(repeated)")
      // A home node without power.
      master.type("mosrun -n 0x0115 sleep 1000 &\n")
      try await master.expectShell()
      try await drones[0].succeeds(runs("sleep 1000"))
      try await master.setLink(up: false)
      let ended = try await drones[0].output(
        "cut -d. -f1 /proc/uptime; n=0; while ps | grep -q '[s]leep 1000' && [ $n -lt 60 ]; do sleep 1; n=$((n+1)); done; "
          + "cut -d. -f1 /proc/uptime; ps | grep -c '[s]leep 1000'"
      ).split(separator: "\n").compactMap { Int($0) }
      try #require(ended.count == 3 && ended.last == 0, "\(ended)")
      print("The job ended \(ended[1] - ended[0]) s after its home node's last word.")
      // A process that looks sees none of the mounts: they are mosd's alone.
      try await drones[0].succeeds(
        "n=0; while grep -q ' nfs ' /proc/$(cat /run/mosd/pid)/mounts && [ $n -lt 30 ]; do sleep 1; n=$((n+1)); done; "
          + "! grep -q ' nfs ' /proc/$(cat /run/mosd/pid)/mounts && ! grep -q ' nfs ' /proc/mounts")
    }
  }

  /// Waits until the command is seen running.
  private func runs(_ command: String) -> String {
    let seen = "ps | grep -q '[\(command.prefix(1))]\(command.dropFirst())'"
    return "n=0; until \(seen) || [ $n = 60 ]; do sleep 1; n=$((n+1)); done; \(seen)"
  }

  private func withWorkers(
    _ body: @Sendable (NetworkNamespace, VirtualMachine, [VirtualMachine]) async throws -> Void
  ) async throws {
    let addresses = ["192.168.1.21", "192.168.1.22"]
    try await withMasterOfDrones(addresses, targets: [.x86_64, .x86_64]) { network, master, configurations in
      try await startWorkers(network, master, configurations, addresses) { try await body(network, master, $0) }
    }
  }
}

/// Starts two drones that are members of the master's cluster and take its work.
func startWorkers(
  _ network: NetworkNamespace, _ master: VirtualMachine, _ configurations: [MachineConfiguration],
  _ addresses: [String],
  _ body: ([VirtualMachine]) async throws -> Void
) async throws {
  try await withVirtualMachine(configurations[0], in: network) { first in
    try await withVirtualMachine(configurations[1], in: network) { second in
      try await master.beginCluster()
      for machine in [first, second] {
        try await machine.expectShell()
        try await machine.succeeds(
          "n=0; until ifconfig eth0 | grep -q 'inet addr' || [ $n = 30 ]; do sleep 1; n=$((n+1)); done; cat /run/boot.log; tyd -m 192.168.1.11"
        )
      }
      try await master.succeeds("mosd")
      for address in addresses {
        try await master.succeeds(
          "cd /; n=0; until mosrun -n \(address) true || [ $n = 20 ]; do sleep 1; n=$((n+1)); done")
      }
      try await body([first, second])
    }
  }
}
