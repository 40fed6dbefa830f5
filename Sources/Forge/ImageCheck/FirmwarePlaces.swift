import DroneLayout
import Image
import Target

/// Where programs lie that firmware starts, or another program after it.
struct FirmwarePlaces {
  /// What a finding calls the container before a path in it.
  var container: String
  /// What firmware of 64 bits starts.
  var first: String
  /// What firmware of 32 bits starts.
  var narrow: String
  /// Without which some firmware starts nothing.
  var needed: [String]
  /// Whether every other program there is started by one of these; on a medium's own file system there may be more.
  var isClosed: Bool

  init(of loader: GRUB, on medium: Medium) {
    needed = loader.parts(on: medium).map(\.place)
    switch medium {
    case .cd:
      (container, first, narrow) = ("\(partitionName):", GRUB.first, GRUB.narrowFirst)
      isClosed = true
    case .network:
      (container, first, narrow) = ("", "/\(NetworkBootFile.shim)", "/\(NetworkBootFile.narrowGRUB)")
      isClosed = false
    }
  }
}
