import SystemPackage
import Target
import Workshop

/// Signs programs for firmware with Secure Boot by a key of the user's own.
public struct ProgramSigner: Sendable {
  /// The key's name, as a FAT volume can have it: up to 8 letters, digits and dashes.
  public let name: String
  /// In PEM.
  let key: FilePath
  let certificateFile: FilePath
  /// In DER.
  public let certificate: [UInt8]

  public init(name: String, key: FilePath, certificateFile: FilePath, certificate: [UInt8]) {
    (self.name, self.key, self.certificateFile, self.certificate) = (name, key, certificateFile, certificate)
  }

  /// The certificate's file in an EFI system partition, for who enrols it: `MINE.CER`.
  public var certificateName: String { "\(name.uppercased()).CER" }

  var why: String { "certificate of the key \(name), to be enrolled" }

  /// Adds a signature to a program's. The same program gives the same bytes: a signature says when it was made, and here
  /// that is the date of all files in an image.
  func sign(_ program: FilePath, to signed: FilePath) async throws {
    _ = try await tool(
      "faketime",
      [
        "-f", "1980-01-01 00:00:00", "sbsign", "--key", key.string, "--cert", certificateFile.string, "--output",
        signed.string, program.string,
      ]
    ).output()
  }
}

extension ImageParts {
  /// The EFI system partition's programs with a signature of the user's, and its certificate: shim, which firmware that
  /// knows this key alone then starts as well.
  func signedEntries(in folder: FilePath) async throws -> [Entry] {
    guard let signer, let shim = loaders[GRUB.first] else { return [] }
    let signed = folder.appending("shim-signed")
    try await signer.sign(shim.path, to: signed)
    return [
      .file(GRUB.first, .file(signed), why: "started by firmware of 64 bits", origin: shim.origin),
      .file("/\(signer.certificateName)", .bytes(signer.certificate), why: signer.why, origin: .given),
    ]
  }
}
