import ArgumentParser
import ClusterStore
import Foundation
import SecureChannel
import SystemPackage
import Workshop

/// `droneforge cluster`.
struct ClusterCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cluster",
    abstract: "Make and manage clusters: the authorities that make nodes members.",
    discussion: """
      A cluster is an authority: a private key that makes nodes members, and a certificate by which nodes know each other.
      Both are kept in ${XDG_CONFIG_HOME:-~/.config}/droneforge/clusters/NAME. Whoever gets the key can add nodes; whoever
      loses it can add none. Keep a copy where nobody else has access.
      """,
    subcommands: [Create.self, List.self, Show.self, Export.self, Rotate.self])

  struct Named: ParsableArguments {
    @Argument(help: "The cluster's name: lower-case letters, digits and dashes.")
    var name: String

    func clusterName() throws -> ClusterName { try ClusterName(name) }
  }

  struct Lifetime: ParsableArguments {
    @Option(help: "Years until every certificate of the cluster expires.")
    var years = 20

    func validate() throws {
      guard (1...100).contains(years) else { throw ValidationError("--years is 1 to 100.") }
    }
  }

  struct Create: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Make a cluster.")
    @OptionGroup var named: Named
    @OptionGroup var lifetime: Lifetime

    func run() async throws {
      let store = ClusterStore()
      let cluster = try await store.create(named.clusterName(), now: now(), years: lifetime.years)
      print(creation(of: cluster, in: store))
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the clusters, one per line.")

    func run() throws {
      for cluster in try ClusterStore().all() {
        print("\(cluster.name)  \(text(cluster.fingerprint.short))  \(dates(cluster.certificate))")
      }
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show a cluster's fingerprint, dates and folder; never its key.")
    @OptionGroup var named: Named

    func run() throws {
      let store = ClusterStore()
      let cluster = try store.cluster(named.clusterName())
      print("name         \(cluster.name)")
      print("fingerprint  \(text(cluster.fingerprint.text))")
      print("valid        \(dates(cluster.certificate))")
      print("folder       \(store.location(of: cluster.name))")
      for date in store.rotations(of: cluster.name) { print("replaced     \(date)") }
    }
  }

  struct Export: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write a cluster's certificate and key as one PEM text.",
      discussion: """
        Whoever holds the key may admit nodes; a master needs it. With --public only the certificate is written: a node that
        has it knows the cluster and must be approved.
        """)
    @OptionGroup var named: Named

    @Flag(name: .customLong("public"), help: "Write only the certificate.")
    var onlyPublic = false

    @Option(help: "The file to write, for its owner alone (mode 0600). (default: standard output)", completion: .file())
    var output: String?

    func run() async throws {
      let cluster = try ClusterStore().cluster(named.clusterName())
      let pem = cluster.pem(withKey: !onlyPublic)
      if let output {
        try await write(pem, to: FilePath(output), mode: .ownerReadWrite)
      } else {
        try FileHandle.standardOutput.write(contentsOf: Data(pem))
      }
    }
  }

  struct Rotate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Give a cluster a new authority and keep the old one beside it.",
      discussion: """
        For when a CD or a key was lost: images made afterwards know only the new authority, and nodes of the old one are
        strangers to them. Build new images, and start every node from them.
        """)
    @OptionGroup var named: Named
    @OptionGroup var lifetime: Lifetime

    func run() async throws {
      let (cluster, old) = try await ClusterStore().rotate(named.clusterName(), now: now(), years: lifetime.years)
      print("The cluster \(cluster.name) has a new authority: \(text(cluster.fingerprint.text))")
      print(
        "The old one is kept in \(old). Build new images: nodes of the old authority are strangers to the new ones.")
    }
  }
}

/// What is printed when a cluster was made.
func creation(of cluster: ClusterCredential, in store: ClusterStore) -> String {
  """
  Made the cluster \(cluster.name): \(text(cluster.fingerprint.text))
  Its key is in \(store.location(of: cluster.name)). Keep a copy of that folder where nobody else comes: whoever has the key \
  can add nodes, and without it nobody can.
  """
}

/// Seconds since 1970.
private func now() -> Int64 { Int64(Date().timeIntervalSince1970) }

private func dates(_ certificate: Certificate) -> String {
  func day(_ seconds: Int64) -> String {
    Date(timeIntervalSince1970: TimeInterval(seconds)).formatted(.iso8601.year().month().day())
  }
  return "\(day(certificate.notBefore)) to \(day(certificate.notAfter))"
}
