import Bytes

/// A folder whose contents are served, with everything below it that is reached without following links.
public struct Tree: Equatable, Sendable {
  /// Absolute; a client mounts exactly this.
  public let path: [UInt8]
  /// Whether every change is refused.
  public let isReadOnly: Bool
  /// The names that its own folder shows; nil for all.
  public let visibleNames: [[UInt8]]?
  /// Whether COMMIT waits for the medium. Without it the end of this process loses nothing, a failure of the machine's power what was
  /// written last.
  public let isDurable: Bool

  public init(path: [UInt8], isReadOnly: Bool, visibleNames: [[UInt8]]? = nil, isDurable: Bool = true) {
    self.path = path
    self.isReadOnly = isReadOnly
    self.visibleNames = visibleNames
    self.isDurable = isDurable
  }

  /// What programs need of a system, and nothing that is a user's, the kernel's or the machine's state.
  public static var system: Tree {
    Tree(path: [UInt8(ascii: "/")], isReadOnly: true, visibleNames: systemNames.map { [UInt8]($0) })
  }
  private static var systemNames: [StaticString] {
    ["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "opt", "etc"]
  }

  func shows(_ name: [UInt8]) -> Bool { visibleNames?.contains(name) ?? true }
}

/// A tree that was offered.
struct OfferedTree {
  var tree: Tree
  /// The number of its own folder.
  let root: UInt64
  let fileSystem: UInt64
  /// The devices that were met in it: its own first.
  private var devices: [UInt64]

  init(_ tree: Tree, root: UInt64, fileSystem: UInt64, device: UInt64) {
    self.tree = tree
    self.root = root
    self.fileSystem = fileSystem
    devices = [device]
  }

  /// A number of an object that no other in the tree has. Clients take a tree for one file system, whatever is mounted in it; inode
  /// numbers have far fewer than 64 bits.
  mutating func fileID(device: UInt64, inode: UInt64) -> UInt64 {
    let place: Int
    if let known = devices.firstIndex(of: device) {
      place = known
    } else {
      devices.append(device)
      place = devices.count - 1
    }
    return place == 0 ? inode : inode ^ SplitMix64.mix(UInt64(clamping: place))
  }
}
