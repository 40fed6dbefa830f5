import SystemPackage
import VirtualMachine
import Workshop

/// The frames in a capture, in order, without the capture's own headers: a file header of 24 bytes, then for each frame 16
/// bytes, the third number of which is its length (pcap-savefile(5)).
func capturedFrames(in capture: FilePath) throws -> [ArraySlice<UInt8>] {
  let file = try contents(of: capture)
  var frames: [ArraySlice<UInt8>] = []
  var place = 24
  while place + 16 <= file.count {
    let length = (0..<4).reduce(0) { $0 | Int(file[place + 8 + $1]) << (8 * $1) }
    frames.append(file[(place + 16)..<min(place + 16 + length, file.count)])
    place += 16 + length
  }
  return frames
}

extension NetworkNamespace {
  /// Puts frames on the wire as they are, whoever they say they are from, in bursts of ten.
  /// - Parameters:
  ///   - file: where they are kept meanwhile.
  ///   - pause: seconds between two bursts.
  func sendFrames(_ frames: [[UInt8]], keptIn file: FilePath, pause: Double = 0.01) async throws {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for frame in frames {
      for byte in frame { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
      text.append(UInt8(ascii: "\n"))
    }
    try await write(text, to: file)
    let program = """
      import socket, sys, time
      wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
      wire.bind((sys.argv[1], 0))
      for number, line in enumerate(open(sys.argv[2])):
          wire.send(bytes.fromhex(line))
          if number % 10 == 9: time.sleep(float(sys.argv[3]))
      """
    try await runOnNetwork("/usr/bin/python3", ["-c", program, Self.bridge, file.string, "\(pause)"])
  }
}

/// The sum of RFC 1071 over bytes that are a whole number of 16-bit words, as it stands in a header.
private func checkSum(_ bytes: [UInt8]) -> [UInt8] {
  var sum: UInt32 = 0
  for place in stride(from: 0, to: bytes.count - 1, by: 2) {
    sum += UInt32(bytes[place]) << 8 | UInt32(bytes[place + 1])
  }
  while sum >> 16 != 0 { sum = sum & 0xFFFF + sum >> 16 }
  return [UInt8(truncatingIfNeeded: ~sum >> 8), UInt8(truncatingIfNeeded: ~sum)]
}

/// A frame that asks 192.168.1.`target` for its card, and by that tells it the card of 192.168.1.`source` (RFC 826).
func forgedNeighbour(of target: UInt8, source: UInt8) -> [UInt8] {
  let card = forgedCard(source)
  return [255, 255, 255, 255, 255, 255] + card + [8, 6, 0, 1, 8, 0, 6, 4, 0, 1] + card + [192, 168, 1, source]
    + [0, 0, 0, 0, 0, 0, 192, 168, 1, target]
}

private func forgedCard(_ source: UInt8) -> [UInt8] { [0x52, 0x54, 0, 0, 1, source] }

/// A frame that asks for a TCP connection to port 3278 of 192.168.1.`target`, and says that it is from 192.168.1.`source`.
func forgedConnection(to target: UInt8, card: [UInt8], from source: UInt8, port: UInt16) -> [UInt8] {
  let addresses: [UInt8] = [192, 168, 1, source, 192, 168, 1, target]
  let ports: [UInt8] = [UInt8(port >> 8), UInt8(truncatingIfNeeded: port), 12, 206]
  // RFC 9293 §3.1: sequence, acknowledgement, 5 words with SYN, window, checksum, urgent.
  var segment = ports + [source, 1, 2, 3, 0, 0, 0, 0, 0x50, 2, 0x20, 0, 0, 0, 0, 0]
  segment.replaceSubrange(16..<18, with: checkSum(addresses + [0, 6, 0, 20] + segment))
  // RFC 791 §3.1: 40 bytes, do not fragment, 64 hops, TCP.
  var header: [UInt8] = [0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6, 0, 0] + addresses
  header.replaceSubrange(10..<12, with: checkSum(header))
  return card + forgedCard(source) + [8, 0] + header + segment
}
