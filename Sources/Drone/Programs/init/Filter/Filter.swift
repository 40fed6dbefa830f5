import Linux
import Netlink
import PacketFilter
import Reporting

/// Runs `filter`: closes the packet filter, in one step and in the place of whatever the table `drone` held. The kernel
/// then has all of it or, with exit status 1, what it had before.
func runFilter(_ arguments: [[UInt8]]) -> Int32 {
  do {
    try load(.drone)
  } catch {
    report(.failed, "filter", error.text)
    return 1
  }
  return 0
}

private func load(_ table: FilterTable) throws(NetlinkSocketError) {
  var batch = FilterBatch()
  batch.replace(table)
  var socket = try NetlinkSocket(.netfilter)
  try socket.perform(batch)
}
