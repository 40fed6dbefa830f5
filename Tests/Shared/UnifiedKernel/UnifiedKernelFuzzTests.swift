import TestSupport
import Testing
import UnifiedKernel

@Suite struct UnifiedKernelFuzzTests {
  @Test("any stub with parts of any sizes gives an image without gaps, whose sections are apart, or an error")
  func stubs() {
    let fault = Fuzzing.configured.firstFault { generator in
      let stub = Bool.random(using: &generator) ? HandWrittenStub.bytes : HandWrittenStub.bytes.damaged(&generator)
      let cut = Int.random(in: 0...3, using: &generator) == 0 ? Int.random(in: 0...stub.count, using: &generator) : 0
      let sizes = UnifiedKernelSizes(
        system: Self.size(&generator), commandLine: Self.size(&generator), root: Self.size(&generator),
        kernel: Self.size(&generator))
      do throws(UnifiedKernelError) {
        let first = [UInt8](stub.prefix(cut == 0 ? stub.count : cut))
        let layout = try UnifiedKernelLayout(stub: first, stubSize: stub.count, sizes: sizes)
        let again = try UnifiedKernelLayout(stub: first, stubSize: stub.count, sizes: sizes)
        return again == layout ? Self.fault(in: layout, sizes) : "not the same twice"
      } catch {
        return error.text.isEmpty ? "no reason" : nil
      }
    }
    #expect(fault == nil)
  }

  private static func size(_ generator: inout SeededGenerator) -> Int {
    switch UInt8.random(in: 0..<16, using: &generator) {
    case 0: [0, -1, .min, .max, UnifiedKernelLayout.largest].randomElement(using: &generator) ?? 0
    case 1: Int.random(in: 1...UnifiedKernelLayout.largest, using: &generator)
    default: Int.random(in: 1...100_000, using: &generator)
    }
  }

  private static func fault(in layout: UnifiedKernelLayout, _ sizes: UnifiedKernelSizes) -> String? {
    var end = 0
    for extent in layout.extents {
      if extent.offset != end || extent.count < 1 { return "a gap at \(end)" }
      if case .part(let part) = extent.source, sizes[part] != extent.count {
        return "\(part) has \(extent.count) bytes"
      }
      end += extent.count
    }
    if end != layout.size || end > UnifiedKernelLayout.largest { return "it ends at \(end)" }
    if layout.header.count != layout.extents.first?.count { return "headers of another size" }

    // The sections' headers, read anew.
    let bytes = layout.header
    func number(_ place: Int, _ size: Int) -> Int { (0..<size).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) } }
    let start = number(0x3C, 4)
    let table = start + 24 + number(start + 20, 2)
    let count = number(start + 6, 2)
    var (memory, file) = (0, bytes.count)
    for (index, part) in UnifiedKernelPart.allCases.enumerated() {
      let header = table + 40 * (count - 4 + index)
      guard header + 40 <= bytes.count else { return "headers outside" }
      if number(header + 8, 4) != sizes[part] { return "\(part) has another size" }
      let (address, offset) = (number(header + 12, 4), number(header + 20, 4))
      if address < memory || offset < file { return "\(part) lies over what is before it" }
      if address % 4096 != 0 || offset % 512 != 0 { return "\(part) begins within a page or block" }
      if !layout.extents.contains(where: { $0.source == .part(part) && $0.offset == offset }) {
        return "\(part) is elsewhere"
      }
      (memory, file) = (address + sizes[part], offset + number(header + 16, 4))
    }
    if file != layout.size { return "the last section ends at \(file)" }
    return memory > number(start + 24 + 56, 4) ? "the image asks for too little memory" : nil
  }
}
