import DroneLayout
import BootLine
import Bytes
import Integrity
import Linux
import Reporting

/// How long the running tyd may take to answer.
private let patience: UInt64 = 300

/// Runs `greeting`, with which every login shell starts: prints the drone's name, addresses and state.
func runGreeting(_ line: BootLine) -> Int32 {
  var root = RootWatchState.unwatched
  // Process 1 removes this file when nothing watches any longer.
  if exists(WatchFiles.process) { root = line.certaintyd == .locked ? .locked : .watched }
  var cluster = askStanding()
  // The first shell may be there before the tyd that the boot line asks for.
  if cluster == .outside, line.tyd != .off, !exists(Path(DronePath.tyd) / TydFile.log) { cluster = .joining }
  let greeting = Greeting(
    name: hostName(), addresses: ownAddresses(), cluster: cluster, root: root, isFiltered: line.filter)
  writeStandardOutput(greeting.text)
  return 0
}

/// Asks the tyd that runs here, and waits for no more than a moment.
private func askStanding() -> NodeStanding {
  let socket: Descriptor
  do throws(SystemError) { socket = try connectLocal(Path(DronePath.tyd) / TydFile.socket) } catch {
    return error.isMissing || error.isRefusal ? .outside : .silent
  }
  guard (try? socket.write([UInt8](OrderWord.standing) + [UInt8]("\n"))) != nil else { return .silent }
  var answer: [UInt8] = []
  let end = millisecondsSinceStart() &+ patience
  while answer.count < 512 {
    let now = millisecondsSinceStart()
    guard now < end, waitReadable([socket.number], milliseconds: Int(clamping: end &- now)).first == true else { break }
    guard let part = try? socket.receiveSome(upTo: 512), !part.isEmpty else { break }
    answer += part
  }
  // In front stands the order's status.
  return answer.first == UInt8(ascii: "0") ? NodeStanding([UInt8](answer.dropFirst())) : .silent
}
