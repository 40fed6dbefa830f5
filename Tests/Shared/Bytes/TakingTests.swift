import Bytes
import Testing

@Suite struct TakingTests {
  @Test("lines are taken one after the other, empty ones too; what has no end of line stays")
  func lines() {
    let text = [UInt8]("one\n\ntwo\nrest".utf8)
    var (slice, array) = (text[...], text)
    for line in ["one", "", "two"] {
      #expect(slice.takeLine().map { String(decoding: $0, as: UTF8.self) } == line)
      #expect(array.takeLine().map { String(decoding: $0, as: UTF8.self) } == line)
    }
    #expect(slice.takeLine() == nil && array.takeLine() == nil)
    #expect(slice.elementsEqual("rest".utf8) && array.elementsEqual("rest".utf8))
  }

  @Test("fields are taken up to the byte that ends them, wherever the slice begins")
  func fields() {
    var rest = [UInt8]("a b  c".utf8).dropFirst()
    let space = UInt8(ascii: " ")
    #expect(rest.take(before: space)?.isEmpty == true)
    #expect(rest.take(before: space)?.elementsEqual("b".utf8) == true)
    #expect(rest.take(before: space)?.isEmpty == true)
    #expect(rest.take(before: space) == nil && rest.elementsEqual("c".utf8))
  }
}
