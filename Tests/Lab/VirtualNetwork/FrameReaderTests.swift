import Testing

@testable import VirtualNetwork

@Suite struct FrameReaderTests {
  @Test(
    "a frame comes after its length, four bytes in network order",
    arguments: [
      ([0, 0, 0, 3, 1, 2, 3], [[1, 2, 3]], 0),
      ([0, 0, 0, 1, 7, 0, 0, 0, 2, 8, 9], [[7], [8, 9]], 0),
      // Nothing at all is a frame, too: the switch drops it.
      ([0, 0, 0, 0, 0, 0, 0, 1, 5], [[], [5]], 0),
      ([0, 0, 0, 3, 1, 2], [], 6),
      ([0, 0, 0], [], 3),
      ([], [], 0),
    ] as [([UInt8], [[UInt8]], Int)])
  func frames(_ stream: [UInt8], _ frames: [[UInt8]], _ unfinished: Int) throws {
    var whole = FrameReader()
    whole.append(stream)
    for frame in frames { #expect(try whole.next() == frame) }
    #expect(try whole.next() == nil)
    #expect(whole.unfinished == unfinished)

    var bytewise = FrameReader()
    var found: [[UInt8]] = []
    for byte in stream {
      bytewise.append([byte])
      while let frame = try bytewise.next() { found.append(frame) }
    }
    #expect(found == frames)
  }

  @Test("what is written is read back, up to the longest frame", arguments: [0, 1, 60, 1514, FrameReader.longestFrame])
  func longest(_ count: Int) throws {
    let frame = [UInt8](repeating: 0xA5, count: count)
    var reader = FrameReader()
    reader.append(frame.withLength)
    #expect(try reader.next() == frame)
  }

  @Test(
    "a length that no frame has ends the stream, before anything is waited for",
    arguments: [UInt32(FrameReader.longestFrame + 1), 0x8000_0000, .max])
  func tooLong(_ length: UInt32) {
    var reader = FrameReader()
    reader.append([24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) })
    #expect(throws: FrameReader.Failure.tooLong(length)) { try reader.next() }
  }
}

@Suite struct FrameQueueTests {
  @Test("frames go out in their order, however few bytes go at a time")
  func order() throws {
    var queue = FrameQueue()
    var reader = FrameReader()
    let frames: [[UInt8]] = (0..<100).map { [UInt8](repeating: UInt8($0), count: $0 * 13) }
    for frame in frames { queue.append(frame) }
    var step = 1
    while !queue.isEmpty {
      let part = [UInt8](queue.pending.prefix(step))
      reader.append(part)
      queue.remove(part.count)
      step = step % 997 + 50
    }
    for frame in frames { #expect(try reader.next() == frame) }
    #expect(reader.unfinished == 0 && queue.dropped == 0)
  }

  @Test("what does not fit is dropped as a whole and counted; what comes when there is room again goes out")
  func full() throws {
    var queue = FrameQueue(limit: 100)
    queue.append([UInt8](repeating: 1, count: 60))
    queue.append([UInt8](repeating: 2, count: 60))
    #expect(queue.dropped == 1 && queue.pending.count == 64)
    queue.remove(64)
    queue.append([3])
    #expect([UInt8](queue.pending) == [0, 0, 0, 1, 3] && queue.dropped == 1)
  }
}
