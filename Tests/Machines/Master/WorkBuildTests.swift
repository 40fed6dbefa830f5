import BuildCache
import Foundation
import Image
import SystemPackage
import Target
import TestSupport
import Testing
import VirtualMachine
import Workshop

/// A compiler that only the master has, and a part of musl, built with it by drones.
@Suite struct WorkBuildTests {
  @Test("a part of a real package, built by make -j over two drones, is byte for byte what one computer makes of it")
  func byteForByte() async throws {
    let folder = FilePath(NSTemporaryDirectory())
    try await withTemporaryFolder(in: folder) { folder in
      let source = try await Self.configuredSource(in: folder)
      let objects = try await Self.objects(of: source)
      let list = Entry.file(
        "/root/objects", .bytes([UInt8](objects.joined(separator: "\n").utf8)), why: "what is built")
      let files = try await Self.compiler() + Self.entries(of: source, at: "/root/musl") + [list]
      // What this computer makes of it is not among what the guest has.
      _ = try await Self.make(source, ["-j2", "CC=gcc"] + objects)
      let expected = try await Self.digests(source, objects)
      let addresses = ["192.168.1.21", "192.168.1.22"]
      try await withMasterOfDrones(
        addresses, targets: [.x86_64, .x86_64], masterFiles: files, masterMemory: 512
      ) { network, master, configurations in
        try await startWorkers(network, master, configurations, addresses) { drones in
          try await master.succeeds("cd /root/musl")
          let began = try await master.uptime()
          try await master.succeeds(
            "make -j4 CC='mosrun gcc' $(cat /root/objects) >/tmp/made 2>&1 || { tail -n 20 /tmp/made; false; }",
            within: .seconds(900))
          let ended = try await master.uptime()
          let made = try await master.output("sha256sum $(cat /root/objects)")
          #expect(made.split(separator: "\n").map(String.init) == expected)
          // The master compiled some of it itself: it is one of the nodes.
          var given = 0
          for line in try await master.output("cat /run/mosd/counts").split(separator: "\n") {
            if line.hasPrefix("given ") { given = Int(line.dropFirst(6)) ?? 0 }
          }
          #expect(given >= 2, "\(given) of \(objects.count)")
          print("\(objects.count) objects of musl, \(given) by two drones: \(ended - began) s of the guest's time.")
          if Master.isMeasured { try await measure(master, drones[0]) }
        }
      }
    }
  }

  private func measure(_ master: VirtualMachine, _ drone: VirtualMachine) async throws {
    let there = "mosrun -n 0x0115 "
    func seconds(_ count: Int, _ command: String) async throws -> Double {
      let before = try await master.uptime()
      try await master.succeeds("for n in $(seq \(count)); do \(command); done >/dev/null 2>&1", within: .seconds(1800))
      return (try await master.uptime() - before) / Double(count)
    }
    /// Calls for files so far, of the view that is to be read and of those that are written.
    func requests() async throws -> [Int] {
      try await drone.output(
        "awk '/^device/ { v = $5 ~ /system$/ } /^[\t ]+[A-Z]+: / { n[v] += $2 } END { print n[1] + 0, n[0] + 0 }' "
          + "/proc/$(cat /run/mosd/pid)/mountstats"
      ).split(separator: " ").compactMap { Int($0) }
    }
    let compile =
      "gcc -std=c99 -nostdinc -O2 -I./arch/x86_64 -I./arch/generic -Iobj/src/internal -I./src/include "
      + "-I./src/internal -Iobj/include -I./include -D_XOPEN_SOURCE=700 -c -o /tmp/x.o src/stdlib/qsort.c"
    _ = try await seconds(1, there + compile)
    let here = try await seconds(2, compile)
    let away = try await seconds(2, there + compile)
    let nothing = try await seconds(5, there + "true")
    _ = try await master.run("cd /")
    let before = try await requests()
    _ = try await seconds(1, there + "gcc --version")
    let version = zip(try await requests(), before).map { $0 - $1 }
    _ = try await master.run("cd /root/musl")
    print(
      """
      A warm gcc by mosrun takes \(rounded(away)) s, at home \(rounded(here)) s: \(rounded(away / here)) times. \
      mosrun true: \(rounded(nothing)) s. gcc --version, warm: \(version) requests for files to read, and to write.
      """)
    try await measureAgainstSSH(master)
    // Very many in a row leave nothing behind, on neither side.
    let heldBefore = try await [held(by: master), held(by: drone)]
    let one = try await seconds(1000, there + "true")
    let heldAfter = try await [held(by: master), held(by: drone)]
    print("1,000 in a row: \(rounded(one)) s each; before: \(heldBefore), after: \(heldAfter)")
  }

  /// The server of ssh runs on the drone as a job does, and is reached through ESP as mosd is.
  private func measureAgainstSSH(_ master: VirtualMachine) async throws {
    let alice = "setpriv --reuid 1000 --regid 1000 --clear-groups env HOME=/home/alice "
    try await master.succeeds(
      "echo 'alice:x:1000:1000::/home/alice:/bin/sh' >> /etc/passwd; mkdir -p -m 700 /home/alice/.ssh; cd /home/alice; "
        + "dropbearkey -t ed25519 -f key | grep ^ssh > .ssh/authorized_keys; dropbearkey -t ed25519 -f host >/dev/null; "
        + "echo /bin/sh > /etc/shells; chown -R 1000:1000 /home/alice; chmod 600 .ssh/authorized_keys")
    try await master.succeeds(
      "(\(alice) mosrun -n 0x0115 dropbear -F -E -s -p 2222 -r host </dev/null >/tmp/dropbear 2>&1 &)")
    let ssh = "\(alice) dbclient -y -y -p 2222 -i key 192.168.1.21 true"
    _ = try await master.run("n=0; until \(ssh) || [ $n = 60 ]; do sleep 1; n=$((n+1)); done", within: .seconds(300))
    var times: [(Double, Double)] = []
    for _ in 0..<10 {
      let start = try await master.uptime()
      let status = try await master.run(ssh, within: .seconds(60))
      guard status.status == 0 else {
        print("ssh: \(status.output) \(try await master.output("cat /tmp/dropbear"))")
        return
      }
      let middle = try await master.uptime()
      try await master.succeeds("\(alice) mosrun -n 0x0115 true")
      times.append((middle - start, try await master.uptime() - middle))
    }
    let ssh10 = times.map(\.0).sorted(), mosrun10 = times.map(\.1).sorted()
    print(
      "true by ssh: \(rounded(ssh10[5])) s (best \(rounded(ssh10[0]))); by mosrun \(rounded(mosrun10[5])) s (best \(rounded(mosrun10[0])))."
    )
    _ = try await master.run("cd /root/musl")
  }

  /// What a node's mosd holds: descriptors, resident memory, mounts; processes and job groups of the node.
  private func held(by machine: VirtualMachine) async throws -> String {
    try await machine.output(
      "p=$(cat /run/mosd/pid); echo $(ls /proc/$p/fd | wc -l) descriptors, $(grep VmRSS /proc/$p/status | tr -s ' \t' ' '), "
        + "$(wc -l </proc/$p/mounts) mounts, $(ps | grep -c '[m]osd') processes, "
        + "$(ls -d /proc/$p/root/run/mosd/groups/jobs/0x* 2>/dev/null | wc -l) groups")
  }

  private func rounded(_ value: Double) -> String { String(format: "%.2f", value) }

  // MARK: The package

  /// musl as its makers publish it, ready to be built, from what the sysroot was built of.
  private static func configuredSource(in folder: FilePath) async throws -> FilePath {
    let sources = defaultCache().appending("sources")
    let archives = try FileManager.default.subpathsOfDirectory(atPath: sources.string).filter {
      $0.contains("/musl_") && $0.hasSuffix(".orig.tar.gz")
    }
    guard let archive = archives.sorted().last else {
      throw BuildError.input("No archive of musl lies below \(sources): run `make iso` first.")
    }
    let source = folder.appending("musl")
    try makeFolder(source)
    _ = try await Command(
      "tar", ["-xf", sources.appending(archive).string, "-C", source.string, "--strip-components=1"]
    ).output()
    _ = try await Command(
      "sh", ["-c", "cd \"$1\" && ./configure CC=gcc --disable-shared >/dev/null", "sh", source.string]
    ).output()
    _ = try await make(
      source, ["obj/include/bits/alltypes.h", "obj/include/bits/syscall.h", "obj/src/internal/version.h"])
    return source
  }

  private static func make(_ source: FilePath, _ words: [String]) async throws -> [UInt8] {
    try await Command("make", ["-C", source.string] + words).output()
  }

  private static func objects(of source: FilePath) async throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: source.appending("src/string").string)
      .filter { ($0.hasPrefix("strc") || $0.hasPrefix("strn")) && $0.hasSuffix(".c") }
      .map { "obj/src/string/\($0.dropLast(2)).o" }.sorted()
  }

  private static func digests(_ source: FilePath, _ objects: [String]) async throws -> [String] {
    let text = try await Command(
      "sh", ["-c", "cd \"$1\" && shift && sha256sum \"$@\"", "sh", source.string] + objects
    ).output()
    return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  private static func entries(of source: FilePath, at place: String) throws -> [Entry] {
    try FileManager.default.subpathsOfDirectory(atPath: source.string).compactMap { name in
      let file = source.appending(name)
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: file.string, isDirectory: &isFolder), !isFolder.boolValue else {
        return nil
      }
      return .file(
        "\(place)/\(name)", .file(file), executable: FileManager.default.isExecutableFile(atPath: file.string),
        why: "the package that is built")
    }
  }

  /// gcc, as and make of this computer, with what they load.
  private static func compiler() async throws -> [Entry] {
    let named = try await Command("gcc", ["-print-prog-name=cc1"]).output()
    let first = String(decoding: named, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    var files: Set<String> = []
    var entries: [Entry] = []
    let ssh = Master.isMeasured ? ["/usr/sbin/dropbear", "/usr/bin/dbclient", "/usr/bin/dropbearkey"] : []
    for program in ["/usr/bin/gcc", "/usr/bin/as", "/usr/bin/make", "/usr/bin/sha256sum", first] + ssh {
      for file in try await [program] + Master.libraries(of: program) where files.insert(file).inserted {
        entries.append(.file(file, .file(FilePath(file)), executable: true, why: "the compiler"))
      }
    }
    return entries
  }
}

extension VirtualMachine {
  /// Seconds since the guest started, by its own clock.
  fileprivate func uptime() async throws -> Double {
    Double(try await output("cut -d' ' -f1 /proc/uptime")) ?? 0
  }
}
