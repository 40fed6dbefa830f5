/// What can be planted into the simulated machines to see whether the simulation finds it.
public enum PlantedFault: CaseIterable, Sendable {
  /// A member's place in the filter is made before its policy.
  case filterBeforePolicy
  /// Policies stay when their member is gone.
  case forgottenRelease
  /// The filter goes on letting packets to a member pass that is gone.
  case forgottenFilter
  /// Nothing is demanded of an address any longer once its member is called dead.
  case releasedAtDeath
  /// A node that was started anew draws the same numbers again, and so the same SPIs.
  case repeatedNumbers
  /// The same, and keys are made from a pair of nodes, not from their connection.
  case repeatedKeys
  /// A pair of nodes has one key, whatever the direction, the SPI or the connection.
  case pairSecret
}
