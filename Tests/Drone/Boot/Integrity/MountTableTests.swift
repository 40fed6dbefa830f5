import Integrity
import Testing

private let lines = [
  "1 1 0:2 / / rw - rootfs rootfs rw,size=11688k,nr_inodes=2922",
  "12 1 0:12 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw",
  "13 1 0:13 / /sys rw,nosuid,nodev,noexec,relatime - sysfs sysfs rw",
  "14 1 0:5 / /dev rw,nosuid - devtmpfs devtmpfs rw,size=11688k",
  "15 14 0:14 / /dev/pts rw,nosuid,noexec - devpts devpts rw,gid=5,mode=620,ptmxmode=666",
  "16 1 0:15 / /run rw,nosuid,nodev - tmpfs tmpfs rw,mode=755",
  "17 1 0:16 / /tmp rw,nosuid,nodev - tmpfs tmpfs rw",
]

private func table(_ lines: [String]) -> MountTable { MountTable(text: bytes(lines.joined(separator: "\n") + "\n")) }

@Suite struct MountTableTests {
  private let start = table(lines)

  @Test("a drone's own mounts are as they should be")
  func own() { #expect(start.findings(start: start).isEmpty) }

  @Test(
    "mounts at /mnt, and below the kernel's filesystems and the working state, raise no alarm",
    arguments: ["/mnt", "/mnt/boot", "/mnt/usb\\040stick", "/tmp/x", "/run/x", "/sys/fs/cgroup", "/proc/fs/nfsd"])
  func harmless(point: String) {
    #expect(table(lines + ["20 1 11:0 / \(point) ro - iso9660 /dev/sr0 ro"]).findings(start: start).isEmpty)
  }

  @Test(
    "a mount over a path of the root is found",
    arguments: ["/bin", "/etc", "/etc/passwd", "/", "/run", "/tmp", "/proc", "/mntx", "/devx"])
  func over(point: String) {
    let found = table(lines + ["20 1 0:2 /root \(point) rw - tmpfs none rw"]).findings(start: start)
    #expect(found == [Finding(path: bytes(point), difference: .mounted)])
  }

  @Test("a remount with other options is found")
  func remount() {
    var changed = lines
    changed[0] = "1 1 0:2 / / ro - rootfs rootfs rw,size=11688k,nr_inodes=2922"
    #expect(table(changed).findings(start: start) == [Finding(path: bytes("/"), difference: .remounted)])
  }

  @Test("a mount of the drone's own that is gone, or is another kind of filesystem, is found")
  func gone() {
    #expect(
      table([String](lines.dropLast())).findings(start: start) == [Finding(path: bytes("/tmp"), difference: .missing)])
    var changed = lines
    changed[5] = "16 1 0:15 / /run rw - ext2 /dev/sda1 rw"
    #expect(table(changed).findings(start: nil) == [Finding(path: bytes("/run"), difference: .mounted)])
  }

  @Test("a line that cannot be read is itself a finding")
  func unreadable() {
    let found = table(lines + ["what is this"]).findings(start: start)
    #expect(found == [Finding(path: bytes("/proc/self/mountinfo"), difference: .unreadable(errno: 0))])
  }

  @Test("one that was missing at the start already is no change")
  func neverThere() {
    let without = table([String](lines.dropLast()))
    #expect(without.findings(start: without) == [])
    #expect(without.findings(start: nil) == [Finding(path: bytes("/tmp"), difference: .missing)])
  }

  @Test("what holds data is unmounted latest first, the kernel's own views and the root never")
  func unmounting() {
    let more = [
      "20 1 11:0 / /mnt/boot ro - iso9660 /dev/sr0 ro", "21 1 8:1 / /mnt/a\\040b\\134 rw - vfat /dev/sda1 rw",
    ]
    #expect(table(lines + more).unmountOrder == [bytes("/mnt/a b\\"), bytes("/mnt/boot")])
  }
}
