import Addresses
import ArgumentParser
import DroneLayout
import Foundation
import SystemPackage
import TreeService
import Workshop

/// `droneforge serve`.
struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Serve a network boot tree from this computer until Ctrl-C.",
    discussion: """
      Runs Debian's dnsmasq, and BusyBox's httpd for UEFI that boots by HTTP, in the foreground, and shows who boots. \
      Neither reads this computer's settings for them nor leaves a file or a process behind.

      The network's own DHCP server gives the addresses, and this one only says what to boot (ProxyDHCP). On a network that \
      has none, name the addresses to give out with --range. Never do that where there is one: the two would give one \
      address to two computers.

      It needs root, for the ports of DHCP, TFTP and HTTP. A packet filter of this computer must let UDP 67, 69 and 4011 \
      and TCP 80 in.
      """)

  @Option(help: ArgumentHelp("The network card that the computers are on.", valueName: "card"))
  var interface: String

  @Option(
    help: ArgumentHelp(
      "Be the DHCP server and give out these addresses: 192.168.1.100,192.168.1.200.", valueName: "first,last"))
  var range: AddressRange?

  @Option(help: ArgumentHelp("The tree. (default: build/pxe in the checkout)", valueName: "folder"))
  var tree: String?

  func run() async throws {
    let folder =
      try tree.map { FilePath($0) }
      ?? Checkout(named: nil).folder.appending("\(BuiltFile.folder)/\(BuiltFile.networkTree)")
    let files = try Set(FileManager.default.filesOfTree(at: folder))
    guard geteuid() == 0 else {
      throw ValidationError("Only root may answer on the ports of DHCP and TFTP: say it again with sudo in front.")
    }
    let card = try servedCard(named: interface)
    let canHTTP = range != nil && isFree(80, at: card.address)
    if range != nil, !canHTTP { notice("Another program has TCP port 80 of this computer, so nobody boots by HTTP.") }
    let service = try TreeService(
      on: card, range: range, tree: absolute(folder).string, as: try account(for: folder), holding: files,
      canHTTP: canHTTP)
    for line in service.summary { print(line) }
    fflush(nil)
    let shown = Shown(ServiceLog(tree: service.tree))
    do {
      try await interruptible {
        try await withThrowingTaskGroup(of: Void.self) { servers in
          servers.addTask {
            try await tool("dnsmasq", service.dnsmasq).run { line in await shown.show { $0.read(dnsmasq: line) } }
            throw BuildError.input("dnsmasq has ended by itself.")
          }
          if let words = service.webServer {
            servers.addTask {
              try await tool("busybox", words).run { line in await shown.show { $0.read(web: line) } }
              throw BuildError.input("BusyBox's httpd has ended by itself.")
            }
          }
          // The first that ends ends the other.
          for try await _ in servers {}
        }
      }
    } catch is Interrupted {
      print("\nNobody is served any more, and nothing is left behind.")
    } catch BuildError.commandFailed(let program, _, _, let lines)
      where lines.contains(where: { $0.contains("Address already in use") })
    {
      throw BuildError.input(
        "Another program of this computer has a port that \(program) needs: \(lines.last ?? ""). End that one first (ss -lunp names it)."
      )
    }
  }

  /// Who may read the tree and has the fewest rights beside that: nobody, or else its owner.
  private func account(for folder: FilePath) throws -> ServiceAccount {
    var isOpen = true
    var owner: uid_t = 0
    var path = absolute(folder)
    repeat {
      var look = stat()
      guard stat(path.string, &look) == 0 else { throw BuildError.input("\(path) cannot be looked at.") }
      if path == absolute(folder) { owner = look.st_uid }
      isOpen = isOpen && look.st_mode & 0o001 != 0
    } while path.removeLastComponent()
    let entry = isOpen ? getpwnam("nobody") : getpwuid(owner)
    guard let entry, let group = getgrgid(entry.pointee.pw_gid) else {
      throw BuildError.input("There is no user on this computer to whom \(folder) belongs, and none called nobody.")
    }
    return ServiceAccount(user: String(cString: entry.pointee.pw_name), group: String(cString: group.pointee.gr_name))
  }
}

/// Lines on the terminal, from both servers one after the other.
private actor Shown {
  private var log: ServiceLog

  init(_ log: ServiceLog) { self.log = log }

  func show(_ read: @Sendable (inout ServiceLog) -> String?) {
    guard let line = read(&log) else { return }
    print(line)
    // Also where the output is a file.
    fflush(nil)
  }
}

extension AddressRange: ExpressibleByArgument {
  /// `FIRST,LAST`, as dnsmasq has it, or with a hyphen as tyd has it.
  public init?(argument: String) {
    self.init(text: argument.utf8.map { $0 == UInt8(ascii: ",") ? UInt8(ascii: "-") : $0 })
  }
}

extension FileManager {
  /// The names in a tree's top folder. Throws a sentence when it is none.
  fileprivate func filesOfTree(at folder: FilePath) throws -> [String] {
    guard let names = try? contentsOfDirectory(atPath: folder.string), names.contains("\(NetworkBootFile.pxelinux)")
    else {
      throw BuildError.input("\(folder) holds no network boot tree. `make pxe` makes one in build/pxe.")
    }
    return names
  }
}

/// Looks a card up. Throws a sentence that names those there are.
private func servedCard(named name: String) throws -> ServedCard {
  var list: UnsafeMutablePointer<ifaddrs>?
  guard getifaddrs(&list) == 0 else { throw BuildError.input("The network cards cannot be listed.") }
  defer { freeifaddrs(list) }
  var others: [String] = []
  var next = list
  while let entry = next?.pointee {
    next = entry.ifa_next
    let card = String(cString: entry.ifa_name)
    if !others.contains(card), card != "lo" { others.append(card) }
    guard card == name, let address = ipv4(entry.ifa_addr), let mask = ipv4(entry.ifa_netmask).flatMap({ Netmask($0) })
    else { continue }
    return ServedCard(name: card, address: address, netmask: mask)
  }
  throw BuildError.input(
    others.contains(name)
      ? "The card \(name) has no IPv4 address: give it one first, for example ip address add 192.168.1.1/24 dev \(name)."
      : (name.isEmpty ? "Name the network card" : "There is no network card \(name)")
        + "; there are: \(others.joined(separator: ", ")).")
}

private func ipv4(_ address: UnsafeMutablePointer<sockaddr>?) -> IPv4Address? {
  guard let address, address.pointee.sa_family == sa_family_t(AF_INET) else { return nil }
  return address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
    IPv4Address(bits: UInt32(bigEndian: $0.pointee.sin_addr.s_addr))
  }
}

/// Whether a server can be started on a TCP port.
private func isFree(_ port: UInt16, at address: IPv4Address) -> Bool {
  let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  guard descriptor >= 0 else { return false }
  defer { close(descriptor) }
  var yes: Int32 = 1
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
  var place = sockaddr_in()
  place.sin_family = sa_family_t(AF_INET)
  place.sin_port = port.bigEndian
  place.sin_addr.s_addr = address.bits.bigEndian
  return withUnsafePointer(to: &place) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
    }
  } == 0
}
