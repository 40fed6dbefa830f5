import DroneLayout
import Workshop

/// What an image carries of a cluster, in an archive of its own behind the root's: the root stays the same for every cluster.
/// Process 1 moves it out of the root before certaintyd reads the root.
public struct Credential: Sendable, Equatable {
  /// The cluster's name and its authority's fingerprint as text, for people.
  public var cluster: String
  public var fingerprint: String
  /// The authority's certificate in PEM.
  public var certificate: [UInt8]
  /// The authority's private key in PEM: whoever has the image may then join without being asked, and admit others. Nil
  /// for an image that anybody can fetch.
  public var key: [UInt8]?

  public init(cluster: String, fingerprint: String, certificate: [UInt8], key: [UInt8]?) {
    self.cluster = cluster
    self.fingerprint = fingerprint
    self.certificate = certificate
    self.key = key
  }

  /// Where it lies in the drone's root.
  public static let folder = "\(DronePath.credential)"
  public static let certificatePath = "\(folder)/\(CredentialFile.certificate)"
  public static let keyPath = "\(folder)/\(CredentialFile.key)"
  /// Two lines, name and fingerprint, which process 1 reports at boot.
  public static let descriptionPath = "\(folder)/\(CredentialFile.description)"

  var manifest: Manifest {
    get throws {
      var entries = [
        Entry.directory(
          Self.folder, mode: 0o700, why: "the cluster's credential, moved to /run at boot", origin: .cluster),
        Self.file(Self.certificatePath, certificate, why: "the cluster's authority"),
        Self.file(
          Self.descriptionPath, Array("\(cluster)\n\(fingerprint)\n".utf8), why: "the cluster's name, for people"),
      ]
      if let key {
        entries.append(Self.file(Self.keyPath, key, why: "the authority's key: this drone may admit nodes"))
      }
      return try Manifest(entries)
    }
  }

  /// As it follows a root archive: the kernel unpacks one archive after the other
  /// (Documentation/driver-api/early-userspace/buffer-format.rst), and what is in both is as in the last.
  public var archive: [UInt8] { get throws { try cpioArchive(of: manifest) } }

  private static func file(_ path: String, _ bytes: [UInt8], why: String) -> Entry {
    Entry(path: path, kind: .file(.bytes(bytes)), mode: 0o600, why: why, origin: .cluster)
  }

  /// Its lines of the bill of materials. Of the key there is no size and no digest.
  var items: [BillOfMaterials.Item] {
    get throws {
      try manifest.resolved().entries.map { entry in
        var item = try BillOfMaterials.Item(entry)
        if item.path == Self.keyPath { (item.size, item.sha256) = (nil, nil) }
        return item
      }
    }
  }
}

extension BillOfMaterials {
  /// The cluster that an image is for.
  public struct Cluster: Codable, Sendable, Equatable {
    public var name: String
    public var fingerprint: String
    /// The image holds the authority's key.
    public var mayAdmit: Bool
    /// What is in the credential archive.
    public var credential: [Item]

    public init(name: String, fingerprint: String, mayAdmit: Bool, credential: [Item]) {
      self.name = name
      self.fingerprint = fingerprint
      self.mayAdmit = mayAdmit
      self.credential = credential
    }
  }
}
