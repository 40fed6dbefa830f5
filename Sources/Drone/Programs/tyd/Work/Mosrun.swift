import Addresses
import Bytes
import DroneLayout
import Jobs
import Linux

/// `mosrun`: runs a command on a node of the cluster. Gives the exit status.
func runMosrun(_ arguments: [[UInt8]]) -> Int32 {
  let options: MosrunOptions
  do throws(MosrunOptions.Failure) { options = try MosrunOptions(arguments) } catch {
    return failMosrun(error.sentence, status: 2)
  }
  if options.wantsHelp {
    writeStandardOutput([UInt8](MosrunOptions.help))
    return 0
  }
  if options.place == .everywhere {
    do throws(JobStart.Failure) { return runEverywhere(try JobStart(options.command)) } catch {
      return failMosrun(error.sentence, status: error.status)
    }
  }
  guard let destination = Destination(options) else {
    let name = if case .node(let name) = options.place { name } else { [UInt8]() }
    return failMosrun([UInt8]("no node is called ") + name.prefix(60).map(printable) + [UInt8]("; showmap lists them."))
  }
  if let list = options.list { return runList(list, CommandTemplate(options.command), at: destination) }
  return runCommand(options.command, at: destination)
}

/// Where a command is to run.
enum Destination {
  case here
  case cluster(JobAsk.Target, isRepeated: Bool)

  /// Nil when there is no such node.
  init?(_ options: MosrunOptions) {
    switch options.place {
    case .here: self = .here
    case .best, .everywhere: self = .cluster(.any, isRepeated: options.isRepeated)
    case .node(let name):
      guard let target = JobAsk.Target(name) ?? resolve(name).map({ .address($0) }) else { return nil }
      self = .cluster(target, isRepeated: options.isRepeated)
    }
  }
}

/// Who runs a command.
enum Runner {
  /// This node, whose id only a cluster knows.
  case here(UInt16?)
  case node(UInt16)
}

/// Runs a command with this process's standard input, outputs and signals, and gives the exit status; here it becomes the command.
/// - Parameter telling: is told who runs it, each time before it begins.
func runCommand(
  _ command: [[UInt8]], at destination: Destination, telling: (Runner) -> Void = { _ in }
) -> Int32 {
  guard case .cluster(var target, let isRepeated) = destination else {
    telling(.here(nil))
    return runHere(command)
  }
  let start: JobStart
  do throws(JobStart.Failure) { start = try JobStart(command) } catch {
    return failMosrun(error.sentence, status: error.status)
  }
  var tried: [UInt16] = []
  while true {
    switch findPlace(start.ask(target, tried: tried)) {
    case .failed(_, let sentence): return failMosrun(sentence)
    case .here(let id):
      telling(.here(id))
      return runHere(command, on: id)
    case .node(let place):
      telling(.node(place.id))
      let remote = RemoteJob(place, start.request(at: place))
      switch remote.run() {
      case .status(let status): return status
      case .signal(let number):
        dieBySignal(number)
        return 128 + Int32(number)
      case .refused(let status, let phrase):
        let sentence = place.name + [UInt8](" cannot run it: ") + phrase
        // Not the command's fault: the next best node may have what this one lacks.
        guard target == .any, status == 255 else { return failMosrun(sentence, status: Int32(status)) }
        tried.append(place.id)
      case .lost:
        let sentence = [UInt8]("the node ") + place.name + [UInt8](" was lost, and the job with it")
        guard isRepeated else { return failMosrun(sentence) }
        writeStandardError([UInt8]("mosrun: ") + sentence + [UInt8]("; once more on another node.\n"))
        tried.append(place.id)
        target = .any
      }
    }
  }
}

/// Says what went wrong, and gives the exit status.
func failMosrun(_ sentence: [UInt8], status: Int32 = 255) -> Int32 {
  WorkProgram.mosrun.fail(sentence, status: status)
}

/// Becomes the command.
/// - Parameter node: this node's id, where it is known.
func runHere(_ command: [[UInt8]], on node: UInt16? = nil) -> Int32 {
  let command = JobStart.readByShell(command)
  let names = node.map { [[UInt8]("MOSRUN_HOME=") + idText($0), [UInt8]("MOSRUN_NODE=") + idText($0)] } ?? []
  let failure = execute(command, environment: wholeEnvironment() + names)
  return failMosrun(failure.text, status: failure.isMissing ? 127 : 126)
}

/// What a command needs, as this node sees it before any other does.
struct JobStart {
  let command: [[UInt8]]
  let directory: [UInt8]
  let machine: ProgramMachine?
  private let trees: [[UInt8]]
  private let environment: [[UInt8]]

  struct Failure: Error {
    let sentence: [UInt8]
    let status: Int32
  }

  init(_ command: [[UInt8]]) throws(Failure) {
    self.command = JobStart.readByShell(command)
    do throws(SystemError) { directory = try workingDirectory() } catch {
      throw Failure(sentence: [UInt8]("the folder that you are in is gone: ") + error.text, status: 255)
    }
    environment = wholeEnvironment()
    trees = WorkTrees(home: environmentVariable("HOME") ?? [], directory: directory).paths.filter { exists(Path($0)) }
    machine = try JobStart.machine(of: command.first ?? [], path: environmentVariable("PATH") ?? [])
  }

  func ask(_ target: JobAsk.Target, tried: [UInt16]) -> JobAsk {
    JobAsk(target: target, machine: machine, trees: trees, tried: tried)
  }

  func request(at place: FoundPlace, terminal: Bool = true) -> JobRequest {
    var words = environment.filter(travels)
    words.append([UInt8]("MOSRUN_HOME=") + idText(place.home))
    words.append([UInt8]("MOSRUN_NODE=") + idText(place.id))
    var request = JobRequest(
      arguments: command, environment: words, directory: directory, mask: creationMask(),
      limits: resourceLimits().map { JobRequest.Limit(soft: $0.soft, hard: $0.hard) })
    // A pipeline's part gets a pipe, as it would here.
    if terminal, isTerminal(1), let size = TransparentTerminal.size() {
      request.terminal = JobRequest.Terminal(
        columns: size.columns, rows: size.rows, hasErrorApart: !isTerminal(2))
    }
    return request
  }

  /// What the command's file, or the program that reads it, was made for.
  private static func machine(of command: [UInt8], path: [UInt8]) throws(Failure) -> ProgramMachine? {
    var file = command
    for _ in 0..<5 {
      guard let found = located(file, path: path) else {
        throw Failure(sentence: file.prefix(200).map(printable) + [UInt8](": there is no such command"), status: 127)
      }
      guard let head = try? readFile(found, limit: 256) else { return nil }
      switch ExecutableNeed(head: head) {
      case .machine(let machine): return machine
      case .interpreter(let interpreter): file = interpreter
      case .unknown: return nil
      }
    }
    return nil
  }

  /// A script that names no program to read it is given to sh, as execvp(3) does.
  static func readByShell(_ command: [[UInt8]]) -> [[UInt8]] {
    guard let name = command.first, let file = located(name, path: environmentVariable("PATH") ?? []),
      isExecutable(file), let head = try? readFile(file, limit: 256), ExecutableNeed(head: head) == .unknown,
      !head.contains(0)
    else { return command }
    return [[UInt8]("/bin/sh"), file.bytes] + command.dropFirst()
  }

  private static func located(_ command: [UInt8], path: [UInt8]) -> Path? {
    if command.contains(UInt8(ascii: "/")) { return exists(Path(command)) ? Path(command) : nil }
    for folder in path.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false) {
      let file = (folder.isEmpty ? Path(".") : Path([UInt8](folder))) / command
      if isExecutable(file) { return file }
    }
    return nil
  }
}

/// A node that takes a job, and the connection to it.
struct FoundPlace {
  let id: UInt16
  let home: UInt16
  let address: IPv4Address
  let connection: OpenSocket
  /// Says when that node is dead.
  let news: OpenSocket

  var name: [UInt8] { idText(id) + [UInt8](" (") + address.text + [UInt8](")") }
}

enum PlaceOutcome {
  case node(FoundPlace)
  /// On this node, which has this id.
  case here(UInt16)
  /// Why there is none, as a sentence; by one node alone if that was meant.
  case failed(by: UInt16?, [UInt8])
}

/// Asks the mosd of this node.
func findPlace(_ ask: JobAsk) -> PlaceOutcome {
  let socket: OpenSocket
  do throws(WishFailure) { socket = try callMosd(.place(ask)).held } catch { return .failed(by: nil, error.sentence) }
  guard waitReadable([socket.descriptor.number], milliseconds: 60_000).first == true,
    let (bytes, connection) = receiveHandover(socket.descriptor, upTo: JobAnswer.largest + 4), bytes.count > 4,
    let answer = try? JobAnswer([UInt8](bytes.dropFirst(4)))
  else { return .failed(by: nil, WishFailure.silent.sentence) }
  switch answer {
  case .refused(let node, let sentence): return .failed(by: node, sentence)
  case .here(let id): return .here(id)
  case .lost: return .failed(by: nil, WishFailure.silent.sentence)
  case .node(let id, let home, let address):
    guard let connection else { return .failed(by: nil, [UInt8]("this node's mosd gave no connection.")) }
    return .node(
      FoundPlace(id: id, home: home, address: address, connection: connection, news: socket))
  }
}
