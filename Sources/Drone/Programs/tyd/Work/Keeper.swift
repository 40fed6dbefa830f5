import Addresses
import Bytes
import ClusterView
import Jobs
import Linux
import ProcessControl

/// Keeps one job: hears what is to be run for whom, makes it a room of its own, and passes on what it says. A process of its own, and in
/// the job's namespaces another one, the first there, with which everything in them ends.
struct Keeper {
  private let stream: MessageStream
  private let home: IPv4Address
  private let places: WorkPlaces
  private let groups: JobGroups?
  private let news: OpenSocket
  private let worker: Worker

  /// How long the home node's part of the beginning may take, in milliseconds.
  private static let patience = 10_000

  init(
    _ socket: OpenSocket, _ home: IPv4Address, _ places: WorkPlaces, _ groups: JobGroups?, news: OpenSocket,
    _ worker: Worker
  ) {
    stream = MessageStream(socket)
    self.home = home
    self.places = places
    self.groups = groups
    self.news = news
    self.worker = worker
  }

  func run(_ greeting: WorkerGreeting) -> Never {
    dieWithParent()
    closeDescriptors(but: [stream.held.descriptor.number, news.descriptor.number])
    setProcessName([UInt8]("mosd-job"))
    setSacrificeOrder(.first)
    guard let member = liveNodes()?.first(where: { $0.address == home && !$0.isOwn }) else { endProcess(1) }
    var greeting = greeting
    if greeting.refusal.isEmpty, !worker.worksFor(member.id, home) {
      greeting.refusal = [UInt8]("works for others only")
    }
    guard stream.sendMessage(greeting.bytes),
      let order = stream.receiveMessage(limit: WorkerOrder.largest, milliseconds: Keeper.patience)
    else { endProcess(1) }
    switch try? WorkerOrder(order) {
    case .run(let voucher)?:
      guard greeting.refusal.isEmpty, greeting.room > 0, let groups, voucher.name.home == member.id,
        let bytes = stream.receiveMessage(limit: JobRequest.largest, milliseconds: Keeper.patience),
        let request = try? JobRequest(bytes)
      else { endProcess(1) }
      run(request, voucher, groups)
    case .list?:
      // It takes nobody's place.
      _ = try? news.descriptor.sendSome([0])
      _ = stream.sendMessage(JobList(jobs: worker.records()).bytes)
    case nil: break
    }
    endProcess(0)
  }

  private func run(_ request: JobRequest, _ voucher: JobVoucher, _ groups: JobGroups) -> Never {
    let name = hexadecimalText(voucher.secret)
    let job = JobRecord(
      name: voucher.name, user: voucher.user, userName: voucher.userName, command: JobRecord.shown(request.arguments))
    _ = try? news.descriptor.sendSome(JobNotice(session: name, job: job).bytes)
    let network = worker.network.allow(worker.network.members()) ? JobNetwork.members : .none
    let session = SessionMounts(places.sessions / name)
    let group: OpenSocket
    do throws(SystemError) {
      try makeDirectory(places.sessions, permissions: 0o700)
      try session.mount(from: home, voucher)
      group = try groups.make(voucher.name)
      try leaveNamespaces(keepingNetwork: network == .members)
      if case .parent(let child) = try forkProcess() {
        _ = waitForChild(child)
        endProcess(0)
      }
      dieWithParent()
    } catch {
      refuse(error)
    }
    let identity = Identity(user: voucher.user, group: voucher.group, groups: voucher.groups)
    JobPump(
      stream.held, request, identity, group: group, network: network,
      root: JobRoot(session: session, trees: voucher.trees, folder: places.root)
    ).run()
  }

  private func refuse(_ error: SystemError) -> Never {
    _ = stream.send(JobFrame.refused(status: 255, error.text).bytes)
    endProcess(1)
  }
}
