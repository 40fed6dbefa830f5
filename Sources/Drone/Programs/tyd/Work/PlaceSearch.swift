import Addresses
import Bytes
import ClusterView
import DroneLayout
import Jobs
import Linux

/// Finds a node for one job of a user's.
struct PlaceSearch {
  let caller: LocalCaller
  let placed: [IPv4Address]

  func run(_ ask: JobAsk) {
    let stream = caller.stream
    guard let nodes = liveNodes(), let own = nodes.first(where: { $0.isOwn }) else {
      return refuse(notInCluster)
    }
    let wanted: [ClusterTable.Node]
    switch ask.target {
    case .any: wanted = inOrder(nodes.filter { !ask.tried.contains($0.id) })
    case .next:
      wanted = nodes.filter { !ask.tried.contains($0.id) }.sorted { $0.id < $1.id }.prefix(1).map { $0 }
      if wanted.isEmpty { return refuse("no node is left.") }
    case .id(let id): wanted = nodes.filter { $0.id == id }
    case .address(let address): wanted = nodes.filter { $0.address == address }
    }
    if wanted.isEmpty { return refuse("no live node of the cluster is that; showmap lists them.") }
    var reasons: [[UInt8]] = []
    for node in wanted {
      if node.isOwn {
        _ = stream.sendMessage(JobAnswer.here(own.id).bytes)
        return
      }
      switch open(node, from: own, ask) {
      case .connection(let connection):
        let answer = lengthPrefixed(JobAnswer.node(id: node.id, home: own.id, address: node.address).bytes)
        try? stream.held.descriptor.send(answer, with: connection.descriptor)
        return
      case .none(let reason): reasons.append(idText(node.id) + [UInt8](" ") + reason)
      }
    }
    if case .any = ask.target, !ask.tried.contains(own.id) {
      _ = stream.sendMessage(JobAnswer.here(own.id).bytes)
      return
    }
    let node: UInt16? = if case .next = ask.target { wanted.first?.id } else { nil }
    _ = stream.sendMessage(JobAnswer.refused(by: node, joined(reasons) + [UInt8](".")).bytes)
  }

  private func refuse(_ sentence: StaticString) {
    _ = caller.stream.sendMessage(JobAnswer.refused(by: nil, [UInt8](sentence)).bytes)
  }

  private func joined(_ reasons: [[UInt8]]) -> [UInt8] {
    [UInt8](reasons.prefix(4).joined(separator: [UInt8]("; ")))
  }

  private func inOrder(_ nodes: [ClusterTable.Node]) -> [ClusterTable.Node] {
    let candidates = nodes.map { node in
      Candidate(
        id: node.id, load: node.load, processors: UInt32(clamping: node.cpus),
        freeMemory: UInt64(node.memoryFree) << 10,
        placed: UInt32(clamping: placed.count { $0 == node.address }))
    }
    let chance = randomBytes(8) ?? [UInt8](repeating: 0, count: 8)
    let order = orderOfAsking(
      candidates, random: (UInt32(networkOrder: chance[..<4]), UInt32(networkOrder: chance[4...])))
    return order.compactMap { id in nodes.first { $0.id == id } }
  }

  private enum Opened {
    case connection(OpenSocket)
    case none([UInt8])
  }

  /// Asks a node what it takes, and vouches for the user.
  private func open(_ node: ClusterTable.Node, from own: ClusterTable.Node, _ ask: JobAsk) -> Opened {
    var connection: NodeConnection
    do throws(NodeConnection.Failure) {
      connection = try NodeConnection(to: node, from: own, patience: patience(ask))
      // The place of a job that has just ended is free in a moment, and no other node will do.
      var tries = 0
      while isNamed(ask), connection.greeting.refusal.isEmpty, connection.greeting.room == 0, tries < 20 {
        pause(milliseconds: 150)
        connection = try NodeConnection(to: node, from: own, patience: patience(ask))
        tries += 1
      }
    } catch {
      return .none(error.phrase)
    }
    let greeting = connection.greeting
    if !greeting.refusal.isEmpty { return .none(greeting.refusal) }
    if greeting.room == 0 { return .none([UInt8]("has no room for more jobs now")) }
    if let machine = ask.machine, !greeting.machines.contains(machine) {
      return .none([UInt8]("cannot run it: it is made for ") + machine.name)
    }
    // The answer is the secret and the port.
    let question = MosdQuestion.session(SessionWish(address: node.address, trees: ask.trees))
    guard let session = caller.ask(question), session.count == JobVoucher.secretLength + 2 else {
      return .none([UInt8]("gets no files: this node's mosd has no room for a session more"))
    }
    let voucher = JobVoucher(
      name: JobName(home: own.id, process: caller.process), user: caller.identity.user,
      userName: userName(of: caller.identity.user, in: (try? readFile("/etc/passwd", limit: 1 << 20)) ?? []) ?? [],
      group: caller.identity.group, groups: caller.identity.groups,
      secret: [UInt8](session.prefix(JobVoucher.secretLength)), port: UInt16(networkOrder: session.suffix(2)),
      trees: ask.trees)
    guard connection.stream.sendMessage(WorkerOrder.run(voucher).bytes) else { return .none([UInt8]("was lost")) }
    return .connection(connection.stream.held)
  }

  /// How long a node has to answer, in milliseconds: a busy Pentium is waited for where no other will do.
  private func patience(_ ask: JobAsk) -> Int { ask.target == .any ? 3000 : 20_000 }

  private func isNamed(_ ask: JobAsk) -> Bool { ask.target != .any && ask.target != .next }
}
