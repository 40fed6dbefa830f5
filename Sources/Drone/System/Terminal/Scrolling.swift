extension Key {
  /// Where a list of `count` items that shows `page` at once, from its item `first` on, begins after this key; nil when the
  /// key does not move in it. 0 or more, whatever the numbers.
  public func scrolling(from first: Int, page: Int, count: Int) -> Int? {
    let step = max(page, 1)
    let last = max(0, count - step)
    return switch self {
    case .down: min(first + 1, last)
    case .up: max(0, min(first, last) - 1)
    case .pageDown: min(first + step, last)
    case .pageUp: max(0, min(first, last) - step)
    case .home: 0
    case .end: last
    default: nil
    }
  }
}
