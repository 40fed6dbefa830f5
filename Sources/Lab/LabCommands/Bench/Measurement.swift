/// One row: what was measured, what it is, what it should be.
struct Measurement {
  let name: String
  let value: String
  let aim: String

  init(_ name: String, _ value: String, _ aim: String) {
    self.name = name
    self.value = value
    self.aim = aim
  }

  static func table(_ rows: [Measurement]) -> String {
    func padded(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: width - text.count) }
    let name = rows.map(\.name.count).max() ?? 0
    let value = rows.map(\.value.count).max() ?? 0
    return rows.map { "\(padded($0.name, name))  \(padded($0.value, value))  \($0.aim)" }.joined(separator: "\n")
  }
}
