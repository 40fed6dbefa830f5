import Integrity
import SystemPackage
import TestSupport
import Testing
import Workshop

@testable import Image

@Suite struct ImageFuzzTests {
  @Test("any bytes are a kernel or a sentence why not")
  func kernels() {
    // A header with the fields that are read, one sector of setup, and sixteen bytes of kernel.
    var kernel = [UInt8](repeating: 0, count: 1024 + 16)
    kernel[0x1F1] = 1
    kernel[0x1F4] = 1
    kernel.replaceSubrange(0x1FE..<0x200, with: [0x55, 0xAA])
    kernel.replaceSubrange(0x202..<0x206, with: Array("HdrS".utf8))
    kernel.replaceSubrange(0x206..<0x208, with: [0x0F, 2])
    kernel[0x20E] = 0x80
    kernel[0x211] = 1
    kernel.replaceSubrange(0x280..<0x286, with: Array("6.1.0\0".utf8))
    #expect((try? KernelImage("kernel", kernel, form: .i386))?.version == "6.1.0")
    let fault = Fuzzing.configured.firstFault { generator in
      var bytes = kernel
      // The header is a tenth of the file: aim at it.
      bytes.replaceSubrange(0x1F0..<0x240, with: [UInt8](bytes[0x1F0..<0x240]).damaged(&generator))
      if UInt8.random(in: 0..<4, using: &generator) == 0 { bytes = bytes.damaged(&generator) }
      do {
        return try KernelImage("kernel", bytes, form: .i386).version.utf8.count > 600 ? "a version without end" : nil
      } catch {
        return error is BuildError ? nil : "\(error)"
      }
    }
    #expect(fault == nil)
  }

  @Test("any text is a baseline that is written as it was read, or an error")
  func baselines() {
    let digest = [UInt8](0..<32)
    let baseline = Baseline(entries: [
      BaselineEntry(path: Array("/bin".utf8), kind: .directory, mode: 0o755),
      BaselineEntry(path: Array("/bin/a b".utf8), kind: .file(size: 5, digest: digest), mode: 0o755),
      BaselineEntry(path: Array("/bin/b".utf8), kind: .symbolicLink(target: Array("a b".utf8)), mode: 0o777),
      BaselineEntry(
        path: Array("/dev/x".utf8), kind: .characterDevice(major: 5, minor: 1), mode: 0o600, owner: 7, group: 8),
    ])
    let text = baseline.text ?? []
    #expect((try? Baseline(text: text)) == baseline)
    let fault = Fuzzing.configured.firstFault { generator in
      let bytes = text.damaged(&generator)
      guard let read = try? Baseline(text: bytes) else { return nil }
      guard let written = read.text, (try? Baseline(text: written)) == read else {
        return "not the same again: \(bytes)"
      }
      return nil
    }
    #expect(fault == nil)
  }

  @Test("any text is a table of mounts")
  func mounts() {
    let text = Array(
      "22 1 0:2 / / rw - rootfs rootfs rw\n24 22 0:21 / /proc rw,nosuid shared:5 - proc proc rw\n".utf8)
    let fault = Fuzzing.configured.firstFault { generator in
      let bytes = text.damaged(&generator)
      let table = MountTable(text: bytes)
      let lines = bytes.split(separator: UInt8(ascii: "\n")).count
      return table.mounts.count + table.unreadable == lines ? nil : "a line that is lost: \(bytes)"
    }
    #expect(fault == nil)
  }

  @Test("any text is a status that is written as it was read, or none, and can be told to people")
  func statuses() {
    let text = Array("process 57\ninterval 2000\npasses 3\nlast 32040\nsince 30000\nprocessor 80800000\n".utf8)
    let fault = Fuzzing.configured.firstFault { generator in
      let bytes = text.damaged(&generator)
      guard let status = WatchStatus(file: bytes) else { return nil }
      guard WatchStatus(file: status.file) == status else { return "not the same again: \(bytes)" }
      return status.text(now: generator.next()).isEmpty ? "nothing to tell: \(bytes)" : nil
    }
    #expect(fault == nil)
  }
}
