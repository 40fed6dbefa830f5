import Jobs
import Linux

/// What is to be shown now on standard output and error, in this order.
final class Outlet {
  private enum Item {
    case bytes([UInt8])
    case kept(KeptOutputs.Output)
  }

  private let kept: KeptOutputs
  private var items: [(item: Item, descriptor: Int32)] = []
  /// Where in the items the next one is.
  private var next = 0
  /// What goes out of the next one now.
  private var bytes: ArraySlice<UInt8> = []
  /// Nobody reads it any more: what is still to be shown goes nowhere.
  private(set) var isClosed = false

  init(_ kept: KeptOutputs) { self.kept = kept }

  var isEmpty: Bool { items.isEmpty }
  /// What it waits for; -1 for nothing.
  var descriptor: Int32 { items.isEmpty ? -1 : items[next].descriptor }

  func show(_ bytes: [UInt8], on descriptor: Int32) {
    if !bytes.isEmpty, !isClosed { items.append((.bytes(bytes), descriptor)) }
  }

  func show(_ output: KeptOutputs.Output, on descriptor: Int32) {
    var output = output
    if isClosed { kept.drop(&output) } else if !output.isEmpty { items.append((.kept(output), descriptor)) }
  }

  func close() {
    isClosed = true
    for (item, _) in items[next...] {
      if case .kept(var output) = item { kept.drop(&output) }
    }
    bytes = []
    items = []
    next = 0
  }

  /// Shows what goes without waiting, but only so much at a time that signals are seen.
  func flush() throws(SystemError) {
    for _ in 0..<64 where !items.isEmpty {
      if bytes.isEmpty { bytes = try more() }
      if bytes.isEmpty {
        next += 1
        if next == items.count {
          items = []
          next = 0
        }
        continue
      }
      let went = try writeSome(bytes, to: descriptor)
      if went == 0 { return }
      bytes = bytes.dropFirst(went)
    }
  }

  private func more() throws(SystemError) -> ArraySlice<UInt8> {
    switch items[next].item {
    case .bytes(let all):
      items[next].item = .bytes([])
      return all[...]
    case .kept(var output):
      let part = try kept.take(from: &output)
      items[next].item = .kept(output)
      return part[...]
    }
  }
}
