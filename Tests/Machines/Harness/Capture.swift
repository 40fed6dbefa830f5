import SystemPackage
import Workshop

/// What tcpdump says of the frames in a capture that match the filter (pcap-filter(7)), one line a frame.
func frames(in capture: FilePath, _ filter: String) async throws -> [String] {
  let text = try await Command("tcpdump", ["-n", "-r", capture.string, filter]).output()
  return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
}
