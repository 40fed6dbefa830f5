import Target

// A prompt of SYSLINUX for two kinds of drones on one medium.
extension SYSLINUX {
  /// The label that starts by itself.
  static let choice = "auto"
  /// What the second drone's labels have at their end.
  static let wideMark = "-64"

  /// A configuration of SYSLINUX with each label a second time, for the drone of 64 bits, and one more, the standard one,
  /// that takes the standard label of the drone for the processor (SYSLINUX, ifcpu64.c32).
  ///
  /// Words after that one would reach only one of the two, so it has a name that nobody types by habit: `drone` and the others
  /// are what they were.
  ///
  /// - Parameter wide: where the medium has the drone of 64 bits.
  static func choosing(_ text: String, wide: DronePlace) -> String {
    var head: [Substring] = []
    var labels: [Substring] = []
    var standard = ""
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      let words = line.split(separator: " ")
      if !labels.isEmpty || words.first == "LABEL" {
        labels.append(line)
      } else if words.first == "DEFAULT" {
        standard = words.dropFirst().joined(separator: " ")
        head.append("DEFAULT \(choice)")
      } else {
        head.append(line)
      }
    }
    let second = labels.filter { !$0.hasPrefix("#") }.map { $0.hasPrefix("LABEL ") ? $0 + wideMark : $0 }
    return """
      \(head.joined(separator: "\n"))
      LABEL \(choice)
        COM32 ifcpu64.c32
        APPEND \(standard)\(wideMark) -- \(standard)

      \(labels.joined(separator: "\n"))
      # The same for processors of 64 bits.
      \(moved(second.joined(separator: "\n"), to: wide))
      """
  }

  /// A configuration whose labels start another drone of the medium.
  static func moved(_ text: String, to place: DronePlace) -> String {
    let standard = DronePlace.standard
    return text.replacing(standard.kernel.dropFirst(), with: place.kernel.dropFirst())
      .replacing(standard.root.dropFirst(), with: place.root.dropFirst())
  }
}
