import Foundation

extension TreemapNode {
  /// The picture as a page of SVG 1.1 that needs nothing else: no scripts, no fonts, no links. Pointing at a rectangle shows
  /// its path where the viewer does that.
  ///
  /// - Parameter heading: the line above the rectangles.
  public func picture(heading: String) -> String {
    let (width, height, top) = (1200.0, 740.0, 54.0)
    let tiles = tiles(in: TreemapRectangle(x: 0, y: top, width: width, height: height), smallest: 60)
    let areas = Dictionary(tiles.map { ($0.group, $0.rectangle.area) }, uniquingKeysWith: +)
    let groups = areas.keys.sorted { (areas[$1] ?? 0, $0) < (areas[$0] ?? 0, $1) }
    func fill(_ group: String) -> String { colours[(groups.firstIndex(of: group) ?? 0) % colours.count] }
    let size = "width=\"\(Int(width))\" height=\"\(Int(height + top))\""
    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" \(size) viewBox=\"0 0 \(Int(width)) \(Int(height + top))\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#222\">",
      "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>",
      "<text x=\"4\" y=\"22\" font-size=\"16\">\(marked(heading))</text>",
    ]
    var x = 4.0
    for group in groups where x + 30 + letterWidth * Double(group.count) < width {
      lines.append(
        "<rect x=\"\(number(x))\" y=\"34\" width=\"12\" height=\"12\" fill=\"\(fill(group))\"/><text x=\"\(number(x + 16))\" y=\"44\">\(marked(group))</text>"
      )
      x += 30 + letterWidth * Double(group.count)
    }
    for tile in tiles {
      let place = tile.rectangle
      lines.append(
        "<g><title>\(marked(tile.title))</title><rect x=\"\(number(place.x))\" y=\"\(number(place.y))\" width=\"\(number(place.width))\" height=\"\(number(place.height))\" fill=\"\(fill(tile.group))\" stroke=\"#fff\"/>"
          + text(of: tile) + "</g>")
    }
    return (lines + ["</svg>"]).joined(separator: "\n") + "\n"
  }

  /// As much of a tile's label as has room in it, upright where only that has; empty where nothing has.
  private func text(of tile: TreemapTile) -> String {
    let place = tile.rectangle
    let needed = letterWidth * Double(tile.label.count) + 8
    let isUpright = place.height > place.width && place.width < needed
    let letters = Int(((isUpright ? place.height : place.width) - 8) / letterWidth)
    guard min(place.width, place.height) >= 16, letters >= 3 else { return "" }
    let label = tile.label.count <= letters ? tile.label : tile.label.prefix(letters - 1) + "…"
    let (x, y) = (place.x + (isUpright ? place.width / 2 - 4 : 4), place.y + (isUpright ? 4 : place.height / 2 + 4))
    let turned = isUpright ? " transform=\"rotate(90 \(number(x)) \(number(y)))\"" : ""
    return "<text x=\"\(number(x))\" y=\"\(number(y))\"\(turned)>\(marked(String(label)))</text>"
  }
}

/// Light enough for dark letters; the largest group has the first.
private let colours = [
  "#aed6e8", "#c9b1ea", "#f3c6a5", "#b9e3b0", "#f2b6c6", "#efe0a0", "#a9e3dc", "#d5c4b0", "#c5d3f5", "#e3b8e0",
]

/// Of most letters, in units of the page.
private let letterWidth = 7.0

private func number(_ value: Double) -> String { String(format: "%.2f", value) }

/// Text between tags (XML 1.0 §2.4).
private func marked(_ text: String) -> String {
  text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
}
