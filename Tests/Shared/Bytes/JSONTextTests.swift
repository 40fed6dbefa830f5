import Bytes
import Testing

@Suite struct JSONTextTests {
  @Test("commas stand between members and between elements, and nowhere else")
  func commas() {
    var json = JSONText()
    json.object { json in
      json.member("word", "a")
      json.array("list", of: [1, 2] as [UInt64]) { json, number in
        json.object { $0.member("n", number: number) }
      }
      json.array("none", of: [] as [UInt64]) { _, _ in }
      json.object("inner") { $0.null("nothing") }
      json.member("flag", flag: true)
    }
    #expect(
      String(decoding: json.bytes, as: UTF8.self)
        == #"{"word":"a","list":[{"n":1},{"n":2}],"none":[],"inner":{"nothing":null},"flag":true}"#)
  }

  @Test("numbers may have a sign, a place or two behind the point")
  func numbers() {
    var json = JSONText()
    json.object { json in
      json.member("nice", signed: -20 as Int8)
      json.member("cpu", tenths: 995)
      json.member("load", hundredths: 7)
    }
    #expect(String(decoding: json.bytes, as: UTF8.self) == #"{"nice":-20,"cpu":99.5,"load":0.07}"#)
  }

  @Test("quotes and backslashes are escaped, what is not printable is a question mark")
  func strings() {
    var json = JSONText()
    json.object { $0.member("text", [UInt8]("a\"\\\u{1B}".utf8)) }
    #expect(String(decoding: json.bytes, as: UTF8.self) == #"{"text":"a\"\\?"}"#)
  }
}
