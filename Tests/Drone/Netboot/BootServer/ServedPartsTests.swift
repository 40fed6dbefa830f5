import Testing
import UnifiedKernel

@testable import BootServer

/// Files that consist of parts.
@Suite struct ServedPartsTests {
  private let files: [[UInt8]] = [(0..<50).map { $0 }, (100..<130).map { $0 }]

  private func bytes(_ parts: ServedParts, _ offset: Int, _ count: Int) -> [UInt8]? {
    parts.pieces(offset, count)?.flatMap { piece -> [UInt8] in
      switch piece.source {
      case .bytes(let bytes): Array(bytes[piece.offset..<piece.offset + piece.count])
      case .file(let file, _): Array(files[file][piece.offset..<piece.offset + piece.count])
      case .zeros: [UInt8](repeating: 0, count: piece.count)
      }
    }
  }

  @Test("any bytes of a file are those of its parts, one behind the other")
  func pieces() {
    var parts = ServedParts()
    parts.append([7, 8, 9])
    parts.append(.file(0, from: 10), count: 20)
    parts.append([])
    parts.append(.zeros, count: 4)
    var all = ServedParts()
    all.append(.file(1, from: 0), count: 30)
    all.append(parts)
    let whole = files[1] + [7, 8, 9] + files[0][10..<30] + [0, 0, 0, 0]
    #expect(all.size == whole.count)
    for offset in 0...whole.count {
      for count in 0...(whole.count - offset) {
        #expect(bytes(all, offset, count) == Array(whole[offset..<offset + count]))
      }
    }
    for (offset, count) in [(-1, 1), (0, -1), (0, whole.count + 1), (whole.count + 1, 0), (1, Int.max)] {
      #expect(all.pieces(offset, count) == nil, "\(offset), \(count)")
    }
  }

  static let kernels: [(name: String, change: @Sendable (inout [UInt8]) -> Void, isStarted: Bool)] = [
    ("of 64 bits with a program for UEFI", { _ in }, true),
    ("of 32 bits", { $0[0x236] = 0b0100 }, false),
    ("without a program for UEFI", { $0[0] = 0 }, false),
    ("without UEFI's entry of 64 bits", { $0[0x236] = 1 }, false),
    ("before that field", { $0[0x206] = 0x0B }, false),
    ("no kernel", { $0[0x202] = 0 }, false),
    ("too short", { $0 = Array($0.prefix(0x237)) }, false),
  ]

  @Test("only a kernel of 64 bits that UEFI can start is put into a file for UEFI", arguments: kernels.indices)
  func kernel(_ index: Int) {
    let (name, change, isStarted) = Self.kernels[index]
    var kernel = [UInt8](repeating: 0, count: 1024)
    kernel.replaceSubrange(0..<2, with: "MZ".utf8)
    kernel.replaceSubrange(0x202..<0x208, with: Array("HdrS".utf8) + [0x0F, 0x02])
    kernel[0x236] = 0b1011
    change(&kernel)
    #expect(UnifiedDrone.canStart(kernel) == isStarted, "\(name)")
  }

  @Test("a stub that is none makes no file for UEFI")
  func noStub() {
    var root = ServedParts()
    root.append([1])
    #expect(throws: UnifiedKernelError.self) {
      try UnifiedDrone.parts(
        stub: .init(file: 0, size: 50), beginning: files[0], kernel: .init(file: 1, size: 30), root: root)
    }
  }
}
