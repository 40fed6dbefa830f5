import Testing

@testable import VirtualMachine

@Suite struct MachineSlotsTests {
  private struct Count {
    var running = 0
    var most = 0
    var done = 0
    var looks = 0
    var isOver = false
  }
  private let count = Watched(Count())

  /// Slots that look at the load every millisecond; `hasRoom` gets the number of the look.
  private func slots(
    always: Int, most: Int, hasRoom: @escaping @Sendable (Int) -> Bool = { _ in true }
  ) -> MachineSlots {
    MachineSlots(always: always, most: most, pause: .milliseconds(1)) { [count] _ in
      hasRoom(
        count.change {
          $0.looks += 1
          return $0.looks
        })
    }
  }

  /// Runs twelve machines that stay until so many run and the load was looked at five times more, and gives how many
  /// machines ran at most.
  private func most(on slots: MachineSlots, staysUntil enough: Int) async throws -> Int {
    try await withThrowingTaskGroup { group in
      for _ in 0..<12 {
        group.addTask { [count] in
          try await slots.withSlots(1) {
            count.change {
              $0.running += 1
              $0.most = max($0.most, $0.running)
            }
            _ = try await count.wait(.seconds(60)) { $0.isOver ? true : nil }
            count.change {
              $0.running -= 1
              $0.done += 1
            }
          }
        }
      }
      _ = try await count.wait(.seconds(60)) { $0.running >= enough ? true : nil }
      let looks = count.look { $0.looks }
      _ = try await count.wait(.seconds(60)) { $0.looks >= looks + 5 ? true : nil }
      count.change { $0.isOver = true }
      try await group.waitForAll()
    }
    #expect(count.look { $0.running } == 0 && count.look { $0.done } == 12)
    return count.look { $0.most }
  }

  @Test("on a computer with nothing to spare never more at a time than always may, and all get their turn")
  func busy() async throws {
    #expect(try await most(on: slots(always: 2, most: 8) { _ in false }, staysUntil: 2) == 2)
  }

  @Test("with something to spare more are let in, never more than the bound")
  func idle() async throws {
    #expect(try await most(on: slots(always: 2, most: 4), staysUntil: 4) == 4)
  }

  @Test("each look at the load lets in one")
  func oneByOne() async throws {
    #expect(try await most(on: slots(always: 1, most: 9) { $0 == 2 }, staysUntil: 2) == 2)
  }

  @Test("whoever is cancelled while waiting gives up and takes nobody's slot")
  func cancelled() async throws {
    let slots = slots(always: 1, most: 1)
    try await slots.withSlots(1) {
      let waiting = Task { try await slots.withSlots(1) {} }
      waiting.cancel()
      await #expect(throws: CancellationError.self) { try await waiting.value }
    }
    try await slots.withSlots(1) {}
  }

  @Test("a group waits for room for all of it; whoever gives up before it holds nobody back")
  func group() async throws {
    let slots = slots(always: 2, most: 3)
    let running = Watched([0, 0])  // now, most
    try await slots.withSlots(1) {
      let impatient = Task { try await slots.withSlots(3) {} }
      while !slots.isAwaited { try await Task.sleep(for: .milliseconds(1)) }
      let behind = Task { try await slots.withSlots(1) {} }
      impatient.cancel()
      try await behind.value
    }
    try await withThrowingTaskGroup { group in
      for index in 0..<12 {
        group.addTask {
          let count = index % 4 == 1 ? 3 : 1
          try await slots.withSlots(count) {
            running.change { $0 = [$0[0] + count, max($0[1], $0[0] + count)] }
            try await Task.sleep(for: .milliseconds(2))
            running.change { $0[0] -= count }
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(running.look { $0 } == [0, 3])
  }

  @Test("a group that is larger than the bound runs alone")
  func large() async throws {
    let slots = slots(always: 2, most: 3)
    try await slots.withSlots(9) {
      let next = Task { try await slots.withSlots(1) {} }
      try await Task.sleep(for: .milliseconds(20))
      #expect(slots.isAwaited)
      next.cancel()
    }
  }
}
