enum RecordedScreens {
  static let all: [String: String] = [:]
}
