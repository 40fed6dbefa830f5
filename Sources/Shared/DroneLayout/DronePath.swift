/// Where things lie in a running drone's root. Whoever writes a file, whoever reads it and whoever builds the root take its path
/// from here.
public enum DronePath {
  // What an image carries.

  /// The cluster's credential as the image carries it. Process 1 moves it to `cluster` and removes the folder.
  public static let credential: StaticString = "/credential"
  /// The table of the kernel modules that the image brings along; not there where the kernel needs none.
  public static let moduleTable: StaticString = "/etc/modules"
  /// The modules' files, until no more are loaded; then the folder is empty.
  public static let modules: StaticString = "/modules"
  /// Where the kernel looks for a driver's firmware (drivers/base/firmware_loader/main.c).
  public static let firmware: StaticString = "/lib/firmware"
  /// Where the boot medium is mounted, when the boot line asks for that.
  public static let medium: StaticString = "/mnt/boot"

  // What process 1 and its programs leave, all of it in the machine's memory.

  /// The steps of the boot, a line for each.
  public static let bootLog: StaticString = "/run/boot.log"
  /// There once the shells are started.
  public static let booted: StaticString = "/run/booted"
  /// Where programs that went to the background by themselves tell process 1 how they are started again.
  public static let services: StaticString = "/run/services"
  /// What the programs `network`, `lease` and `fix_hosts` leave for each other.
  public static let network: StaticString = "/run/network"
  /// What /etc/hosts points to.
  public static let hosts: StaticString = "/run/hosts"
  /// What /etc/resolv.conf points to.
  public static let resolver: StaticString = "/run/resolv.conf"
  /// What the running certaintyd leaves for others.
  public static let certaintyd: StaticString = "/run/certaintyd"

  // What belongs to the cluster.

  /// Where tyd finds the cluster's credential; the files in it are `CredentialFile`s.
  public static let cluster: StaticString = "/run/cluster"
  /// What the running tyd keeps; the files in it are `TydFile`s. Root's alone.
  public static let tyd: StaticString = "/run/tyd"
  /// What the running mosd keeps; the files in it are `MosdFile`s. Everybody may look for its socket.
  public static let mosd: StaticString = "/run/mosd"
}

/// The files of a cluster's credential, wherever it lies: in a store of the builder, in an image, on a drone.
public enum CredentialFile {
  /// The authority's certificate in PEM.
  public static let certificate: StaticString = "ca.crt"
  /// The authority's private key in PEM; not there where it must not be.
  public static let key: StaticString = "ca.key"
  /// Two lines for people: the cluster's name and its authority's fingerprint.
  public static let description: StaticString = "cluster"
}

/// The files that a running tyd keeps in its folder and others look at.
public enum TydFile {
  /// The local socket that takes orders, each one a line.
  public static let socket: StaticString = "socket"
  /// What it did, for people.
  public static let log: StaticString = "log"
  /// Why the last run ended before it was in a cluster, as a sentence; not there once one has been in.
  public static let failure: StaticString = "failure"
}

/// What a running mosd keeps in its folder.
public enum MosdFile {
  /// The local socket that mosrun asks.
  public static let socket: StaticString = "socket"
  public static let process: StaticString = "pid"
  /// What it counts, for metrics.
  public static let counts: StaticString = "counts"
  /// The files of other nodes' users, as long as their work is here; no other process sees them there.
  public static let sessions: StaticString = "sessions"
  /// Where the kernel's control groups are mounted, for mosd alone.
  public static let groups: StaticString = "groups"
  /// Where each job mounts the root that it gets.
  public static let root: StaticString = "root"
}

/// Orders to a running tyd that programs besides its own command give, too.
public enum OrderWord {
  /// How does this node stand?
  public static let standing: StaticString = "standing"
}
