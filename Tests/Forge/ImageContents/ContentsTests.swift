import Testing
import Workshop

@testable import ImageContents

@Suite("Contents of an image")
struct ContentsTests {
  @Test(
    "bytes that are no text, or would change a terminal, are shown as escapes that can be typed",
    arguments: [
      ("plain é 文", "plain é 文"), ("back\\slash", "back\\x5Cslash"), ("\u{1B}[2J", "\\x1B[2J"),
      ("\u{202E}", "\\xE2\\x80\\xAE"), ("tab\t", "tab\\x09"),
    ])
  func escapes(_ name: String, _ shown: String) {
    #expect(escaped([UInt8](name.utf8)) == shown)
    #expect(ImagePath(typed: shown).names == [[UInt8](name.utf8)])
  }

  @Test("a name of any bytes comes back from what is shown of it")
  func anyBytes() {
    for first in UInt8.min...UInt8.max {
      let name = [first, 0xC3, 0x28, 0xFF].filter { $0 != UInt8(ascii: "/") }
      let shown = escaped(name)
      #expect(shown.utf8.allSatisfy { $0 >= 0x20 } && ImagePath(typed: shown).names == [name])
    }
  }

  @Test("a list stops at what can be entered, unless that is what is listed, and has folders that nobody wrote")
  func lists() {
    #expect(
      sample.entries(below: .top).map(\.path.description) == [
        "/boot", "/boot/menu", "/chaos", "/chaos/root", "/other", "/other/root",
      ])
    #expect(sample.children(of: path("/chaos/root")).map(\.path.name) == ["bin", "etc", "round", "sh", "up"])
    #expect(sample.volume(of: path("/chaos/root/bin/sh")) == path("/chaos/root"))
    #expect(sample.volume(of: path("/chaos/root")) == .top)
  }

  @Test(
    "a path is found on the medium, or in the one root that has it",
    arguments: [
      ("boot/menu", "/boot/menu"), ("/only/here", "/other/root/only/here"), ("/", "/"),
      ("bin/sh", "/chaos/root/bin/sh"),
    ])
  func found(_ typed: String, _ place: String) throws { #expect(try sample.place(of: path(typed)) == path(place)) }

  @Test(
    "for a path that is not there the nearest names are told",
    arguments: [
      ("/etc/passwd", "there are: /chaos/root/etc/passwd, /other/root/etc/passwd."),
      ("/boot/menus", "the nearest is /boot/menu."), ("/choas", "the nearest is /chaos."),
      ("/lost/here", "the nearest is /other/root/only/here."), ("/nothing/like/it", "`droneforge tree` lists"),
      ("/chaos/root/bni", "the nearest is /chaos/root/bin."),
    ])
  func unknown(_ typed: String, _ says: String) {
    let error = #expect(throws: BuildError.self) { try sample.place(of: path(typed)) }
    #expect(error?.description.contains(says) == true, "\(error.debugDescription)")
  }

  @Test("links are followed within their root, and not out of it")
  func links() throws {
    #expect(try sample.followed(path("/chaos/root/sh"))?.path == path("/chaos/root/bin/busybox"))
    #expect(throws: BuildError.self) { try sample.followed(path("/chaos/root/up")) }
    #expect(throws: BuildError.self) { try sample.followed(path("/chaos/root/round")) }
  }

  @Test("a path through a folder that is a link is found, and a file system's top is no file of it")
  func linkedFolders() throws {
    let contents = ImageContents(
      .cd, size: 1,
      [
        .file("/root", "x").entered(.archive), .file("/root/usr/lib/a", "a"), .link("/root/lib", to: "usr/lib"),
        .link("/root/top", to: "/"),
      ])
    #expect(try contents.place(of: path("/root/lib/a")) == path("/root/usr/lib/a"))
    #expect(try contents.place(of: path("/lib/a")) == path("/root/usr/lib/a"))
    #expect(try contents.followed(path("/root/top")) == nil)
    #expect(try contents.followed(path("/root"))?.kind == .file)
  }

  @Test("text that an image brought along changes no terminal, and what was shown of it already stays")
  func printed() {
    #expect(printable("a \u{1B}[2J \\xFF é \u{202E}") == "a \\x1B[2J \\xFF é \\xE2\\x80\\xAE")
  }

  static let old = ImageEntry.file("/f", "old")
  @Test(
    "a difference says what is not the same",
    arguments: [
      (.file("/f", "old"), nil), (.file("/f", "new"), [.content]), (.file("/f", "longer"), [.content]),
      (.file("/f", "old", mode: 0o600), [.mode]), (.file("/f", "old", user: 5), [.owner]),
      (.link("/f", to: "g"), [.kind]), (.file("/f", "new", mode: 0o755, user: 1), [.content, .mode, .owner]),
      (ImageEntry(ImagePath(typed: "/f"), .folder), [.kind]),
    ] as [(ImageEntry, [ContentsDifference.Aspect]?)])
  func changed(_ new: ImageEntry, _ aspects: [ContentsDifference.Aspect]?) {
    let found = ImageContents(.archive, size: 1, [Self.old]).differences(to: ImageContents(.archive, size: 1, [new]))
    #expect(found.first?.aspects == aspects && found.count == (aspects == nil ? 0 : 1))
  }

  @Test("links and devices differ by what they lead to, and what one alone has is added or removed")
  func sides() {
    let one = ImageContents(.archive, size: 1, [.link("/l", to: "a"), .device("/d", 1, 3), .file("/gone")])
    let two = ImageContents(.archive, size: 1, [.link("/l", to: "b"), .device("/d", 1, 5), .file("/a/new")])
    let found = one.differences(to: two)
    #expect(found.map(\.path.description) == ["/a", "/a/new", "/d", "/gone", "/l"])
    #expect(found.map(\.aspects) == [[], [], [.device], [], [.target]])
    #expect(found.map { $0.before == nil } == [true, true, false, false, false] && found[3].after == nil)
    #expect(one.differences(to: one).isEmpty)
  }

  @Test("a folder has the bytes of its files, and each file system a table of its own")
  func sizes() {
    let tables = sample.sizes
    #expect(tables.map(\.path.description) == ["/", "/chaos/root", "/other/root"])
    #expect(tables.map(\.stored) == [1000, 600, 5] && tables.map(\.unpacked) == [609, 8, 5])
    #expect(
      tables[0].rows.map { "\($0.entry.path) \($0.bytes)" }.prefix(3) == ["/chaos 600", "/chaos/root 600", "/other 5"])
    #expect(tables[0].rows[0].share == 0.6)
    #expect(tables[1].rows.first { $0.entry.path == path("/chaos/root/etc") }?.share == 0.5)
  }
}
