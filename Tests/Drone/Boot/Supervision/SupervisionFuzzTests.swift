import Supervision
import TestSupport
import Testing

@Suite struct SupervisionFuzzTests {
  private let records = Mutator(["77", "1", "\n", "\n", "/usr/sbin/tyd", "-m", "--resume", "2147483648", "-"])

  @Test("any text is a record of a service that is written as it was read, or none")
  func services() {
    let fault = Fuzzing.configured.firstFault { generator in
      let text = records.bytes(&generator, pieces: 0...8)
      guard let record = ServiceRecord(text) else { return nil }
      return ServiceRecord(record.text) == record ? nil : "\(record) for \(text)"
    }
    #expect(fault == nil)
  }
}
