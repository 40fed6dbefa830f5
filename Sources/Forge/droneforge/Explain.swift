import ArgumentParser
import BootLine

/// `droneforge explain 'KERNEL COMMAND LINE'`.
struct Explain: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print what a drone would do with a kernel command line.",
    discussion: """
      The code that reads the line is the drone's own. Put the line in single quotes:

          droneforge explain 'ip=192.168.1.21::192.168.1.1:255.255.255.0'

      The exit status is 1 when something in the line cannot be used.
      """)

  @Flag(help: "Print one JSON object instead of sentences; null means not set.")
  var json = false

  @Argument(help: "The line, as one argument or several.")
  var line: [String]

  func run() throws {
    let bootLine = BootLine(Array(line.joined(separator: " ").utf8))
    print(json ? explanationAsJSON(of: bootLine).text : explanation(of: bootLine))
    if !bootLine.errors.isEmpty { throw ExitCode(1) }
  }
}
