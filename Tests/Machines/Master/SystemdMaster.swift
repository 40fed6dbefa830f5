import Foundation
import Image
import SystemPackage
import VirtualMachine
import Workshop

extension Master {
  /// Units that make the guest what the script makes it without systemd: its modules, its address and firewall, somebody on
  /// the port of ssh, and a shell on the serial console.
  static func units(address: String) -> [Entry] {
    func text(_ path: String, _ text: String, executable: Bool = false) -> Entry {
      .file(path, .bytes([UInt8](text.utf8)), executable: executable, why: "the test's guest")
    }
    let path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin"
    let units = [
      "nftables": """
      [Unit]
      After=systemd-modules-load.service
      [Service]
      Type=oneshot
      RemainAfterExit=yes
      Environment=\(path)
      ExecStart=/root/network

      """,
      "hello": "[Service]\nExecStart=/usr/bin/busybox nc -ll -p 22 -e /bin/hello\n",
      "console": """
      [Unit]
      After=nftables.service
      [Service]
      Environment=\(path) TERM=dumb HOME=/root "PS1=master:\\\\w# "
      WorkingDirectory=/
      ExecStart=/bin/sh
      Restart=always
      StandardInput=tty
      StandardOutput=tty
      TTYPath=/dev/ttyS0

      """,
    ]
    var entries = [
      text("/etc/modules-load.d/guest.conf", modules.joined(separator: "\n") + "\n"),
      text("/etc/machine-id", String(repeating: "a", count: 32) + "\n"),
      text("/etc/hostname", "master\n"),
      text("/etc/fstab", ""),
      text("/etc/debian_version", "12\n"),
      text("/etc/os-release", "ID=debian\nPRETTY_NAME=guest\n"),
      text("/var/lib/dpkg/status", ""),
      text("/var/lib/dpkg/available", ""),
      text(
        "/root/network",
        "#!/bin/sh\nset -e\nip link set eth0 up\nip address add \(address) dev eth0\nnft -f /etc/nftables.conf\n",
        executable: true),
    ]
    for (name, unit) in units {
      let file = "/etc/systemd/system/\(name).service"
      entries.append(text(file, unit))
      entries.append(
        .link("/etc/systemd/system/multi-user.target.wants/\(name).service", to: file, why: "the test's guest"))
    }
    entries += ["/var/lib/dpkg/info", "/var/lib/dpkg/updates", "/var/lib/dpkg/triggers", "/var/log", "/home"].map {
      .directory($0, why: "the test's guest")
    }
    // Nobody manages devices here, so nobody would say that the console is there.
    entries += ["serial-getty@ttyS0.service", "getty@tty1.service"].map {
      .link("/etc/systemd/system/\($0)", to: "/dev/null", why: "the test's guest")
    }
    return entries
  }

  /// Process 1 and what dpkg needs, with their libraries: files of this computer, as its packages list them.
  static func systemFiles() async throws -> [String] {
    func lines(_ program: String, _ arguments: [String]) async throws -> [String] {
      String(decoding: try await Command(program, arguments).output(), as: UTF8.self)
        .split(separator: "\n").map(String.init)
    }
    let folders = [
      "/lib/systemd/", "/usr/lib/systemd/", "/usr/lib/tmpfiles.d/", "/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/",
    ]
    var files: Set<String> = ["/sbin/ldconfig"]
    for file in try await lines("dpkg", ["-L", "systemd", "dpkg"]) where folders.contains(where: { file.hasPrefix($0) })
    {
      var isFolder: ObjCBool = false
      if FileManager.default.fileExists(atPath: file, isDirectory: &isFolder), !isFolder.boolValue {
        files.insert(file)
      }
    }
    let programs = [
      "/lib/systemd/systemd", "/lib/systemd/systemd-journald", "/lib/systemd/systemd-modules-load",
      "/lib/systemd/systemd-shutdown", "/bin/systemctl", "/bin/journalctl", "/bin/systemd-tmpfiles",
      "/usr/bin/systemd-analyze", "/usr/bin/dpkg", "/usr/bin/dpkg-query", "/usr/sbin/start-stop-daemon",
    ]
    for program in programs { files.formUnion(try await libraries(of: program)) }
    // What links lead to, too.
    for file in files {
      var place = FilePath(file)
      while let target = try? FileManager.default.destinationOfSymbolicLink(atPath: place.string) {
        place = place.removingLastComponent().pushing(FilePath(target)).lexicallyNormalized()
        guard !place.string.hasPrefix("/dev/") else { break }
        files.insert(place.string)
      }
    }
    // Each after the folders that it is in; those at the top, which may be links here, the guest has anyway.
    for file in files {
      let names = file.split(separator: "/").dropLast()
      for count in 2...max(2, names.count) where count <= names.count {
        files.insert("/" + names.prefix(count).joined(separator: "/"))
      }
    }
    return files.sorted()
  }

  /// These files as an archive that the kernel unpacks.
  static func archive(of files: [String], in folder: FilePath) async throws -> [UInt8] {
    let (list, archive) = (folder.appending("list"), folder.appending("system.cpio"))
    try await write(files.map { String($0.dropFirst()) }.joined(separator: "\n").utf8, to: list)
    _ = try await Command(
      "bsdtar", ["-c", "-n", "--format", "newc", "-f", archive.string, "-C", "/", "-T", list.string]
    ).output()
    return try contents(of: archive)
  }
}
