import Testing

@testable import VirtualMachine

@Suite struct MachineSlotsTests {
  /// Slots that look at the load every millisecond.
  private func slots(always: Int, most: Int, hasRoom: @escaping @Sendable (Int) -> Bool = { _ in false })
    -> MachineSlots
  {
    MachineSlots(always: always, most: most, pause: .milliseconds(1), hasRoom: hasRoom)
  }

  /// Runs twelve times one machine, and gives how many run in the end, how many did at most, and how many have run.
  private func run(on slots: MachineSlots) async throws -> [Int] {
    let running = Watched([0, 0, 0])
    try await withThrowingTaskGroup { group in
      for _ in 0..<12 {
        group.addTask {
          try await slots.withSlots(1) {
            running.change { $0 = [$0[0] + 1, max($0[1], $0[0] + 1), $0[2]] }
            try await Task.sleep(for: .milliseconds(40))
            running.change { $0 = [$0[0] - 1, $0[1], $0[2] + 1] }
          }
        }
      }
      try await group.waitForAll()
    }
    return running.look { $0 }
  }

  @Test("on a computer with nothing to spare never more at a time than always may, and all get their turn")
  func busy() async throws {
    #expect(try await run(on: slots(always: 2, most: 8)) == [0, 2, 12])
  }

  @Test("with something to spare more are let in, never more than the bound")
  func idle() async throws {
    #expect(try await run(on: slots(always: 2, most: 4) { _ in true }) == [0, 4, 12])
  }

  @Test("each look at the load lets in one")
  func oneByOne() async throws {
    let looks = Watched(0)
    let slots = slots(always: 1, most: 9) { _ in
      looks.change {
        $0 += 1; return $0 == 2
      }
    }
    #expect(try await run(on: slots)[1] == 2)
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
    let slots = slots(always: 2, most: 3) { _ in true }
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
    let slots = slots(always: 2, most: 3) { _ in true }
    try await slots.withSlots(9) {
      let next = Task { try await slots.withSlots(1) {} }
      try await Task.sleep(for: .milliseconds(20))
      #expect(slots.isAwaited)
      next.cancel()
    }
  }
}
