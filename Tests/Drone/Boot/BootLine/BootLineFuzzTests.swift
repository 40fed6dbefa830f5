import Addresses
import BootLine
import TestSupport
import Testing

@Suite struct BootLineFuzzTests {
  private static let mutator = Mutator([
    "ip=", "ip=", "ip=", "nfsaddrs=", "BOOTIF=01-", "52-54-00-12-34-56", ":", ":", ":", ":", "::", ":::", " ", " ", " ",
    "\"", "=", ",", "-", ".", "/", "--", "\n", "192.168.1.21", "192.168.1.1", "10.0.0.5", "255.255.255.0", "0.0.0.0",
    "255.255.255.255", "127.0.0.1", "224.0.0.1", "24", "32", "0", "eth0", "eth1", "lo", "drone1", "lab.example", "off",
    "none", "on", "any", "dhcp", "bootp", "rarp", "both", "dhcp,1,", "1500", "boot=", "/dev/cdrom", ":iso9660", ":vfat",
    "eject", "tyd=", "first", "TYD=", "MASTER=", "certaintyd=", "locked", "filter=", "watchdog=", "shell=", "SHELL=",
    "DHCP=",
    "nameserver=", "rd.route=", "rd.peerdns=", "vlan=", "BOOTIF", "dhcp,dhcp6", "auto6", "static", "[2001:db8::1]", "[",
    "]",
    "console=", "ttyS0,115200n8", "tty0", "keymap=", "syslog=", "netconsole=",
    "@1.2.3.4/,@5.6.7.8/", "debug", "\u{0}", "\u{A0}", "é",
  ])

  @Test("any line gives a value, and every value that it gives can be used")
  func everyLine() {
    let fault = Fuzzing.configured.firstFault { generator in
      let line = BootLineFuzzTests.mutator.bytes(&generator, pieces: 0...30)
      return self.fault(in: BootLine(line)).map { "\($0) for \(line)" }
    }
    #expect(fault == nil)
  }

  @Test("a request that is written out as a word is read back as it was")
  func roundTrip() {
    let fault = Fuzzing.configured.firstFault { generator in
      let line = BootLineFuzzTests.mutator.bytes(&generator, pieces: 1...12)
      guard let request = BootLine(Array("ip=".utf8) + line).interfaces.first else { return "no interface" }
      guard let word = self.word(for: request) else { return nil }
      let again = BootLine(word)
      guard again.errors.isEmpty else { return "\(word) is refused" }
      return again.interfaces == [request] ? nil : "\(request) became \(again.interfaces) by \(word)"
    }
    #expect(fault == nil)
  }

  /// What the doc comments promise about a line that was read.
  private func fault(in line: BootLine) -> String? {
    if line.interfaces.isEmpty { return "no interface" }
    for request in line.interfaces {
      if let fault = fault(in: request) { return fault }
    }
    let devices = line.interfaces.compactMap(\.device)
    if Set(devices).count != devices.count { return "one card twice" }
    let addresses = line.interfaces.compactMap(\.address)
    if Set(addresses).count != addresses.count { return "one address twice" }
    let settings = line.networkSettings
    if settings.nameServers.count > 3 || !settings.nameServers.allSatisfy(\.isHostAddress) {
      return "a DNS server too many"
    }
    for route in settings.routes {
      if route.route.gateway == nil && route.device == nil { return "a route that leads nowhere" }
    }
    for error in line.errors {
      let sentence = error.sentence
      if !sentence.allSatisfy({ (0x20...0x7E).contains($0) }) { return "an error that is no line of ASCII" }
      if sentence.last != UInt8(ascii: ".") || sentence.count > 1000 { return "an error that is no sentence" }
    }
    return nil
  }

  private func fault(in request: InterfaceRequest) -> String? {
    let isStatic = request.method == .static
    if isStatic != (request.address != nil) { return "method and address disagree" }
    if let address = request.address {
      guard address.isHostAddress, let mask = request.netmask else { return "a static address that cannot be used" }
      if mask.prefixLength <= 30, address.bits & ~mask.bits == 0 || address.bits | mask.bits == .max {
        return "an address that its network keeps for itself"
      }
      if let gateway = request.gateway, !mask.sameNetwork(gateway, address) && mask != .host || gateway == address {
        return "a gateway that cannot be reached"
      }
    }
    if request.protocols.isEmpty != (isStatic || request.method == .off) { return "method and protocols disagree" }
    let others = [request.gateway, request.server].compactMap(\.self) + request.nameServers + request.timeServers
    if !others.allSatisfy(\.isHostAddress) { return "a server that is no host" }
    if request.nameServers.count > 2 || request.timeServers.count > 1 { return "too many servers" }
    if let device = request.device,
      !(1...15).contains(device.count) || device.contains(where: { $0 <= 0x20 || $0 == 0x2F })
    {
      return "a card that cannot exist"
    }
    if let name = request.hostName {
      let full = name + (request.domain.map { [UInt8(ascii: ".")] + $0 } ?? [])
      guard let read = try? HostName(full), read.name == name, read.domain == request.domain else {
        return "a host name that is none"
      }
    } else if request.domain != nil {
      return "a domain without a name"
    }
    if let mtu = request.mtu, mtu < 68 { return "an MTU that is too small" }
    return nil
  }

  /// The `ip=` word for a request; nil for one that no single word can ask for.
  private func word(for request: InterfaceRequest) -> [UInt8]? {
    if request.mtu != nil || request.mac != nil, !(request.nameServers.isEmpty && request.timeServers.isEmpty) {
      return nil
    }
    if request.nameServers.count == 1 { return nil }
    var autoconf: [UInt8] = request.method == .static ? [] : [UInt8](request.method.name)
    if request.method == .any, request.protocols == [.bootp, .rarp] { autoconf = Array("both".utf8) }
    if let client = request.clientIdentifier {
      // The identifier must survive the cutting into words and fields.
      let isPlain = client.identifier.allSatisfy {
        $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: ":")
      }
      guard isPlain else { return nil }
      autoconf += Array(",\(client.type),".utf8) + client.identifier
    }
    if let device = request.device, device.contains(UInt8(ascii: "\"")) { return nil }
    let hostName = request.hostName.map { $0 + (request.domain.map { [UInt8(ascii: ".")] + $0 } ?? []) }
    var fields: [[UInt8]] = [
      request.address?.text ?? [], request.server?.text ?? [], request.gateway?.text ?? [],
      request.netmask?.address.text ?? [], hostName ?? [], request.device ?? [], autoconf,
    ]
    if request.mtu != nil || request.mac != nil {
      guard let mtu = request.mtu else { return nil }
      fields.append(Array("\(mtu)".utf8))
      if let mac = request.mac { fields.append(mac.text) }
    } else {
      fields += [
        request.nameServers.first?.text ?? [], request.nameServers.last?.text ?? [],
        request.timeServers.first?.text ?? [],
      ]
    }
    return Array("ip=".utf8) + fields.joined(separator: [UInt8(ascii: ":")])
  }
}
