import DroneLayout
import Image
import Target
import Workshop

/// Where the files of an image come from, as the bill beside it tells.
public struct Provenance: Sendable {
  private let items: [ImagePath: BillOfMaterials.Item]
  private let sources: [String: SourceRecord]
  /// Where in the bill's image the one that is looked at is; the top for the same.
  private let start: ImagePath

  /// Nil when the bill knows no file with this digest.
  ///
  /// - Parameter digest: of the image, when it is a file of another: a root's archive, or a program of kernel and root. Nil
  ///   for a whole CD image or network boot tree.
  public init?(_ bill: BillOfMaterials, of digest: SHA256? = nil) {
    var items: [ImagePath: BillOfMaterials.Item] = [:]
    func add(_ more: [BillOfMaterials.Item], below place: ImagePath) {
      for item in more {
        let path = ImagePath(bytes: item.path.utf8)
        items[path.isTop ? place.appending([UInt8(ascii: ".")]) : place.appending(path)] = item
      }
    }
    add(bill.medium, below: .top)
    add(bill.efiPartition ?? [], below: .partition)
    let target = ImageTarget(named: bill.target) ?? .standard
    let programs =
      bill.unified == nil
      ? []
      : [
        ImagePath(bytes: "\(MediumPath.unifiedKernel)".utf8),
        ImagePath.partition.appending(ImagePath(bytes: GRUB.second.utf8)),
      ].filter { items[$0] != nil }
    for drone in target.drones {
      guard let record = bill.drones.first(where: { $0.target == drone.name }) else { continue }
      let place = target.place(of: drone)
      let root = record.root + (record.modules?.files ?? []) + (bill.cluster?.credential ?? [])
      add(root, below: ImagePath(bytes: place.root.utf8))
      for program in programs where drone.name == target.wide?.name {
        add(root, below: program.appending(ImageContents.rootSection))
        items[program.appending(ImageContents.kernelSection)] = items[ImagePath(bytes: place.kernel.utf8)]
      }
    }
    self.items = items
    sources = Dictionary(bill.sources.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    guard let digest else {
      start = .top
      return
    }
    guard let place = items.filter({ $0.value.sha256 == "\(digest)" }).keys.min() else { return nil }
    start = place
  }

  /// What the bill says of a path of the image; nil when it says nothing.
  public subscript(path: ImagePath) -> BillOfMaterials.Item? { items[start.appending(path)] }

  /// Where a file of the image comes from, as the bill has it; nil when the bill says nothing, or tells of another file.
  public func origin(ofFile entry: ImageEntry) -> String? {
    self[entry.path].flatMap { $0.tells(of: entry) ? $0.origin : nil }
  }

  /// Where something comes from, as one line: `BusyBox's source busybox_1.35.0-4.dsc, version 1:1.35.0-4, SHA-256 …`.
  public func origin(of item: BillOfMaterials.Item) -> String {
    let words = (item.origin ?? "").split(separator: " ").map(String.init)
    let rest = words.dropFirst().joined(separator: " ")
    switch words.first {
    case "ours": return "made by this build"
    case "source":
      let record = sources[rest].map { ", version \($0.version), SHA-256 \($0.sha256)" } ?? ""
      return "built from the source \(rest)\(record)"
    case "package": return "a file of Debian's package \(rest)"
    case "checkout": return "\(rest) of the checkout"
    case "given": return "a file that the builder named"
    case "cluster": return "the cluster's credential"
    default: return item.origin ?? "the manifest does not say from where"
    }
  }
}

extension BillOfMaterials.Item {
  /// Whether this is what the item tells of: its kind, and its content, target or device. What the CD's writer makes or fills in
  /// itself is taken for that.
  public func tells(of entry: ImageEntry) -> Bool {
    switch kind {
    case .file:
      return entry.kind == .file
        && (sha256 == nil || bootInformationTable == true || sha256 == entry.digest.map { "\($0)" })
    case .directory: return entry.isFolder
    case .symbolicLink: return entry.kind == .symbolicLink && entry.target == target.map { [UInt8]($0.utf8) }
    case .characterDevice: return entry.kind == .characterDevice && entry.device == device
    }
  }
}

extension ImagePath {
  /// Where the EFI partition behind a CD's file system is found.
  public static let partition = ImagePath(bytes: "efi-partition".utf8)
}

extension ImageContents {
  /// Sections of a program of kernel and root (UAPI Group Specifications, Unified Kernel Image).
  public static let kernelSection = [UInt8](".linux".utf8)
  public static let rootSection = [UInt8](".initrd".utf8)
  public static let lineSection = [UInt8](".cmdline".utf8)
  public static let systemSection = [UInt8](".osrel".utf8)
}
