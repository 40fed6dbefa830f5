import Addresses

// A cluster that has been running for long, without the work of letting it grow: where simulations begin.

extension Membership {
  /// One membership for each record, all of which know each other. The records must have ids and MACs of their own.
  package static func settled(
    _ records: [NodeRecord], cluster: ClusterIdentifier, authority: RemovalAuthority = .nobody, at now: UInt64,
    seed: (Int) -> UInt64
  ) -> [Membership] {
    guard let first = records.first else { return [] }
    var template = Membership(first, cluster: cluster, at: now, seed: 0)
    for record in records.dropFirst() {
      template.view.apply(record, .alive, vitals: 0, Provenance(spreads: false))
    }
    template.view.commands = []
    return records.indices.map { index in
      var membership = Membership(
        records[index], cluster: cluster, authority: authority, at: now, seed: seed(index))
      membership.view.table = template.view.table
      membership.view.table.exchangeOwn(with: MemberTable.Slot(truncatingIfNeeded: index))
      return membership
    }
  }

  /// Whether this node speaks at rest with the member there.
  package func isNeighbour(_ address: IPv4Address) -> Bool {
    view.neighbours.all.contains {
      view.table.isUsed($0.slot) && view.table[$0.slot].record.addresses.primary == address
    }
  }

  /// The number of the vitals that this node has of another.
  package func vitalsSequence(of mac: MACAddress) -> UInt8? {
    view.table.slot(mac).map { view.table[$0].vitalsSequence }
  }
}
