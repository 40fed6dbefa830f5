import DroneLayout
import Bytes
import Linux
import TydCommand

/// Where tyd starts.
@_cdecl("tyd_main")  // SwiftPM links the function of this name, <product>_main, as the program's `main`
public func entry(_ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> Int32 {
  let words = commandLine(count, arguments)
  let rest = [[UInt8]](words.dropFirst())
  if let path = words.first, let view = ViewProgram(name: path.split(separator: UInt8(ascii: "/")).last ?? []) {
    return view.run(rest)
  }
  if let path = words.first, let program = WorkProgram(name: path.split(separator: UInt8(ascii: "/")).last ?? []) {
    return program.run(rest)
  }
  if rest.first?.spells(BootServiceArguments.option) == true { return runBootService(rest) }
  let command: TydCommand
  do {
    command = try TydCommand(rest)
  } catch {
    return fail(error.sentence, status: 2)
  }
  switch command.task {
  case .help:
    writeStandardOutput([UInt8](TydCommand.help))
    return 0
  case .version:
    writeStandardOutput([UInt8]("tyd ") + SoftwareVersion.current.text + [UInt8]("\n"))
    return 0
  case .printConfiguration: return printConfiguration(command)
  case .filter(let request): return runFilter(request)
  case .order(let order): return send(order)
  case .start, .join: return run(command, arguments: words)
  }
}

/// Says what went wrong, as one sentence on standard error, and gives the exit status.
func fail(_ sentence: [UInt8], status: Int32 = 1) -> Int32 {
  writeStandardError([UInt8]("tyd: ") + sentence + [UInt8]("\n"))
  return status
}

func fail(_ sentence: StaticString) -> Int32 { fail([UInt8](sentence)) }
