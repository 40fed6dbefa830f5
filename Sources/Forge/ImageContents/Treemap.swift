/// Something whose area in a picture is its weight.
public struct TreemapNode: Sendable {
  public var label: String
  /// For what points at it: its path, and what it is.
  public var title: String
  /// What has one colour with it.
  public var group: String
  /// More than 0: about how many bytes of the image are its.
  public var weight: Double
  public var children: [TreemapNode]

  public init(_ label: String, title: String, group: String, weight: Double, children: [TreemapNode] = []) {
    (self.label, self.title, self.group, self.weight, self.children) = (label, title, group, weight, children)
  }
}

public struct TreemapRectangle: Sendable, Equatable {
  public var x, y, width, height: Double

  public init(x: Double, y: Double, width: Double, height: Double) {
    (self.x, self.y, self.width, self.height) = (x, y, width, height)
  }

  public var area: Double { width * height }
}

/// A rectangle with nothing in it.
public struct TreemapTile: Sendable {
  public var label: String
  public var title: String
  public var rectangle: TreemapRectangle
  public var group: String
}

extension TreemapNode {
  /// Fills a rectangle with the leaves: areas are in proportion to weights, nothing overlaps and nothing is left free. Leaves
  /// that would have less than `smallest` of area are one tile together.
  public func tiles(in rectangle: TreemapRectangle, smallest: Double) -> [TreemapTile] {
    var all: [TreemapTile] = []
    lay(in: rectangle, smallest, &all)
    return all
  }

  private func lay(
    in rectangle: TreemapRectangle, _ smallest: Double, _ all: inout [TreemapTile]
  ) {
    let total = children.reduce(0) { $0 + $1.weight }
    let sorted = children.sorted { ($1.weight, $0.label) < ($0.weight, $1.label) }
    var shown = sorted.filter { total > 0 && $0.weight * rectangle.area / total >= smallest }
    guard !shown.isEmpty, total > 0 else {
      all.append(TreemapTile(label: label, title: title, rectangle: rectangle, group: group))
      return
    }
    let others = sorted.dropFirst(shown.count)
    let weight = others.reduce(0) { $0 + $1.weight }
    if weight > 0 {
      shown.append(
        TreemapNode(
          "\(others.count) more", title: "\(title): \(others.count) small ones together",
          group: others.first?.group ?? group,
          weight: weight))
    }
    for (index, place) in squarified(shown.map(\.weight), in: rectangle).enumerated() {
      shown[index].lay(in: place, smallest, &all)
    }
  }
}

/// Rectangles whose areas are in proportion to the weights, each as near to a square as one row after the other can make it
/// (Bruls, Huizing, van Wijk: Squarified Treemaps, 2000).
private func squarified(_ weights: [Double], in whole: TreemapRectangle) -> [TreemapRectangle] {
  let total = weights.reduce(0, +)
  var places: [TreemapRectangle] = []
  var free = whole
  var left = total
  var rest = weights[...]
  while !rest.isEmpty {
    let scale = left > 0 ? free.area / left : 0
    let side = min(free.width, free.height)
    func worst(_ count: Int) -> Double {
      let row = rest.prefix(count)
      let area = row.reduce(0, +) * scale
      guard area > 0, side > 0 else { return .infinity }
      return row.map { max(side * side * $0 * scale / (area * area), area * area / (side * side * $0 * scale)) }.max()
        ?? 0
    }
    var count = 1
    while count < rest.count, worst(count + 1) <= worst(count) { count += 1 }
    let row = rest.prefix(count)
    let sum = row.reduce(0, +)
    // The last row takes what is left, whatever rounding says.
    let thickness = count == rest.count ? max(free.width, free.height) : side > 0 ? sum * scale / side : 0
    var along = 0.0
    for weight in row {
      let length = sum > 0 ? side * weight / sum : 0
      places.append(
        free.width >= free.height
          ? TreemapRectangle(x: free.x, y: free.y + along, width: thickness, height: length)
          : TreemapRectangle(x: free.x + along, y: free.y, width: length, height: thickness))
      along += length
    }
    if free.width >= free.height {
      free.x += thickness
      free.width -= thickness
    } else {
      free.y += thickness
      free.height -= thickness
    }
    left -= sum
    rest = rest.dropFirst(count)
  }
  return places
}

extension ImageContents {
  /// The image as a tree of weights. What is in a compressed archive shares the archive's bytes by its own, since nobody knows
  /// how many of them each file takes.
  ///
  /// - Parameter name: the image's.
  public func treemap(named name: String) -> TreemapNode {
    var members: [ImagePath: [ImageEntry]] = [:]
    for entry in entries { members[entry.path.parent, default: []].append(entry) }
    func nodes(in folder: ImagePath, _ scale: Double) -> [TreemapNode] {
      (members[folder] ?? []).compactMap { entry in
        let whole = Double(entry.size) * scale
        var children: [TreemapNode] = []
        if entry.inside != nil {
          children = filling(nodes(in: entry.path, 1), whole, entry.inside == .archive, entry.path)
        } else if entry.kind == .folder {
          children = nodes(in: entry.path, scale)
        }
        let weight = entry.kind == .folder ? children.reduce(0) { $0 + $1.weight } : whole
        guard weight > 0 else { return nil }
        let bytes = entry.kind == .folder ? "" : ", \(entry.size) bytes"
        let volume = volume(of: entry.path)
        let group = entry.inside != nil ? entry.path : volume.isTop ? entry.path.parent : volume
        return TreemapNode(
          entry.path.name, title: "\(entry.path)\(bytes)", group: "\(group)", weight: weight, children: children)
      }
    }
    return TreemapNode(
      name, title: name, group: "", weight: Double(size),
      children: filling(nodes(in: .top, 1), Double(size), form == .archive, .top))
  }
}

/// Nodes that together have exactly the weight of what they are in: scaled, or with one more for what is between them.
private func filling(
  _ nodes: [TreemapNode], _ whole: Double, _ isPacked: Bool, _ place: ImagePath
) -> [TreemapNode] {
  let sum = nodes.reduce(0) { $0 + $1.weight }
  guard sum > 0 else { return [] }
  if isPacked || sum > whole { return nodes.map { $0.scaled(by: whole / sum) } }
  let rest = TreemapNode("(rest)", title: "\(place): what is in no file", group: "\(place)", weight: whole - sum)
  return nodes + (rest.weight >= 1 ? [rest] : [])
}

extension TreemapNode {
  fileprivate func scaled(by factor: Double) -> TreemapNode {
    TreemapNode(
      label, title: title, group: group, weight: weight * factor, children: children.map { $0.scaled(by: factor) })
  }
}
