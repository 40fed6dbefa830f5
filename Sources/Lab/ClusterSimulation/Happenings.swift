import Addresses
import Bytes
import Membership
import NodeCore
import Tunnels
import TydCommand

// What can happen to the machines of a simulated cluster.

extension ClusterSimulation {
  /// A machine that is still off; its index. Addresses go up from 10.0.0.1 unless one is given.
  @discardableResult
  public mutating func addMachine(address: IPv4Address? = nil) -> Int { machines.add(at: address) }

  /// Switches a machine on: the first node of a cluster, or one that joins through a member.
  public mutating func start(_ index: Int, through member: Int? = nil) {
    guard machines[index].core == nil else { return }
    machines[index].boots += 1
    machines[index].scheduled = .max
    machines[index].pausedUntil = 0
    invariants.begin(index)
    machines[index].kernel = Kernel()
    machines[index].own = machines[index].address
    let identity = identity(index, contact: member.map { machines[$0].address })
    machines[index].core = NodeCore(
      machines[index].record, identity, settings: settings, now: now, seed: coreSeed(index))
    give(index) { member == nil ? $0.enter(at: $1) : $0.join(at: $1) }
  }

  /// A machine without a certificate of the cluster joins: the member that it asks certifies it if its operator says so.
  public mutating func startStranger(_ index: Int, through member: Int) {
    machines[index].isMember = false
    start(index, through: member)
  }

  /// Pulls the plug: memory, kernel and connections are gone.
  public mutating func stop(_ index: Int) {
    forgetLines(of: index, tellsOthers: false)
    machines[index].boots += 1
    machines[index].core = nil
    machines[index].kernel = Kernel()
  }

  /// The process ends and is started again: it goes on with its map and with what is in the kernel.
  public mutating func crash(_ index: Int) {
    guard machines[index].core != nil, machines[index].pausedUntil <= now else { return }
    forgetLines(of: index, tellsOthers: true)
    machines[index].scheduled = .max
    // What is under way to the machine's kernel arrives all the same: this is no other life of the machine.
    let core = NodeCore(
      machines[index].record, identity(index), settings: settings, now: now, seed: coreSeed(index))
    machines[index].own = machines[index].address
    guard !machines[index].map.isEmpty, let commands = core.resume(map: machines[index].map, at: now) else {
      return stop(index)
    }
    machines[index].core = core
    perform(commands, by: index)
    let demanded = machines[index].kernel.demanded
    give(index) { $0.resume(demanded: demanded, cutOff: [], at: $1) }
    machines[index].kernel.keepOnly(machines[index].core?.peers.demanded ?? [], own: machines[index].own)
    let uses = machines[index].kernel.uses(own: machines[index].own)
    give(index) { $0.resume(uses, at: $1) }
    give(index) { $0.enter(at: $1) }
  }

  public mutating func leave(_ index: Int) {
    give(index) { $0.leave(at: $1) }
    forgetLines(of: index, tellsOthers: true)
    machines[index].boots += 1
    machines[index].core = nil
    machines[index].kernel = Kernel()
  }

  /// The process stands still, as a machine does that swaps or whose emulator is not scheduled.
  public mutating func pause(_ index: Int, for duration: UInt64) { machines[index].pausedUntil = now + duration }

  /// A new lease with another address, which the node notices a moment later.
  public mutating func readdress(_ index: Int, _ address: IPv4Address) {
    machines.move(index, to: address)
    guard machines[index].core != nil else { return }
    queue.insert(.address(index, boots: machines[index].boots), at: now + random.number(in: 0...30))
  }

  /// From now on only machines with the same number reach each other.
  public mutating func partition(_ part: (Int) -> Int) {
    for index in machines.indices { machines[index].part = part(index) }
  }

  public mutating func heal() {
    partition { _ in 0 }
    invariants.heal(machines, at: now)
  }

  @discardableResult
  public mutating func remove(_ id: NodeID, by index: Int) -> Bool {
    order("remove", id, by: index)
    return hasRemoved(id, by: index)
  }

  @discardableResult
  public mutating func allow(_ id: NodeID, by index: Int) -> Bool {
    let wasRemoved = hasRemoved(id, by: index)
    order("allow", id, by: index)
    return wasRemoved && !hasRemoved(id, by: index)
  }

  private func hasRemoved(_ id: NodeID, by index: Int) -> Bool {
    var isRemoved = false
    machines[index].core?.membership.forEachRemoved { removed, _, _ in isRemoved = isRemoved || removed == id }
    return isRemoved
  }

  /// An operator's order, as it comes over the local socket.
  private mutating func order(_ word: String, _ id: NodeID, by index: Int) {
    let order: TydCommand.Order = word == "remove" ? .remove(id) : .allow(id)
    guard let number = machines[index].core?.receiveOrderer(user: 0, at: now) else { return }
    give(index) { $0.receive(order.line, fromOrder: number, at: $1) }
  }

  /// Lets whoever asks a member be certified.
  public mutating func openWindow(_ index: Int) {
    guard let number = machines[index].core?.receiveOrderer(user: 0, at: now) else { return }
    give(index) { $0.receive(TydCommand.Order.approveWindow(minutes: 60).line, fromOrder: number, at: $1) }
  }

  /// Some program on a machine sends something to another one.
  public mutating func talk(_ index: Int, _ other: Int) {
    guard index != other, machines[index].core != nil else { return }
    send(nil, from: index, to: machines[other].address)
  }

  public mutating func resetTraffic() { traffic = Traffic() }

  // MARK: Watching

  /// From now on, notes who learns what of a machine.
  public mutating func watch(_ index: Int) { sightings.watch(machines[index].mac) }

  /// Milliseconds from `start` until the last of all others saw the machine join; nil while one has not.
  public func joinSeen(_ index: Int, since start: UInt64) -> UInt64? {
    sightings.joined(index, since: start, machines)
  }

  /// The same for its death, leave or removal.
  public func goneSeen(_ index: Int, since start: UInt64) -> UInt64? { sightings.gone(index, since: start, machines) }

  /// How long a node that is there and can be reached may be called dead, in milliseconds.
  public mutating func allowMistakes(for time: UInt64) { invariants.mistakeBound = time }

  /// Faults in what the nodes believe now: called after everything had time to settle.
  public mutating func checkSettled(associations limit: Int = 16) {
    invariants.checkSettled(limit: limit, isLossy: network.loss > 0, machines, at: now)
  }

  /// Faults in who has been called dead for too long by mistake.
  public mutating func checkMistakes() { invariants.checkMistakes(machines, at: now) }

  /// How many pairs of security associations each machine has that it sends by.
  public func associations() -> [Int] { machines.map { $0.core?.peers.tunnels.established ?? 0 } }

  mutating func note(_ news: NodeNews, by index: Int) {
    switch news {
    case .joined(let record), .changed(let record): sightings.noteJoined(record.mac, by: index, at: now)
    case .died(let record), .left(let record), .removed(let record):
      sightings.noteGone(record.mac, by: index, at: now)
    default: break
    }
    invariants.note(news, by: index, machines, at: now)
  }
}
