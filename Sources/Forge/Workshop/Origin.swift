/// One source file as the distribution delivered it; its signature chain was checked by apt.
public struct SourceRecord: Hashable, Sendable, Codable {
  /// The file's name: `musl_1.2.3-1.dsc`.
  public let name: String
  /// The package's version: `1.2.3-1`.
  public let version: String
  /// SHA-256 of the file, 64 hexadecimal digits.
  public let sha256: String
  /// The newest version that the archive listed, when it did not deliver that one and this was taken; else nil.
  public var listed: String?

  public init(name: String, version: String, sha256: String, listed: String? = nil) {
    self.name = name
    self.version = version
    self.sha256 = sha256
    self.listed = listed
  }

  /// The package's name, which begins the file's: `musl`.
  public var package: String { String(name.prefix { $0 != "_" }) }
}

/// A source whose code is in a program, with the copyright file that goes wherever the program goes.
public struct SourceNotice: Sendable {
  public let source: SourceRecord
  public let copyright: [UInt8]

  public init(source: SourceRecord, copyright: [UInt8]) {
    self.source = source
    self.copyright = copyright
  }
}

/// Where a part of an image comes from.
public enum Origin: Hashable, Sendable {
  /// This project's programs, and what a build makes itself.
  case ours
  /// A program that was built from this source.
  case source(SourceRecord)
  /// A file of a Debian package that is installed on the builder's machine; the package's name.
  case package(String)
  /// A file of a package that was fetched for the image and is not installed.
  case delivered(package: String, version: String)
  /// A file of the checkout; its path there.
  case checkout(String)
  /// A file that the user named.
  case given
  /// The credential of a cluster.
  case cluster
}

extension Origin: CustomStringConvertible {
  /// One word for the kind, and what it names: `package isolinux`.
  public var description: String {
    switch self {
    case .ours: "ours"
    case .source(let record): "source \(record.name)"
    case .package(let name): "package \(name)"
    case .delivered(let package, let version): "package \(package) \(version)"
    case .checkout(let path): "checkout \(path)"
    case .given: "given"
    case .cluster: "cluster"
    }
  }
}

extension [SourceRecord] {
  /// The first record of the package whose name begins so; the kernel's has its version in it.
  public func origin(of package: String) -> Origin {
    first { $0.package.hasPrefix(package) }.map { .source($0) } ?? .given
  }
}
