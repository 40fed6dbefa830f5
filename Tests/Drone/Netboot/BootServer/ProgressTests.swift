import Testing

@testable import BootServer

@Suite struct ProgressTests {
  @Test(
    "how much of a file has gone is right for an empty one and for the largest",
    arguments: [
      (0, 0, 0), (0, 10, 0), (1, 10, 1), (9, 10, 9), (10, 10, 10), (16, 10, 16),
      // Ten times this is more than 32 bits hold.
      (214_748_365, 429_496_730, 5), (1_288_490_188, 2_147_483_647, 5), (2_147_483_647, 2_147_483_647, 10),
    ] as [(UInt64, Int, Int)])
  func tenthsOfFiles(sent: UInt64, size: Int, expected: Int) { #expect(tenths(sent, of: size) == expected) }
}
