import Bytes
import Linux
import Netlink
import PacketFilter
import TydCommand

/// Runs `tyd -f …` and gives the exit status.
func runFilter(_ request: TydCommand.FilterRequest) -> Int32 {
  do throws(Failure) {
    // Between a full Linux's filter that was off and the tyd that runs there nothing may be lost.
    let filter = try ClusterFilter(on: .current, members: Transforms.demanded())
    if case .allow = request, case .host = filter {
      throw Failure("this machine's own packet filter decides which ports are open; open the port there.")
    }
    let mark = Places().filterOff
    let wasOff = exists(mark)
    do throws(NetlinkSocketError) {
      switch request {
      case .initialise:
        try filter.set(.initial)
        removeFile(mark)
      case .on:
        try filter.set(.closed)
        removeFile(mark)
      case .off:
        // First the mark, or the tyd that runs here might put back what is taken away.
        try? replaceFile(mark, [], permissions: 0o600)
        try filter.set(.open)
      case .allow(let isTCP, let port):
        if case .drone(let filter) = filter { try filter.allow(isTCP: isTCP, port: port) }
      }
    } catch {
      if !wasOff { removeFile(mark) }
      throw Failure([UInt8]("the packet filter is as it was: ") + error.text)
    }
  } catch {
    return fail(error.sentence)
  }
  return 0
}
