import Foundation
import FoundationXML
import TestSupport
import Testing

@testable import ImageContents

@Suite("The picture of sizes")
struct TreemapTests {
  static let page = TreemapRectangle(x: 10, y: 20, width: 1200, height: 700)

  private static func node(_ weight: Double, _ children: [TreemapNode] = []) -> TreemapNode {
    TreemapNode("n", title: "t", group: "g", weight: weight, children: children)
  }

  /// A tree of some hundred leaves.
  private static func random(_ seed: UInt64) -> TreemapNode {
    var generator = SeededGenerator(seed: seed)
    func tree(_ depth: Int) -> TreemapNode {
      let children =
        depth == 0 ? [] : (0..<Int.random(in: 0...9, using: &generator)).map { _ in tree(depth - 1) }
      let sum = children.reduce(0) { $0 + $1.weight }
      return node(children.isEmpty ? pow(10, Double.random(in: 0...5, using: &generator)) : sum, children)
    }
    return node(0, (0..<5).map { _ in tree(3) })
  }

  @Test("areas are in proportion, nothing overlaps and nothing is free", arguments: UInt64(1)...20)
  func areas(_ seed: UInt64) {
    let tree = Self.random(seed)
    let total = tree.children.reduce(0) { $0 + $1.weight }
    let tiles = tree.tiles(in: Self.page, smallest: 0)
    func leaves(_ node: TreemapNode) -> [Double] {
      node.children.isEmpty ? [node.weight] : node.children.flatMap(leaves)
    }
    let expected = leaves(tree).map { $0 / total * Self.page.area }.sorted()
    #expect(zip(tiles.map(\.rectangle.area).sorted(), expected).allSatisfy { abs($0 - $1) < 1e-6 * Self.page.area })
    #expect(tiles.count == expected.count)
    let page = Self.page
    for (index, one) in tiles.map(\.rectangle).enumerated() {
      let isInside =
        one.x > page.x - 1e-6 && one.x + one.width < page.x + page.width + 1e-6 && one.y > page.y - 1e-6
        && one.y + one.height < page.y + page.height + 1e-6
      if !isInside { Issue.record("\(one) is outside") }
      for other in tiles[(index + 1)...].map(\.rectangle) {
        let width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
        let height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
        if min(width, height) > 1e-6 { Issue.record("\(one) and \(other) overlap") }
      }
    }
  }

  @Test("what would be too small to see is one tile together, and the area stays the whole")
  func small() {
    let tree = Self.node(0, [Self.node(1000)] + (0..<50).map { _ in Self.node(0.1) })
    let tiles = tree.tiles(in: Self.page, smallest: 100)
    #expect(tiles.map(\.label) == ["n", "50 more"])
    #expect(abs(tiles.reduce(0) { $0 + $1.rectangle.area } - Self.page.area) < 1e-3)
    #expect(Self.node(5).tiles(in: Self.page, smallest: 1).map(\.rectangle) == [Self.page])
  }

  @Test("squares come out as squares")
  func squares() {
    let side = TreemapRectangle(x: 0, y: 0, width: 100, height: 100)
    let tiles = Self.node(0, (0..<4).map { _ in Self.node(1) }).tiles(in: side, smallest: 0)
    #expect(tiles.allSatisfy { abs($0.rectangle.width - 50) < 1e-9 && abs($0.rectangle.height - 50) < 1e-9 })
  }

  @Test("an archive's files share its bytes, and what is in no file is there too")
  func image() {
    let tree = sample.treemap(named: "image")
    func weight(_ node: TreemapNode) -> Double {
      node.children.isEmpty ? node.weight : node.children.reduce(0) { $0 + weight($1) }
    }
    #expect(abs(weight(tree) - 1000) < 1e-6)
    #expect(Set(tree.tiles(in: Self.page, smallest: 0).map(\.group)) == ["/", "/boot", "/chaos/root", "/other/root"])
    #expect(Set(tree.children.map(\.label)) == ["boot", "chaos", "other", "(rest)"])
    let root = tree.children.first { $0.label == "chaos" }?.children.first
    #expect(root?.children.map { "\($0.label) \($0.weight)" } == ["bin 300.0", "etc 300.0"])
  }

  @Test("the page is XML without scripts, whatever the names are")
  func page() throws {
    let names = ["<script>alert(1)</script>", "a&b\"'", "]]>", "\u{1B}\u{0}", "文"]
    let contents = ImageContents(
      .archive, size: 5000,
      names.map { .file(ImagePath([[UInt8]($0.utf8)]), [UInt8](repeating: 1, count: 1000)) }
        + [.file(ImagePath([[0xFF, 0xFE]]), [UInt8](repeating: 1, count: 1000))])
    let page = contents.treemap(named: "<x>").picture(heading: "<x> & y")
    let parser = XMLParser(data: Data(page.utf8))
    #expect(parser.parse(), "\(parser.parserError.debugDescription)")
    #expect(!page.contains("<script") && page.contains("&lt;script&gt;") && page.contains("\\xFF\\xFE"))
    #expect(!page.contains("href"))
  }
}
