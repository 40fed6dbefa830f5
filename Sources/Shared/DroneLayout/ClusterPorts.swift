import Addresses

/// The numbers that a cluster speaks by.
public enum ClusterPorts {
  /// TCP: the control channel, TLS. UDP: membership, inside ESP only.
  public static let control: UInt16 = 3278
  /// TCP: jobs, and the files of whoever has work elsewhere. Inside ESP only.
  public static let work: UInt16 = 3279
  /// UDP: the question for a cluster, to `group`.
  public static let discovery: UInt16 = 2727
  /// UDP: where its answers go.
  public static let discoveryAnswer: UInt16 = 2728
  /// UDP: where a drone that boots others beside another DHCP server answers boot ROMs (PXE 2.1 §2.2.1).
  public static let proxyDHCP: UInt16 = 4011
  /// TCP: where a drone that boots others serves its files to firmware that boots by HTTP.
  public static let bootFiles: UInt16 = 80
  /// UDP: where a drone that boots others sends files from, one port for each transfer.
  public static let transfers: ClosedRange<UInt16> = 2730...2745
  /// In the organisation-local scope (RFC 2365 §6.2).
  public static let group = IPv4Address(239, 192, 0, 1)
}
