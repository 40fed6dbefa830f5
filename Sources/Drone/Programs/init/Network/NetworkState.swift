import DroneLayout
import BootLine
import Linux
import Reporting

/// What the programs `network`, `lease` and `fix_hosts` leave for each other and for people in /run/network.
enum NetworkState {
  static let folder = Path(DronePath.network)
  /// The host name that the kernel command line asks for, with its domain if it has one.
  static let requestedName = folder / "requested-name"
  /// The host name and the domain in the last lease, as the server gave them.
  static let leasedName = folder / "leased-name"
  static let leasedDomain = folder / "leased-domain"
  /// What /etc/hosts and /etc/resolv.conf point to.
  static let hosts = Path(DronePath.hosts)
  static let resolver = Path(DronePath.resolver)

  /// The bytes of a small file; nil if it is missing or empty.
  static func read(_ path: Path) -> [UInt8]? {
    guard let bytes = try? readFile(path, limit: 4096), !bytes.isEmpty else { return nil }
    return bytes
  }

  /// Makes the file hold the bytes, or removes it for nil. A file that holds them already is not touched.
  /// Returns whether anything changed.
  @discardableResult
  static func write(_ path: Path, _ bytes: [UInt8]?) -> Bool {
    let old = read(path)
    guard old != bytes else { return false }
    guard let bytes else {
      removeFile(path)
      return true
    }
    do {
      try makeDirectory(folder)
      try replaceFile(path, bytes)
    } catch {
      report(.failed, "network", error.text)
    }
    return true
  }
}
