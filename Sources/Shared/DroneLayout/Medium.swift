/// Where things lie on a boot medium, below its top folder: on a CD and in a tree to boot from the network alike.
public enum MediumPath {
  /// The folder that tells a drone's medium from another.
  public static let folder: StaticString = "chaos"
  public static let kernel: StaticString = "chaos/bzImage"
  /// The root archive, with what follows it: the credential of a cluster.
  public static let root: StaticString = "chaos/chaos.rdz"
  /// How much of `root` is public. On a CD alone.
  public static let publicPart: StaticString = "chaos/public"
}

/// What a build leaves in its folder.
public enum BuiltFile {
  /// The folder in the checkout where outputs go unless another is named.
  public static let folder: StaticString = "build"
  /// The image for CD, USB stick and disk.
  public static let image: StaticString = "drone.iso"
  /// The folder to boot from the network.
  public static let networkTree: StaticString = "pxe"
}
