import Bytes
import Testing

@Suite struct ByteTextTests {
  @Test("text has its values where they stand, numbers in decimal")
  func values() {
    let name = [UInt8]("eth0" as StaticString)
    let text = [UInt8]("\(name): \(-3) of \(UInt64.max) frames, \(7 as UInt8) lost")
    #expect(String(decoding: text, as: UTF8.self) == "eth0: -3 of 18446744073709551615 frames, 7 lost")
    #expect([UInt8]("\(name)") == name && [UInt8]("") == [])
  }
}
