import Testing
import VirtualMachine

/// One way to change a drone's root, and what certaintyd says of it.
struct Tamper: Sendable, CustomTestStringConvertible {
  /// One line of the shell on the drone.
  let command: String
  /// The path that certaintyd names.
  let path: String
  /// What it may say of the path: which of several true things comes first may depend on how far the pass is.
  let words: [String]

  init(_ command: String, _ path: String, _ words: String...) {
    self.command = command
    self.path = path
    self.words = words
  }

  var testDescription: String { command }

  /// Whether a line of certaintyd's is about this change.
  func isNamed(in line: some StringProtocol) -> Bool { words.contains { line.contains("\(path): \($0)") } }

  /// The command, and then /etc/passwd's times as they were before it.
  private static func keepingTimes(_ command: String) -> String {
    "touch -r /etc/passwd /tmp/t; \(command); touch -r /tmp/t /etc/passwd"
  }

  static let all = [
    Tamper("echo intruder::0:0::/:/bin/sh >> /etc/passwd", "/etc/passwd", "size changed from"),
    Tamper(keepingTimes("echo x >> /etc/passwd"), "/etc/passwd", "size changed from"),
    // The shell's touch knows no nanoseconds, so that mtime may show it before ctime does.
    Tamper(
      keepingTimes("printf R | dd of=/etc/passwd conv=notrunc 2>/dev/null"), "/etc/passwd",
      "content changed", "was changed (ctime)", "was modified"),
    Tamper("chmod 644 /etc/services", "/etc/services", "was changed (ctime)"),
    Tamper("chmod 4755 /bin/busybox", "/bin/busybox", "mode changed from 755 to 4755"),
    Tamper("chmod 777 /etc", "/etc", "mode changed from 755 to 777"),
    Tamper("chown daemon /etc/group", "/etc/group", "owner changed"),
    Tamper("ln -sf /sbin/init /bin/ls", "/bin/ls", "link target changed"),
    Tamper("echo x > /sbin/backdoor", "/sbin/backdoor", "was added"),
    Tamper("mkdir /root/.ssh", "/root/.ssh", "was added"),
    Tamper("rm /bin/wget", "/bin/wget", "is gone"),
    Tamper("rm /etc/shells; mknod /etc/shells c 1 3", "/etc/shells", "is another kind of file"),
    Tamper("mknod /etc/mem c 1 1", "/etc/mem", "was added"),
    Tamper("cp -p /etc/group /tmp/g; cp -p /tmp/g /etc/group", "/etc/group", "was changed (ctime)", "was modified"),
    Tamper("mount -o bind /tmp /bin", "/bin", "was mounted over"),
    Tamper("mount -t tmpfs none /etc", "/etc", "was mounted over"),
    Tamper("mount -t tmpfs none /tmp", "/tmp", "was mounted over"),
    Tamper("mount -o remount,noatime /", "/", "was remounted with other options"),
  ]
}

extension VirtualMachine {
  /// What ends certaintyd's line when it restarts the drone.
  static let alarm = "; the drone restarts"

  /// Ends the certaintyd that the boot started and starts one that does not wait 30 s, as an operator can; returns when
  /// it has looked once.
  func startCertaintyd(_ options: String = "--delay 0") async throws {
    try await endCertaintyd()
    type("certaintyd \(options) &\n")
    try await expectShell()
    try await waitForPass()
  }

  /// Kills certaintyd as the operator does and waits until it is gone.
  func endCertaintyd() async throws {
    try await run("kill $(cat /run/certaintyd/pid); while kill -0 $(cat /run/certaintyd/pid); do sleep 0.1; done")
    try #require(try await run("pidof certaintyd").status != 0)
  }

  /// Waits up to `seconds` of the guest's time until certaintyd has looked `count` times.
  func waitForPass(_ count: Int = 1, seconds: Int = 40) async throws {
    for _ in 0..<(seconds * 2) {
      if try await passes() >= count { return }
      try await run("sleep 0.5")
    }
    Issue.record("certaintyd did not look \(count) times: \(try await output("certaintyd --status"))")
  }

  /// How often certaintyd has looked, by its own count; 0 when it does not say.
  func passes() async throws -> Int {
    Int(try await output("awk '/^passes / { print $2 }' /run/certaintyd/status")) ?? 0
  }

  /// certaintyd's lines that the drone restarts: those that the kernel printed and those on the console itself.
  var alarms: (kernel: [Substring], console: [Substring]) {
    let lines = transcript.split(separator: "\n").filter { $0.contains("certaintyd: ") && $0.contains(Self.alarm) }
    // `[   17.924640] certaintyd: …`, perhaps after a prompt.
    return (lines.filter { $0.contains("] certaintyd: ") }, lines.filter { !$0.contains("] certaintyd: ") })
  }
}
