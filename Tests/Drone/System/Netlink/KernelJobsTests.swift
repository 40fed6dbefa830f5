import Addresses
import Foundation
import Glibc
import Linux
import Netlink
import PacketFilter
import TestSupport
import Testing

/// What the filter lets other nodes' jobs say, in a kernel: as nft(8) shows it, and as processes of a control group find it.
@Suite(.enabled(if: NetworkThread.isPossible, "needs root, iproute2 and nftables"), .serialized)
struct KernelJobsTests {
  @Test("a job speaks to its own node and to members, to nobody else, and by no port that nodes speak by")
  func packets() throws {
    let drone = try NetworkThread()
    let other = try NetworkThread()
    try NetworkThread.join(drone, "10.0.0.1/24", other, "10.0.0.2/24")
    try other.command("ip", "address", "add", "10.0.0.3/24", "dev", "eth0")
    let group = try ControlGroup()
    let number = try controlGroupNumber(Path([UInt8](group.folder.utf8)))
    try perform(.jobs(of: number, level: 1), in: drone)
    try perform(.jobs(to: [IPv4Address(10, 0, 0, 3)]), in: drone)
    // The former list is not in force any longer.
    try perform(.jobs(to: [IPv4Address(10, 0, 0, 2)]), in: drone)
    let text = lines(try drone.command("nft", "list", "table", "ip", "jobs"))
    let wanted = [
      "elements = { 10.0.0.2 }", "reject with icmp admin-prohibited comment \"no member\"", "meta mark set 0x6a6f6273",
      "meta mark 0x6a6f6273 goto job_leaving",
    ]
    for line in wanted {
      #expect(text.contains(line), "\(line)")
    }
    #expect(text.contains { $0.hasPrefix("socket cgroupv2 level 1") }, "\(text)")

    let ports: [UInt16] = [6000, 3278, 3279]
    let listeners = try [drone, other].map { network in
      try network.run { try ports.map { Held(try listenStream(on: SocketAddress(.unspecified, port: $0))) } }
    }
    let cases: [(place: String, job: Answer)] = [
      ("127.0.0.1/6000", .reached), ("10.0.0.1/6000", .reached),
      ("127.0.0.1/3279", .refused), ("10.0.0.1/3278", .refused), ("10.0.0.2/3279", .refused),
      ("10.0.0.2/3278", .refused), ("10.0.0.3/6000", .refused),
      // A member, but nothing encrypts here: it may try, and nothing leaves.
      ("10.0.0.2/6000", .silence),
    ]
    for (place, job) in cases {
      #expect(try reach(place, from: drone) == "", "whoever is no job reaches \(place)")
      let said = try reach(place, from: drone, in: group)
      switch job {
      case .reached: #expect(said == "", "\(place): \(said)")
      // It is told so, and does not wait for minutes.
      case .refused: #expect(said.contains("No route to host"), "\(place): \(said)")
      case .silence: #expect(said.contains("nothing for 3 s"), "\(place): \(said)")
      }
    }
    _ = listeners
  }

  @Test("a job hears its own node, and nobody whose packets do not come out of ESP")
  func hearing() throws {
    let drone = try NetworkThread()
    let other = try NetworkThread()
    try NetworkThread.join(drone, "10.0.0.1/24", other, "10.0.0.2/24")
    let group = try ControlGroup()
    let number = try controlGroupNumber(Path([UInt8](group.folder.utf8)))
    let own = SocketAddress(IPv4Address(10, 0, 0, 1), port: 7000)
    try drone.command(
      "/bin/bash", "-c", "\(group.entering) busybox nc -ll -p 7000 -e true </dev/null >/dev/null 2>&1 &")
    // Until it listens; the filter is not there yet.
    func reaches(_ network: NetworkThread) throws -> Bool {
      for _ in 0..<100 {
        if try connects(network, own) { return true }
        usleep(100_000)
      }
      return false
    }
    #expect(try reaches(drone) && reaches(other))
    try perform(.jobs(of: number, level: 1), in: drone)
    #expect(try reaches(drone))
    #expect(try !connects(other, own))
  }

  private enum Answer { case reached, refused, silence }

  /// What bash says when it cannot connect; nothing when it can.
  private func reach(_ place: String, from network: NetworkThread, in group: ControlGroup? = nil) throws -> String {
    try network.command(
      "/bin/bash", "-c",
      "\(group?.entering ?? "") exec 2>&1; busybox timeout -s KILL 3 bash -c 'exec 3<>/dev/tcp/\(place)'; "
        + "[ $? != 137 ] || echo nothing for 3 s")
  }
}

/// A control group of its own, one below the root, whose processes end with it.
private final class ControlGroup {
  private let root: String
  let folder: String
  /// What a shell does to be in it.
  var entering: String { "echo 0 >\(folder)/cgroup.procs;" }

  struct Refused: Error { let number: Int32 }

  init() throws {
    root = NSTemporaryDirectory() + "groups-\(UUID())"
    folder = root + "/droneforge-test-\(UUID())"
    guard mkdir(root, 0o700) == 0, mount("test", root, "cgroup2", 0, nil) == 0, mkdir(folder, 0o700) == 0 else {
      throw Refused(number: errno)
    }
  }

  deinit {
    for _ in 0..<100 where rmdir(folder) != 0 {
      let text = (try? String(contentsOfFile: folder + "/cgroup.procs", encoding: .utf8)) ?? ""
      for process in text.split(separator: "\n").compactMap({ pid_t($0) }) { kill(process, SIGKILL) }
      usleep(20_000)
    }
    umount(root)
    rmdir(root)
  }
}
