import Testing

@testable import VirtualMachine

@Suite struct MachineSlotsTests {
  @Test("never more at a time than there are slots, and all get their turn")
  func bound() async throws {
    let slots = MachineSlots(2)
    let running = Watched([0, 0, 0])  // now, most, done
    try await withThrowingTaskGroup { group in
      for _ in 0..<12 {
        group.addTask {
          try await slots.withSlot {
            running.change { $0 = [$0[0] + 1, max($0[1], $0[0] + 1), $0[2]] }
            try await Task.sleep(for: .milliseconds(2))
            running.change { $0 = [$0[0] - 1, $0[1], $0[2] + 1] }
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(running.look { $0 } == [0, 2, 12])
  }

  @Test("whoever is cancelled while waiting gives up and takes nobody's slot")
  func cancelled() async throws {
    let slots = MachineSlots(1)
    try await slots.withSlot {
      let waiting = Task { try await slots.withSlot {} }
      waiting.cancel()
      await #expect(throws: CancellationError.self) { try await waiting.value }
    }
    try await slots.withSlot {}
  }

  @Test("a group waits until nobody else runs, and keeps others waiting; whoever gives up before it holds nobody back")
  func group() async throws {
    let slots = MachineSlots(2)
    let running = Watched([0, 0, 0])  // single, groups, times that they met
    try await slots.withSlot {
      let impatient = Task { try await slots.withAllSlots {} }
      while !slots.isAwaited { try await Task.sleep(for: .milliseconds(1)) }
      let behind = Task { try await slots.withSlot {} }
      impatient.cancel()
      try await behind.value
    }
    try await withThrowingTaskGroup { group in
      for index in 0..<12 {
        group.addTask {
          let isGroup = index % 4 == 1
          let body = {
            running.change {
              if isGroup { $0[1] += 1 } else { $0[0] += 1 }
              if $0[1] > 1 || ($0[1] == 1 && $0[0] > 0) { $0[2] += 1 }
            }
            try await Task.sleep(for: .milliseconds(2))
            running.change { if isGroup { $0[1] -= 1 } else { $0[0] -= 1 } }
          }
          if isGroup { try await slots.withAllSlots(body) } else { try await slots.withSlot(body) }
        }
      }
      try await group.waitForAll()
    }
    #expect(running.look { $0 } == [0, 0, 0])
  }
}
