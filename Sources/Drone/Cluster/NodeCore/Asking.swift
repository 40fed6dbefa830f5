import Addresses
import LocalOrders
import MachineReadings
import Membership
import Surveys
import Tunnels

// Questions about processes, of this node's operator and of other members.

extension NodeCore {
  /// Begins to ask every member; the order is answered when that is over. False if too many do so already.
  func beginSurvey(_ ranking: ProcessOrder, most: UInt8, for number: UInt32, at now: UInt64) -> Bool {
    var members: [NodeRecord] = []
    membership.forEach { record, state in if state.isLive { members.append(record) } }
    guard orders.contains(number),
      let asked = surveys.begin(
        ranking, most: most, for: number, members,
        hasTunnel: { !identity.isEncrypted || peers.tunnels.isConnected($0) }, at: now)
    else { return false }
    let until = now &+ Survey.longest &+ 2000
    _ = orders.tell(number) { order in
      order.postpone(until: until)
      return []
    }
    perform(asked, at: now)
    return true
  }

  func stepSurveys(at now: UInt64) {
    guard let due = surveys.nextDue, due <= now else { return }
    surveys.receiveConnections { peers.tunnels.isConnected($0) }
    perform(surveys.step(at: now), at: now)
  }

  /// A datagram about processes came: it counts from live members alone.
  func receiveProcessMessage(_ bytes: [UInt8], from address: IPv4Address, at now: UInt64) {
    guard isIn, let message = try? ProcessMessage(bytes, of: membership.cluster),
      let member = membership.member(at: address), member.mac == message.sender, member.mac != membership.ownMAC
    else { return }
    perform(surveys.receive(message.body, from: address, at: now), at: now)
  }

  /// How this machine is, and all its processes if they were asked for.
  public func receiveMachine(
    _ machine: MachineReadings, processes readings: [ProcessReading]?, at now: UInt64
  ) -> [NodeCommand] {
    perform(surveys.receiveMachine(machine, processes: readings, at: now), at: now)
    return finish()
  }

  /// What `describeProcesses` asked for.
  public func receiveDescriptions(_ described: [ListedProcess], at now: UInt64) -> [NodeCommand] {
    perform(surveys.receiveDescriptions(described, at: now), at: now)
    return finish()
  }

  private func perform(_ asked: [SurveyCommand], at now: UInt64) {
    for command in asked {
      switch command {
      case .send(let body, let address):
        let message = ProcessMessage(cluster: membership.cluster, sender: membership.ownMAC, body)
        commands.append(.send(message.bytes, to: address))
      case .readMachine(let isWhole): commands.append(.readMachine(processes: isWhole))
      case .describeProcesses(let processes): commands.append(.describeProcesses(processes))
      case .answer(let order, let report):
        commands.append(.answer(order: order, .done(report.bytes(of: membership.cluster))))
        finishOrder(order, at: now)
      }
    }
  }
}
