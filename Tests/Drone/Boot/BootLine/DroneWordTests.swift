import Addresses
import BootLine
import Testing

/// The drone's own words, and those of CHAOS.
@Suite struct DroneWordTests {
  @Test("without any word the defaults hold")
  func defaults() {
    #expect(BootLine("").drone == DroneWords())
    let drone = DroneWords()
    #expect(drone.filter && drone.shell && drone.certaintyd == .on && drone.tyd == .off)
    #expect(!drone.eject && !drone.debug && drone.medium == nil && drone.consoles == [] && drone.asksForAddress)
  }

  @Test(
    "boot= names the medium and its file system",
    arguments: [
      ("boot=/dev/cdrom:iso9660", "/dev/cdrom", .iso9660),
      ("BOOT=/dev/cdrom:iso9660", "/dev/cdrom", .iso9660),
      ("boot=/dev/sda1:vfat", "/dev/sda1", .vfat),
      ("boot=/dev/sr0", "/dev/sr0", .iso9660),
      ("boot=/dev/disk/by-label/DRONE", "/dev/disk/by-label/DRONE", .iso9660),
      ("boot=/dev/sr0 boot=/dev/sr1", "/dev/sr1", .iso9660),
    ] as [(String, String, DroneWords.FileSystem)])
  func medium(line: String, device: String, filesystem: DroneWords.FileSystem) {
    let read = BootLine(line)
    #expect(read.medium.map { text($0.device) } == device)
    #expect(read.medium?.filesystem == filesystem)
    #expect(read.sentences == [])
  }

  @Test(
    "tyd=, TYD= and MASTER= say what tyd does",
    arguments: [
      ("tyd=off", .off), ("tyd=first", .first), ("tyd=any", .joinAny), ("tyd=pxe", .firstServingNetboot),
      ("tyd=192.168.1.11", .join(IPv4Address(192, 168, 1, 11))),
      ("TYD=0", .off), ("TYD=1", .joinAny), ("TYD=2", .first), ("TYD=3", .firstServingNetboot),
      ("TYD=1 MASTER=192.168.1.11", .join(IPv4Address(192, 168, 1, 11))),
      ("MASTER=192.168.1.11 TYD=1", .join(IPv4Address(192, 168, 1, 11))),
      ("TYD=1 MASTER=any", .joinAny), ("TYD=1 MASTER=multicast", .joinAny),
      ("tyd=first tyd=any", .joinAny), ("TYD=2 tyd=off", .off), ("TYD=1 tyd=first", .first),
    ] as [(String, DroneWords.Membership)])
  func membership(line: String, expected: DroneWords.Membership) {
    #expect(BootLine(line).tyd == expected)
    #expect(BootLine(line).sentences == [])
  }

  @Test(
    "switches take 0 and 1, the bare ones stand for 1",
    arguments: [
      ("eject", \.eject, true), ("eject=1", \.eject, true), ("EJECT=1", \.eject, true), ("eject=0", \.eject, false),
      ("EJECT=1 eject=0", \.eject, false),
      ("shell=0", \.shell, false), ("SHELL=0", \.shell, false), ("shell=1", \.shell, true),
      ("SHELL=0 shell=1", \.shell, true),
      ("debug", \.debug, true), ("debug=1", \.debug, true), ("debug=0", \.debug, false),
      ("filter=off", \.filter, false), ("filter=on", \.filter, true), ("filter=off filter=on", \.filter, true),
      ("watchdog=off", \.watchdog, false), ("watchdog=on", \.watchdog, true), ("", \.watchdog, true),
      ("modules=open", \.keepsModulesOpen, true), ("modules=open modules=locked", \.keepsModulesOpen, false),
      ("DHCP=0", \.drone.asksForAddress, false), ("DHCP=1", \.drone.asksForAddress, true),
    ] as [(String, KeyPath<BootLine, Bool> & Sendable, Bool)])
  func switches(line: String, path: KeyPath<BootLine, Bool> & Sendable, expected: Bool) {
    #expect(BootLine(line)[keyPath: path] == expected)
    #expect(BootLine(line).sentences == [])
  }

  @Test(
    "a drone takes two jobs a processor, or as many as it is told",
    arguments: [
      ("", nil), ("work=off", 0), ("work=1", 1), ("work=1000 work=4", 4), ("work=0", nil), ("work=1001", nil),
      ("work=on", nil), ("work", nil), ("work=-1", nil),
    ] as [(String, Int?)])
  func jobs(line: String, expected: Int?) { #expect(BootLine(line).jobs == expected) }

  @Test(
    "a drone works for the home nodes that it is told, and for nobody when it cannot be told for whom",
    arguments: [
      ("", nil), ("work-for=0x010b,192.168.1.1", 2), ("work-for=1", 1), ("work-for=anna", 0), ("work-for=", 0),
      ("work-for=1,", 0), ("work-for", 0), ("work-for=1 work-for=x", 0),
    ] as [(String, Int?)])
  func workHomes(line: String, count: Int?) {
    #expect(BootLine(line).workHomes?.count == count)
    #expect(BootLine(line).sentences.isEmpty == (count != 0))
  }

  @Test(
    "certaintyd can be off, on or locked",
    arguments: [("off", .off), ("on", .on), ("locked", .locked)] as [(String, DroneWords.RootWatch)])
  func certaintyd(value: String, expected: DroneWords.RootWatch) {
    #expect(BootLine("certaintyd=\(value)").certaintyd == expected)
  }

  @Test(
    "consoles are kept in order, a serial port with its speed",
    arguments: [
      ("console=tty0 console=ttyS0,115200n8", ["tty0", "ttyS0 115200"]),
      ("console=ttyS1,9600", ["ttyS1 9600"]), ("console=ttyS0,38400e7r", ["ttyS0 38400"]),
      ("console=ttyS0", ["ttyS0"]), ("console=", []), ("console=null", ["null"]),
      ("console=uart8250,io,0x3f8,115200n8", ["uart8250"]), ("console=hvc0", ["hvc0"]),
    ] as [(String, [String])])
  func consoles(line: String, expected: [String]) {
    let read = BootLine(line)
    #expect(read.consoles.map { text($0.device) + ($0.speed.map { " \($0)" } ?? "") } == expected)
    #expect(read.sentences == [])
  }

  @Test("keymap and syslog are kept")
  func others() {
    let read = BootLine("keymap=de-latin1 syslog=192.168.1.11")
    #expect(read.keymap.map(text) == "de-latin1")
    #expect(read.syslog.map(text) == "192.168.1.11")
    #expect(BootLine("syslog=log.example.org").syslog.map(text) == "log.example.org")
  }

  @Test("the kernel's netconsole= is read as the kernel reads it")
  func netconsole() {
    let short = BootLine("netconsole=@192.168.1.21/,@192.168.1.11/")
    #expect(short.sentences == [])
    #expect(short.netconsole.map { text($0.host.text) } == ["192.168.1.11"])
    #expect(short.netconsole.first?.port == 6666 && short.netconsole.first?.ownPort == 6665)
    #expect(short.netconsole.first?.card == nil && short.netconsole.first?.mac == nil)
    let whole = BootLine("netconsole=+4444@10.0.0.1/eth1,9353@10.0.0.2/12:34:56:78:9a:bc;@10.0.0.1/eth0,@10.0.0.3/")
    #expect(whole.netconsole.count == 2)
    #expect(whole.netconsole.first?.port == 9353 && whole.netconsole.first?.ownPort == 4444)
    #expect(whole.netconsole.first?.card.map(text) == "eth1")
    #expect(whole.netconsole.first?.mac.map { text($0.text) } == "12:34:56:78:9a:bc")
    #expect(text(whole.netconsole[1].host.text) == "10.0.0.3")
  }

  @Test(
    "a wrong value is an error naming word, value and what is allowed, and the default stays",
    arguments: [
      ("boot=cdrom", "/dev/cdrom"), ("boot=/dev/cdrom:ext4", ":iso9660 or :vfat"), ("boot", "/dev/cdrom"),
      ("boot=/dev/../etc/passwd", "/dev/cdrom"), ("boot=/dev/", "/dev/cdrom"), ("boot=/dev/cdrom:", ":vfat"),
      ("eject=yes", "0 or 1"), ("EJECT=", "0 or 1"), ("shell=2", "0 or 1"), ("SHELL", "0 or 1"), ("DHCP=on", "0 or 1"),
      ("debug=all", "0 or 1"), ("filter=maybe", "on or off"), ("filter", "on or off"), ("filter=1", "on or off"),
      ("watchdog=0", "on or off"),
      ("certaintyd=1", "off, on or locked"), ("tyd=second", "first"), ("tyd=192.168.1", "IPv4 address"),
      ("tyd=255.255.255.255", "IPv4 address"), ("TYD=4", "0, 1, 2 or 3"), ("TYD=first", "0, 1, 2 or 3"),
      ("MASTER=nobody", "multicast"), ("keymap=../../etc/shadow", "letters"), ("keymap=", "letters"),
      ("netconsole=", "[PORT]@OWN/[CARD],[PORT]@HOST/[MAC]"), ("netconsole=192.168.1.11", "both addresses"),
      ("netconsole=@/,@192.168.1.11/", "both addresses"), ("netconsole=@192.168.1.21/,@192.168.1.11", "both addresses"),
      ("netconsole=0@192.168.1.21/,@192.168.1.11/", "[PORT]"), ("netconsole=@192.168.1.21/,@192.168.1.11/x", "[MAC]"),
      ("netconsole=@192.168.1.21/,@192.168.1.11/;", "both addresses"),
      ("syslog=", "name of a host"), ("syslog=a;b", "name of a host"), ("console", "ttyS0,115200n8"),
      ("console=../sda", "ttyS0,115200n8"),
    ])
  func wrongValues(line: String, allowed: String) {
    let read = BootLine(line)
    #expect(read.drone == DroneWords())
    #expect(read.errors.count == 1)
    #expect(read.sentences.first?.hasPrefix("\"\(line)\": ") == true)
    #expect(read.sentences.first?.contains(allowed) == true)
  }

  @Test("a wrong value leaves an earlier right one in force")
  func earlierStays() {
    #expect(!BootLine("filter=off filter=maybe").filter)
    #expect(BootLine("tyd=any tyd=maybe").tyd == .joinAny)
  }

  @Test("MASTER= without TYD=1 is reported", arguments: ["MASTER=192.168.1.11", "TYD=2 MASTER=192.168.1.11"])
  func masterAlone(line: String) {
    #expect(BootLine(line).sentences == [#""MASTER=192.168.1.11": it means nothing without TYD=1."#])
  }

  @Test(
    "a serial port's wrong setting is reported and no speed is set",
    arguments: ["ttyS0,115k", "ttyS0,9601", "ttyS0,9600x8", "ttyS0,9600n9", "ttyS0,n8"])
  func wrongSpeed(value: String) {
    let read = BootLine("console=\(value)")
    #expect(read.consoles.map { text($0.device) } == ["ttyS0"])
    #expect(read.consoles.first?.speed == nil)
    #expect(read.errors.count == 1)
  }
}
