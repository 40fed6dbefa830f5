import Linux
import Netlink

/// Hears at once that an address came or went on this machine. A node whose address has changed reaches nobody until it has
/// followed, and after a few seconds the others would call it dead.
final class AddressNews {
  private let events: NetlinkSocket

  init() throws(Failure) {
    do throws(NetlinkSocketError) {
      events = try NetlinkSocket(.route, groups: RouteGroups.addresses.rawValue)
    } catch {
      throw Failure(error.text)
    }
  }

  var descriptor: Int32 { events.descriptor }

  /// Takes what has come. What it says does not matter, nor whether some of it was lost: the addresses are then read anew.
  func take() {
    _ = events.takeEvents { _ in }
  }
}
