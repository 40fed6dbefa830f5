import Testing

@testable import Linux

@Suite("Pipes")
struct PipeTests {
  @Test("a pipe whose output is held by nobody is at its end")
  func closed() throws {
    let pipe = try Pipe()
    try pipe.output.write([1])
    let input = pipe.keepingInput()
    #expect(try input.read(upTo: 10) == [1])
    #expect(waitReadable([input.number], milliseconds: 0) == [true])
    #expect(try input.read(upTo: 10) == [])
  }
}
