import Addresses
import Bytes
import Testing
import TydCommand

private func words(_ line: String) -> [[UInt8]] { line.split(separator: " ").map { [UInt8]($0.utf8) } }

@Suite struct TydCommandTests {
  static let tasks: [(line: String, task: TydCommand.Task)] = [
    ("", .start),
    ("-m 192.168.1.11", .join(.address(IPv4Address(192, 168, 1, 11)))),
    ("--master 192.168.1.11", .join(.address(IPv4Address(192, 168, 1, 11)))),
    ("--master=192.168.1.11", .join(.address(IPv4Address(192, 168, 1, 11)))),
    ("-m any", .join(.any)),
    ("-m multicast", .join(.any)),
    ("-f init", .filter(.initialise)),
    ("-f on", .filter(.on)),
    ("--filter off", .filter(.off)),
    ("-f allow-tcp-80", .filter(.allow(isTCP: true, port: 80))),
    ("-f allow-udp-53", .filter(.allow(isTCP: false, port: 53))),
    ("-h", .help),
    ("--help", .help),
    ("-V", .version),
    ("-pc", .printConfiguration),
    ("--print-cfg", .printConfiguration),
    ("--leave", .order(.leave)),
    ("--stop", .order(.stop)),
    ("--remove 0x010b", .order(.remove(0x010B))),
    ("--remove 267", .order(.remove(0x010B))),
    ("--allow 0x0A", .order(.allow(10))),
    ("--release 10.0.0.2", .order(.release(IPv4Address(10, 0, 0, 2)))),
    ("--pending", .order(.pending)),
    ("--approve AB12:cd34:0000:ffff", .order(.approve([UInt8]("ab12cd340000ffff".utf8)))),
    ("--approve-window 10", .order(.approveWindow(minutes: 10))),
    ("--status", .order(.status(json: false))),
    ("--status --json", .order(.status(json: true))),
    ("--json --status", .order(.status(json: true))),
  ]

  @Test("a command line says what to do", arguments: tasks.indices)
  func task(_ index: Int) throws {
    let (line, task) = TydCommandTests.tasks[index]
    #expect(try TydCommand(words(line)).task == task, "\(line)")
  }

  @Test("what goes with it is read in any order")
  func settings() throws {
    let command = try TydCommand(
      words("-i eth1 -m 10.0.0.1 -c off -s -D --resume --patient --rekey 30 --rekey-packets 99 --idle 20 --keep 0"))
    #expect(command.task == .join(.address(IPv4Address(10, 0, 0, 1))))
    #expect(command.interface == [UInt8]("eth1".utf8))
    #expect(!command.isEncrypted && command.isSilent && command.isDebugging && command.isResuming && command.isPatient)
    #expect(command.rekeySeconds == 30 && command.rekeyPackets == 99 && command.idleSeconds == 20)
    #expect(command.keepSeconds == 0)
    #expect(try TydCommand(words("-c aes128gcm")).crypto == .aes128GCM)
    #expect(try TydCommand(words("--crypto=chacha20poly1305")).crypto == .chaCha20Poly1305)
    #expect(try TydCommand(words("--metrics 9639")).metrics == .init(address: IPv4Address(127, 0, 0, 1), port: 9639))
    let open = try TydCommand(words("--metrics=192.168.1.11:9639")).metrics
    #expect(open == .init(address: IPv4Address(192, 168, 1, 11), port: 9639) && open?.isLoopback == false)
    #expect(try TydCommand(words("--metrics 0.0.0.0:1")).metrics?.address == .unspecified)
    #expect(try TydCommand(words("--metrics 127.0.0.2:1")).metrics?.isLoopback == true)
    let usual = try TydCommand(words("-c IPSEC"))
    #expect(usual.isEncrypted && usual.interface == nil && !usual.isSilent && usual.rekeySeconds == nil)
    #expect(usual.metrics == nil)
  }

  @Test("a node boots others whether it is the first or joins, with a range of addresses and against a warning")
  func bootsOthers() throws {
    let first = try TydCommand(words("-pm"))
    #expect(first.task == .start && first.bootsOthers && !first.isForced && first.range == nil)
    let joining = try TydCommand(words("--pxe-master --force -m any --range 10.0.0.5-10.0.0.9"))
    #expect(joining.task == .join(.any) && joining.bootsOthers && joining.isForced)
    #expect(joining.range.map { String(decoding: $0.text, as: UTF8.self) } == "10.0.0.5-10.0.0.9")
  }

  static let refused = [
    "-ipsk secret", "--force", "--range 10.0.0.1-10.0.0.9", "-pm --range 10.0.0.9-10.0.0.1", "-pm --status", "-x",
    "192.168.1.11", "-m", "-m 192.168.1", "-m 0.0.0.0", "-m 239.1.1.1",
    "-f", "-f close", "-f allow-tcp-0", "-f allow-tcp-65536", "-f allow-", "-c", "-c on", "-i", "-i a/b",
    "-i abcdefghijklmnop", "--remove", "--remove 0", "--remove 65536", "--remove 0x", "--remove 0x12345",
    "--approve", "--approve abc", "--approve zz12cd340000ffff", "--approve-window x", "--approve-window 1441",
    "--json", "-m any --json", "-m any --leave", "--status --stop", "--rekey 4", "--rekey-packets 15", "--idle",
    "-m \u{1B}[31m",
    "--keep", "--keep x", "--keep 31536001", "--release", "--release 0x010b", "--release 0.0.0.0",
    "--metrics", "--metrics 0", "--metrics 65536", "--metrics x", "--metrics :9639", "--metrics 9639:",
    "--metrics 1:2:3",
    "--metrics 239.0.0.1:9639", "--metrics 192.168.1.11",
  ]

  @Test("what cannot be carried out is refused by one sentence of printable ASCII", arguments: refused)
  func sentence(_ line: String) {
    do throws(TydCommandError) {
      _ = try TydCommand(words(line))
      Issue.record("\(line) was taken")
    } catch {
      #expect(error.sentence.last == UInt8(ascii: "."))
      #expect(error.sentence.allSatisfy { (0x20...0x7E).contains($0) })
      #expect((15...300).contains(error.sentence.count))
    }
  }

  @Test(
    "an order comes through the local socket as it was given",
    arguments: [
      .leave, .stop, .pending, .status(json: false), .status(json: true), .table, .remove(0x010B), .allow(65535),
      .release(IPv4Address(10, 0, 0, 2)), .approve([UInt8]("ab12cd340000ffff".utf8)),
      .approveWindow(minutes: 0), .approveWindow(minutes: 10),
      .processes(.cpu, most: 40), .processes(.time, most: 255),
      .standing,
    ] as [TydCommand.Order])
  func orderLine(_ order: TydCommand.Order) {
    #expect(order.line.last == UInt8(ascii: "\n"))
    #expect(TydCommand.Order(line: [UInt8](order.line.dropLast())) == order)
  }

  @Test(
    "a line that is no order is none",
    arguments: [
      "", " ", "leaves", "remove", "remove x", "remove 65536", "allow -1", "approve", "window", "processes",
      "processes 1", "processes 3 4", "processes 0 256", "release", "release x", "release 10.0.0.256",
    ])
  func noOrder(_ line: String) {
    #expect(TydCommand.Order(line: [UInt8](line.utf8)) == nil)
  }

  @Test("the old shared key is refused with a pointer to the credential")
  func sharedKey() {
    do throws(TydCommandError) {
      _ = try TydCommand(words("-ipsk hello"))
      Issue.record("it was taken")
    } catch {
      let text = String(decoding: error.sentence, as: UTF8.self)
      #expect(text.contains("credential") && !text.contains("hello"))
    }
  }

  @Test("the help names every option and fits a screen's width")
  func help() {
    let text = TydCommand.help.withUTF8Buffer { String(decoding: $0, as: UTF8.self) }
    for option in [
      "-m", "-f", "-i", "-c", "-pc", "-s", "-D", "-h", "-V", "--leave", "--remove", "--allow", "--approve",
      "--approve-window", "--pending", "--status", "--json", "--stop", "--rekey", "--rekey-packets", "--idle",
      "--metrics", "--keep", "--release",
    ] {
      #expect(text.contains(option), "\(option)")
    }
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 80 })
    #expect(!text.contains("ipsk"))
  }
}
