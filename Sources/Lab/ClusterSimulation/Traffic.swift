/// Sent since the counts were last reset.
public struct Traffic: Sendable {
  public var datagrams = 0
  /// With ESP, UDP and IP headers.
  public var bytes = 0
  public var handshakes = 0
  public var exchanges = 0
  /// Over the control channel, for maps.
  public var mapBytes = 0
  /// Packets that an association carried, or that a kernel kept.
  public var protected = 0
  public var kept = 0
  public var installed = 0
  /// Packets that reached a machine: taken, or without an association that they belong to.
  public var arrived = 0
  public var undecryptable = 0
  /// How often a kernel asked for keys.
  public var questions = 0
}
