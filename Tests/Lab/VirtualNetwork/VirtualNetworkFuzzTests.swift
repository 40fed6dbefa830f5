import Addresses
import TestSupport
import Testing
import VirtualNetwork

@Suite struct VirtualNetworkFuzzTests {
  @Test("any stream, cut anywhere, gives the same frames or ends; what is kept of it is bounded")
  func streams() {
    let samples: [[UInt8]] = [[], [1], [UInt8](repeating: 3, count: 60), [UInt8](repeating: 4, count: 1514)]
    let fault = Fuzzing.configured.firstFault { generator in
      var stream: [UInt8] = []
      for _ in 0..<Int.random(in: 0...6, using: &generator) {
        stream += samples.randomElement(using: &generator).map(\.withLength) ?? []
      }
      if Bool.random(using: &generator) { stream = stream.damaged(&generator) }
      var whole = FrameReader()
      whole.append(stream)
      let (expected, failure) = Self.frames(&whole)
      var cut = FrameReader()
      var found: [[UInt8]] = []
      var rest = stream[...]
      while !rest.isEmpty {
        let piece = rest.prefix(Int.random(in: 1...700, using: &generator))
        rest = rest.dropFirst(piece.count)
        cut.append([UInt8](piece))
        let (more, failed) = Self.frames(&cut)
        found += more
        if failed { return failure && found == expected ? nil : "another end: \(stream)" }
      }
      if failure || found != expected { return "other frames: \(stream)" }
      return cut.unfinished <= FrameReader.longestFrame + 4 ? nil : "too much is kept: \(stream)"
    }
    #expect(fault == nil)
  }

  private static func frames(_ reader: inout FrameReader) -> (frames: [[UInt8]], failed: Bool) {
    var frames: [[UInt8]] = []
    do throws(FrameReader.Failure) {
      while let frame = try reader.next() { frames.append(frame) }
      return (frames, false)
    } catch {
      return (frames, true)
    }
  }

  @Test("whatever frames come in, none goes back, to an unplugged port, or to nobody who might want it")
  func frames() {
    let fault = Fuzzing.configured.firstFault { generator in
      var network = VirtualSwitch(ports: 4, ageing: 50, addressesPerPort: 3)
      for now in 0..<20 {
        let bytes = [UInt8](repeating: 0, count: 14).map { _ in UInt8.random(in: 0...3, using: &generator) }
        let frame = [UInt8](bytes.prefix(Int.random(in: 10...14, using: &generator)))
        let port = Int.random(in: 0...4, using: &generator)
        let targets = network.forward(frame, from: port, at: UInt64(now * 7))
        if targets.contains(port) { return "sent back" }
        if targets.contains(where: { !network.isPlugged($0) }) { return "sent to an unplugged port" }
        if network.knownAddresses > 12 { return "too much is known" }
        if Int.random(in: 0...5, using: &generator) == 0 {
          network.plug(Int.random(in: 0...4, using: &generator), Bool.random(using: &generator))
        }
      }
      return nil
    }
    #expect(fault == nil)
  }
}
