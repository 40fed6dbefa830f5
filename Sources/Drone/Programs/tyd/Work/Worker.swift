import Addresses
import Bytes
import Jobs
import Linux
import MachineReadings
import ProcessControl

/// What mosd does for the users of other nodes: runs their jobs, each with a keeper of its own, and keeps their mounted files a while.
final class Worker {
  private let places: WorkPlaces
  /// The most jobs at once.
  private var slots: Int
  /// The home nodes that it works for; nil for all members.
  private let homes: [NodeReference]?
  private var jobs: [Job] = []
  private var sessions: [Session] = []
  private let groups: JobGroups?
  let network: JobNetwork
  /// To whom jobs may try to speak.
  private var reachable: [IPv4Address] = []
  private var taken: UInt64 = 0
  private var refused: UInt64 = 0
  /// Why it takes no work at all, as a phrase; empty if it does.
  private let refusal: [UInt8]

  private struct Job {
    let keeper: Int32
    let home: IPv4Address
    let news: OpenSocket
    let since: UInt64
    /// It was told that there is room for what it brings.
    let mayRun: Bool
    /// Once its keeper has heard what is to be run.
    var notice: JobNotice?
    /// Its caller wanted to know something, and runs nothing.
    var isCurious = false
  }

  /// The files of one user of one home node, mounted here.
  private struct Session {
    let name: [UInt8]
    let home: IPv4Address
    var jobs = 0
    var idleSince: UInt64 = 0
  }

  /// Less than the home node keeps a session, so that nothing is mounted whose server is gone. In milliseconds.
  private static let idleTime: UInt64 = 570_000

  /// So many callers more than jobs are heard at once: they may only want to know.
  private static let mostCurious = 8

  /// - Parameters:
  ///   - slots: nil for twice the processors.
  ///   - homes: nil for all members.
  init(_ places: WorkPlaces, slots: Int?, for homes: [NodeReference]?) {
    self.places = places
    self.homes = homes
    self.slots = slots ?? 2 * max(1, Int(readMachine().processors))
    var groups: JobGroups?
    var refusal = [UInt8]("takes no work (mosd --work off)")
    if self.slots > 0 {
      // Before this process has any other: a control group with processes of its own has none below it.
      do throws(SystemError) {
        groups = try JobGroups(places.groups)
        refusal = []
      } catch {
        refusal = [UInt8]("cannot bound what a job uses: ") + error.text
      }
    }
    self.groups = groups
    network = JobNetwork(of: groups)
    self.refusal = refusal
    // What a former mosd mounted has gone with it.
    for name in directoryEntries(places.sessions) { SessionMounts(places.sessions / name).release() }
  }

  /// Its part of what mosd counts.
  func add(to counts: inout WorkCounts) {
    counts[.taken] = taken
    counts[.refused] = refused
    counts[.here] = UInt64(clamping: running)
    counts[.mounted] = UInt64(clamping: sessions.count)
  }

  var isBusy: Bool { !jobs.isEmpty || !sessions.isEmpty }

  // MARK: Jobs

  var canRun: Bool { groups != nil }

  /// Takes no more than so many jobs at once from now on, and gives how many run or may still begin.
  func limit(to slots: Int) -> Int {
    self.slots = slots
    hearKeepers()
    return jobs.count { $0.notice != nil || $0.mayRun && !$0.isCurious }
  }

  /// How many jobs run.
  private var running: Int { jobs.count { $0.notice != nil } }

  func worksFor(_ id: UInt16, _ address: IPv4Address) -> Bool {
    homes.map { $0.contains(.id(id)) || $0.contains(.address(address)) } ?? true
  }

  /// A member's mosd wants a job to be run, or to know which do: a process of its own hears it.
  func begin(_ socket: OpenSocket, _ now: UInt64) {
    guard let peer = peerAddress(of: socket.descriptor), privilegedPorts.contains(peer.port),
      jobs.count < max(slots, running) + Worker.mostCurious, let pair = try? SocketPair()
    else { return }
    // A group whose processes were slow to end. Looked for before keepers are heard: who has one has said so.
    let names = groups?.names ?? []
    hearKeepers()
    for name in names where !jobs.contains(where: { $0.notice?.job.name.text == name }) { groups?.remove(name) }
    var greeting = WorkerGreeting(
      room: UInt16(clamping: max(0, slots - jobs.count { !$0.isCurious })), machines: ProgramMachine.native)
    greeting.refusal = refusal
    if greeting.refusal.isEmpty, slots == 0 { greeting.refusal = [UInt8]("takes no work now") }
    do throws(SystemError) {
      switch try forkProcess() {
      case .child:
        Keeper(socket, peer.address, places, groups, news: OpenSocket(pair.keepingOther()), self).run(greeting)
      case .parent(let child):
        jobs.append(
          Job(
            keeper: child, home: peer.address, news: OpenSocket(pair.keepingOwn()), since: now,
            mayRun: greeting.room > 0 && greeting.refusal.isEmpty))
      }
    } catch {
      greeting.refusal = [UInt8]("cannot start a job: ") + error.text
      _ = try? socket.descriptor.sendSome(lengthPrefixed(greeting.bytes))
    }
  }

  /// The jobs that run here, as far as their keepers were heard: processes of calls, which do not hear them, ask too.
  func records() -> [JobRecord] {
    let now = millisecondsSinceStart()
    return jobs.compactMap { job in
      guard var record = job.notice?.job else { return nil }
      record.seconds = UInt32(clamping: (now &- job.since) / 1000)
      if let usage = groups?.usage(record.name) {
        record.processor = usage.processor
        record.memory = usage.memory
      }
      return record
    }
  }

  /// Sends each process of a job a signal; false when there is none.
  func signal(_ signal: UInt8, _ name: JobName) -> Bool { groups?.signal(signal, name) ?? false }

  /// Hears from keepers what they run, and in which sessions.
  func hearKeepers() {
    for index in jobs.indices where jobs[index].notice == nil && !jobs[index].isCurious {
      let number = jobs[index].news.descriptor.number
      guard waitReadable([number], milliseconds: 0).first == true,
        let bytes = try? jobs[index].news.descriptor.read(upTo: JobNotice.largest), !bytes.isEmpty
      else { continue }
      guard let notice = try? JobNotice(bytes) else {
        jobs[index].isCurious = true
        continue
      }
      jobs[index].notice = notice
      taken += 1
      if let place = sessions.firstIndex(where: { $0.name == notice.session }) {
        sessions[place].jobs += 1
      } else {
        sessions.append(Session(name: notice.session, home: jobs[index].home, jobs: 1))
      }
    }
  }

  /// A keeper has ended, and with it everything that its job had started.
  func collect(_ process: Int32, _ now: UInt64) {
    guard jobs.contains(where: { $0.keeper == process }) else { return }
    hearKeepers()
    guard let index = jobs.firstIndex(where: { $0.keeper == process }) else { return }
    let job = jobs.remove(at: index)
    guard let notice = job.notice else {
      if !job.mayRun, !job.isCurious { refused += 1 }
      return
    }
    groups?.remove(notice.job.name.text)
    guard let place = sessions.firstIndex(where: { $0.name == notice.session }) else { return }
    sessions[place].jobs -= 1
    if sessions[place].jobs == 0 { sessions[place].idleSince = now }
  }

  /// Ends the jobs of home nodes that are dead, and lets their files go. Jobs that run may speak to new members.
  func follow(_ dead: Set<UInt32>) {
    hearKeepers()
    let members = network.members()
    if members != reachable {
      reachable = members
      network.allow(members)
    }
    for job in jobs where dead.contains(job.home.bits) { sendSignal(.kill, to: job.keeper) }
    for session in sessions where session.jobs == 0 && dead.contains(session.home.bits) { release(session) }
    sessions.removeAll { $0.jobs == 0 && dead.contains($0.home.bits) }
  }

  var due: UInt64? { sessions.compactMap { $0.jobs == 0 ? $0.idleSince &+ Worker.idleTime : nil }.min() }

  func step(_ now: UInt64) {
    hearKeepers()
    for session in sessions where isOver(session, now) { release(session) }
    sessions.removeAll { isOver($0, now) }
  }

  private func isOver(_ session: Session, _ now: UInt64) -> Bool {
    session.jobs == 0 && session.idleSince &+ Worker.idleTime <= now
  }

  /// Unmounting may wait for a server that is gone: it must hold up nobody.
  private func release(_ session: Session) {
    if case .child? = try? forkProcess() {
      closeDescriptors(but: [])
      SessionMounts(places.sessions / session.name).release()
      endProcess(0)
    }
  }

  func end() {
    for job in jobs { sendSignal(.kill, to: job.keeper) }
    // What they hold of memory is not to be missed by a mosd that starts now.
    groups?.clear { [self] in
      while let (process, _) = collectChild() { collect(process, millisecondsSinceStart()) }
    }
    // The namespace goes with this process, and the mounts with it.
  }
}
