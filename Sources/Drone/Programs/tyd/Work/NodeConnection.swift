import Addresses
import Bytes
import ClusterView
import DroneLayout
import Jobs
import Linux

/// A connection to another node's mosd, which has greeted.
struct NodeConnection {
  let stream: MessageStream
  let greeting: WorkerGreeting

  struct Failure: Error {
    /// What the node does or does not, as a phrase.
    let phrase: [UInt8]
  }

  /// - Parameter patience: how long the node has to answer, in milliseconds.
  init(to node: ClusterTable.Node, from own: ClusterTable.Node, patience: Int) throws(Failure) {
    do throws(SystemError) {
      stream = MessageStream(
        OpenSocket(try connectPrivileged(to: node.address, from: own.address, patience: patience)))
    } catch {
      throw Failure(phrase: [UInt8]("cannot be reached: ") + error.text)
    }
    guard let bytes = stream.receiveMessage(limit: WorkerGreeting.largest, milliseconds: patience),
      let greeting = try? WorkerGreeting(bytes)
    else { throw Failure(phrase: [UInt8]("takes no work: no mosd answers there")) }
    self.greeting = greeting
  }

  func jobs(within patience: Int) -> JobList? {
    guard stream.sendMessage(WorkerOrder.list.bytes),
      let bytes = stream.receiveMessage(limit: JobList.largest, milliseconds: patience)
    else { return nil }
    return try? JobList(bytes)
  }
}

/// From a port that root alone may have: so the other node knows that this node's root speaks.
private func connectPrivileged(
  to address: IPv4Address, from own: IPv4Address, patience: Int
) throws(SystemError) -> Descriptor {
  let start = Int(randomBytes(2).map { UInt16(networkOrder: $0) } ?? 0) % privilegedPorts.count
  for offset in 0..<privilegedPorts.count {
    let port = privilegedPorts.lowerBound + UInt16((start + offset) % privilegedPorts.count)
    do throws(SystemError) {
      let socket = try connectStream(to: SocketAddress(address, port: ClusterPorts.work), from: own, fromPort: port)
      guard waitWritable(socket.number, milliseconds: patience) else {
        throw SystemError("connect", number: timedOut)
      }
      if let failure = connectionFailure(socket) {
        if failure.isTaken || failure.isUnassignable { continue }
        throw failure
      }
      return socket
    } catch {
      guard error.isTaken || error.isUnassignable else { throw error }
    }
  }
  throw SystemError("bind", number: timedOut)
}

/// As rresvport(3) takes them.
let privilegedPorts: Range<UInt16> = 600..<1024
