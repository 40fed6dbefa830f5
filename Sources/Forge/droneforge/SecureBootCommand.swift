import ArgumentParser
import Image
import SecureBootStore
import SystemPackage
import Workshop

/// `droneforge secureboot`.
struct SecureBootCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "secureboot",
    abstract: "Make and list keys of your own for Secure Boot.",
    discussion: """
      An image that is made with --secureboot NAME is signed by the key NAME: kernel, root and boot line as one program.
      Computers that know its certificate start nothing that was changed afterwards. Keys are kept in
      ${XDG_CONFIG_HOME:-~/.config}/droneforge/secureboot/NAME. Whoever gets the key can sign programs for your computers.
      """,
    subcommands: [Create.self, List.self])

  struct Create: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make a key, or keep one that you have.",
      discussion: """
        Its certificate is then beside it as NAME.cer (DER) for the setup of a firmware or for shim's MokManager, and as
        NAME.esl (EFI signature list). No key is ever overwritten.
        """)

    @Argument(help: "The key's name: 1 to 8 lower-case letters, digits and dashes.")
    var name: String

    @Option(help: ArgumentHelp("A private key that you have, in PEM without a passphrase.", valueName: "file"))
    var key: String?

    @Option(help: ArgumentHelp("Its certificate, in PEM.", valueName: "file"))
    var certificate: String?

    func validate() throws {
      guard (key == nil) == (certificate == nil) else {
        throw ValidationError("--key and --certificate belong together: name both files, or neither for a new key.")
      }
    }

    func run() async throws {
      let store = SecureBootStore()
      let name = try SecureBootName(name)
      let credential: SecureBootCredential
      if let key, let certificate {
        credential = try SecureBootCredential(
          key: contents(of: FilePath(key)), certificate: contents(of: FilePath(certificate)), from: (key, certificate))
      } else {
        // Firmware does not look at dates, and nobody wants to enrol another one soon.
        credential = try SecureBootCredential(newFor: name, years: 30)
      }
      try await store.keep(credential, as: name)
      print(
        """
        Keeps the key \(name) for Secure Boot in \(store.location(of: name)): \(credential.fingerprint)
        Keep a copy of that folder where nobody else comes: whoever has the key can sign programs for your computers.
        To enrol: \(store.enrolmentFile(of: name)), which every image that is signed by it has as well.
        """)
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the keys, one per line: name, the certificate's SHA-256, folder.")

    func run() throws {
      let store = SecureBootStore()
      for name in try store.names() {
        print("\(name)  \(try store.credential(name).fingerprint)  \(store.location(of: name))")
      }
    }
  }
}

/// What signs an image by the key of that name.
func programSigner(named text: String) throws -> ProgramSigner {
  let name = try SecureBootName(text)
  let store = SecureBootStore()
  let credential = try store.credential(name)
  return ProgramSigner(
    name: name.text, key: store.keyFile(of: name), certificateFile: store.certificateFile(of: name),
    certificate: credential.der)
}
