import Addresses
import ControlChannel
import TestSupport
import Testing

@Suite struct ClusterProtocolFuzzTests {
  private static let fingerprint = [UInt8](repeating: 0xAB, count: 32)

  private static let messages: [ControlMessage] = [
    .join(record: [1, 2, 3]), .pending(fingerprint: fingerprint), .refused(reason: [0x4E, 0x6F, 0x2E]),
    .admitted(certificate: [0x30, 1, 2], authority: [0x30, 3]),
    .hello(Hello(cluster: fingerprint, time: 1_700_000_000, record: [9, 8, 7])), .mapRequest,
    .map(part: [4, 5, 6], isLast: false),
    .offer(TunnelOffer(from: 1, to: 2, spi: 0xC001_D00D, counter: 3, ciphers: [.chaCha20Poly1305, .aes128GCM])),
    .accept(TunnelAccept(spi: 0x100, cipher: .aes128GCM)), .ready, .refuse(.simultaneous), .leave,
  ]
  private static let frames = messages.map { $0.encoded() ?? [] }

  @Test("any stream, in any pieces, gives messages that encode again, or one error for good")
  func streams() {
    let fault = Fuzzing.configured.firstFault { generator in
      var stream: [UInt8] = []
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        stream += ClusterProtocolFuzzTests.frames.randomElement(using: &generator) ?? []
      }
      if UInt8.random(in: 0..<8, using: &generator) > 0 { stream = stream.damaged(&generator) }
      let whole = self.messages(in: stream, size: stream.count)
      let pieces = self.messages(in: stream, size: Int.random(in: 1...9, using: &generator))
      if whole.error != pieces.error || whole.found != pieces.found { return "pieces matter: \(stream)" }
      for message in whole.found {
        guard let bytes = message.encoded() else { return "\(message) cannot be encoded" }
        let again = self.messages(in: bytes, size: bytes.count)
        if again.found != [message] || again.error != nil { return "\(message) does not come back" }
      }
      return nil
    }
    #expect(fault == nil)
  }

  private func messages(in stream: [UInt8], size: Int) -> (found: [ControlMessage], error: ControlError?) {
    var reader = FrameReader()
    var found: [ControlMessage] = []
    for start in stride(from: 0, to: stream.count, by: max(size, 1)) {
      reader.append([UInt8](stream[start..<min(stream.count, start + max(size, 1))]))
      do throws(ControlError) {
        while let message = try reader.next() { found.append(message) }
      } catch {
        return (found, error)
      }
    }
    return (found, nil)
  }

  @Test("any datagram is a discovery message that says the same again, or none")
  func discovery() {
    let samples = [
      Discovery.question(cluster: ClusterProtocolFuzzTests.fingerprint).encoded,
      Discovery.admission(cluster: ClusterProtocolFuzzTests.fingerprint).encoded,
      Discovery.answer(
        address: IPv4Address(192, 168, 1, 11), port: 3278, cluster: ClusterProtocolFuzzTests.fingerprint
      ).encoded,
    ]
    let fault = Fuzzing.configured.firstFault { generator in
      let datagram = (samples.randomElement(using: &generator) ?? []).damaged(&generator)
      guard let message = Discovery(datagram) else { return nil }
      return message.encoded == datagram ? nil : "\(datagram) became \(message.encoded)"
    }
    #expect(fault == nil)
  }
}
