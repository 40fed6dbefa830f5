import ArgumentParser
import BootLine

/// `droneforge explain 'KERNEL COMMAND LINE'`.
struct Explain: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say what a drone would do with a kernel command line.",
    discussion: """
      The line is read by the same code as on the drone. Put it in single quotes:

          droneforge explain 'ip=192.168.1.21::192.168.1.1:255.255.255.0'

      The exit status is 1 when something in the line cannot be used.
      """)

  @Flag(help: "Print one JSON object instead of sentences; null stands for what is not set.")
  var json = false

  @Argument(help: "The line, in one argument or in several.")
  var line: [String]

  func run() throws {
    let bootLine = BootLine(Array(line.joined(separator: " ").utf8))
    print(json ? explanationAsJSON(of: bootLine).text : explanation(of: bootLine))
    if !bootLine.errors.isEmpty { throw ExitCode(1) }
  }
}
