import DroneLayout
import BuildCache
import Foundation
import Image
import SecureChannel
import SystemPackage
import Target
import TestCluster
import VirtualMachine
import Workshop

/// A full Linux of 64 bits that stands for an operator's machine: Debian's kernel, this Debian's own programs, a firewall
/// of its own that drops what it does not know, and somebody who says hello on the port of ssh.
///
///     try await withMaster(card: .init(.virtio, on: .tap(tap))) { machine in
///       try await machine.expectShell()
///       …
///     }
enum Master {
  /// With `DRONEFORGE_MEASURE=1` a test prints what none asserts, since the computer that runs it may be busy; its machines live
  /// for `measured`.
  static let isMeasured = ProcessInfo.processInfo.environment["DRONEFORGE_MEASURE"] != nil
  static let measured = Duration.seconds(3600)

  /// What is process 1 in it.
  enum ProcessOne {
    /// A script that ends in a shell; a package is unpacked, and that is all.
    case script
    /// systemd, with a shell on the serial console; a package lies in /root/package.deb.
    case systemd
  }

  /// What the guest loads of the kernel's modules.
  static let modules = [
    "virtio_pci", "virtio_net", "esp4", "esp6", "xfrm_user", "nf_tables", "nft_ct", "nft_meta", "nft_fib_inet",
  ]

  /// What the firewall lets in besides answers: ssh as on every server, and what a node of a cluster needs. Lines of
  /// nft(8)'s language.
  static let openings = [
    "tcp dport 22 accept", "tcp dport 3278 accept", "meta l4proto esp accept", "meta secpath exists accept",
  ]

  /// The firewall's table, which no program but the operator's may change.
  static func firewall(_ openings: [String] = Self.openings) -> String {
    """
    table inet operator {
      chain input {
        type filter hook input priority filter; policy drop;
        iif "lo" accept
        ct state established,related accept
        \(openings.joined(separator: "\n    "))
      }
    }

    """
  }

  /// The package under test, as `make master` leaves it.
  static var package: FilePath {
    get throws {
      let name =
        "tyd_\(String(decoding: SoftwareVersion.current.text, as: UTF8.self))_\(DroneTarget.x86_64.debianArchitecture).deb"
      let file = Image.build.appending(name)
      guard FileManager.default.isReadableFile(atPath: file.string) else {
        throw BuildError.input("\(file) is missing: run `make master` first.")
      }
      return file
    }
  }

  /// A credential as an operator puts it onto a master.
  static func credential(_ authority: Certificate, _ key: SigningKey) -> [Entry] {
    [
      .directory("/etc/tyd", mode: 0o700, why: "the cluster's credential"),
      Entry(path: "/etc/tyd/ca.crt", kind: .file(.bytes(authority.pem)), mode: 0o600, why: "its certificate"),
      Entry(path: "/etc/tyd/ca.key", kind: .file(.bytes(key.pem)), mode: 0o600, why: "its key"),
    ]
  }

  /// That of a cluster of its own.
  static func freshCredential() throws -> [Entry] {
    let key = try SigningKey()
    let now = Int64(Date().timeIntervalSince1970)
    let authority = try Certificate.authority(
      name: Array("lab".utf8), key: key, notBefore: now - 86_400, notAfter: now + 86_400)
    return credential(authority, key)
  }

  /// Programs of this computer that go into the guest with the libraries that they load.
  private static let programs = [
    "/usr/bin/busybox", "/usr/sbin/nft", "/usr/bin/ip", "/usr/bin/dpkg-deb", "/usr/bin/tar", "/usr/bin/setpriv",
  ]

  /// Process 1. The prompt is that of a drone, so that tests talk to both in one way.
  private static func start(address: String) -> String {
    """
    #!/usr/bin/busybox sh
    export PATH=/usr/sbin:/usr/bin:/sbin:/bin PS1='master:\\w# ' HOME=/root TERM=dumb
    /usr/bin/busybox --install -s /bin
    mount -t proc proc /proc
    mount -t sysfs sys /sys
    mount -t devtmpfs dev /dev
    mount -t tmpfs run /run
    hostname master
    for module in \(modules.joined(separator: " ")); do modprobe -q $module; done
    ip link set lo up
    ip link set eth0 up
    ip address add \(address) dev eth0
    nft -f /etc/nftables.conf
    nc -ll -p 22 -e /bin/hello &
    if [ -e /root/package.deb ]; then dpkg-deb -x /root/package.deb /; fi
    cd /
    exec setsid cttyhack sh

    """
  }

  /// Everything in the guest's root. `package`: a .deb to be unpacked into it when it starts.
  static func root(
    address: String, firewall: String, package: FilePath?, files: [Entry], modules: FilePath, processOne: ProcessOne
  ) async throws -> Manifest {
    func text(_ path: String, _ text: String, executable: Bool = false) -> Entry {
      .file(path, .bytes([UInt8](text.utf8)), executable: executable, why: "the test's guest")
    }
    var entries = [
      text("/etc/nftables.conf", firewall),
      text("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"),
      text("/etc/group", "root:x:0:\n"),
      text("/bin/hello", "#!/bin/sh\necho hello\n", executable: true),
      .characterDevice("/dev/console", 5, 1, why: "process 1's standard streams"),
      .link("/sbin/modprobe", to: "/usr/bin/busybox", why: "the kernel asks for modules by it"),
    ]
    entries += ["/proc", "/sys", "/run", "/tmp", "/root", "/var/lib"].map { .directory($0, why: "the test's guest") }
    entries += files
    switch processOne {
    case .script: entries.append(text("/init", start(address: address), executable: true))
    case .systemd:
      entries += units(address: address)
      // The programs that the script installs when it starts.
      let names = String(decoding: try await Command("/usr/bin/busybox", ["--list"]).output(), as: UTF8.self)
      for name in names.split(separator: "\n")
      where !["busybox", "init", "halt", "reboot", "poweroff", "dpkg", "dpkg-deb", "tar", "ip"].contains(name) {
        entries.append(.link("/bin/\(name)", to: "/usr/bin/busybox", why: "a program by its own name"))
      }
    }
    if let package { entries.append(.file("/root/package.deb", .file(package), why: "the package under test")) }
    var taken: Set<String> = []
    let brought = Set(files.map(\.path))
    for program in programs {
      for file in try await [program] + libraries(of: program)
      where !brought.contains(file) && taken.insert(file).inserted {
        entries.append(.file(file, .file(FilePath(file)), executable: true, why: "a program of this computer"))
      }
    }
    for name in try FileManager.default.subpathsOfDirectory(atPath: modules.appending("lib").string) {
      let file = modules.appending("lib").appending(name)
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: file.string, isDirectory: &isFolder), !isFolder.boolValue else {
        continue
      }
      entries.append(.file("/lib/\(name)", .file(file), why: "a module of the kernel"))
    }
    return try Manifest(entries)
  }

  /// The files that ldd(1) names, the loader among them.
  static func libraries(of program: String) async throws -> [String] {
    let lines = String(decoding: try await Command("ldd", [program]).output(), as: UTF8.self).split(separator: "\n")
    return lines.compactMap { line in
      line.split(whereSeparator: \.isWhitespace).first { $0.hasPrefix("/") }.map(String.init)
    }
  }
}

/// Starts a master, gives it to `body`, and ends it when `body` returns.
///
/// - Parameters:
///   - address: of eth0, with prefix length.
///   - firewall: what nft loads before anything else.
///   - package: a .deb whose files are unpacked into the guest.
///   - files: what else is in its root.
///   - processOne: what starts it.
func withMaster<Result: Sendable>(
  address: String = "192.168.1.11/24", firewall: String = Master.firewall(), package: FilePath? = nil,
  files: [Entry] = [], memory: Int? = nil, processOne: Master.ProcessOne = .script, card: NetworkCard,
  in namespace: NetworkNamespace? = nil, file: String = #fileID, function: String = #function,
  _ body: (VirtualMachine) async throws -> Result
) async throws -> Result {
  let debian = try await prepareDebianKernel(cache: defaultCache(), progress: Progress(total: 1, quiet: true))
  let root = try await Master.root(
    address: address, firewall: firewall, package: package, files: files,
    modules: debian.modules, processOne: processOne)
  let folder = FilePath(NSTemporaryDirectory()).appending("master-\(UUID())")
  try makeFolder(folder)
  defer { try? FileManager.default.removeItem(atPath: folder.string) }
  let archive = folder.appending("root.cpio")
  var words = "console=ttyS0,115200 quiet panic=-1"
  var bytes = try cpioArchive(of: root)
  if case .systemd = processOne {
    // The kernel unpacks one archive after the other.
    bytes += [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4)
    bytes += try await Master.archive(of: try await Master.systemFiles(), in: folder)
    words += " rdinit=/lib/systemd/systemd systemd.unit=multi-user.target systemd.show_status=no"
  }
  try await write(bytes, to: archive)
  var configuration = MachineConfiguration(
    target: .x86_64, memory: memory ?? (processOne == .systemd ? 384 : nil),
    boot: .kernel(debian.kernel, initramfs: archive, commandLine: words), cards: [card])
  if Master.isMeasured { configuration.lifetime = Master.measured }
  return try await withVirtualMachine(configuration, in: namespace, file: file, function: function, body)
}

/// Ours, not Foundation's class of the same name.
private typealias Progress = Workshop.Progress
