/// What can stop a build, each as a sentence: what was wrong, where, what to do.
public enum BuildError: Error, CustomStringConvertible, Sendable {
  /// A program ended with something other than success.
  case commandFailed(command: String, status: String, log: String?, lastLines: [String])
  /// A program could not be started at all.
  case notStarted(command: String, reason: String)
  /// A file or folder could not be read or written.
  case file(path: String, reason: String, remedy: String)
  /// An input is not what it must be.
  case input(String)

  public var description: String {
    switch self {
    case .commandFailed(let command, let status, let log, let lines):
      let where_ = log.map { " The whole output is in \($0)." } ?? ""
      let what = lines.isEmpty ? "" : " It last said:\n" + lines.map { "  | \($0)" }.joined(separator: "\n")
      return "\(command) failed (\(status)).\(where_)\(what)"
    case .notStarted(let command, let reason):
      return "\(command) could not be started: \(reason). Is it installed? `make deps` installs what is missing."
    case .file(let path, let reason, let remedy):
      return "\(path): \(reason). \(remedy)"
    case .input(let sentence):
      return sentence
    }
  }
}
