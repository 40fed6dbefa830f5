import Bytes
import Jobs
import Linux

/// Outputs of jobs whose turn has not come, in a file without a name.
final class KeptOutputs {
  /// One output. What found no room in the file is at its end.
  struct Output {
    fileprivate var place = Spool.Output()
    fileprivate var rest: [UInt8] = []
    init() {}
    var isEmpty: Bool { place.isEmpty && rest.isEmpty }
  }

  let folder: Path
  private var file: OpenSocket?
  private var spool = Spool()

  init() {
    let folder = environmentVariable("TMPDIR") ?? []
    self.folder = Path(folder.isEmpty ? [UInt8]("/tmp") : folder)
  }

  /// Throws when there is no room: the output has the bytes all the same.
  func append(_ bytes: [UInt8], to output: inout Output) throws(SystemError) {
    guard output.rest.isEmpty else { return output.rest += bytes }
    var done = 0
    do throws(SystemError) {
      let file = try opened()
      while done < bytes.count {
        let piece = spool.room(in: &output.place, for: bytes.count - done)
        let went = try file.descriptor.writeSome(bytes[done..<done + piece.count], at: piece.offset)
        spool.fill(&output.place, went)
        done += went
      }
    } catch {
      output.rest = [UInt8](bytes[done...])
      throw error
    }
  }

  /// The next bytes of an output, which are kept no longer; empty at its end.
  func take(from output: inout Output) throws(SystemError) -> [UInt8] {
    guard let file, let piece = spool.first(of: output.place) else {
      release(&output)
      defer { output.rest = [] }
      return output.rest
    }
    let bytes = try file.descriptor.read(at: piece.offset, count: piece.count)
    spool.takeBack(&output.place)
    giveRoomBack()
    return bytes
  }

  func drop(_ output: inout Output) {
    release(&output)
    output.rest = []
  }

  private func release(_ output: inout Output) {
    spool.takeBackAll(&output.place)
    giveRoomBack()
  }

  private func giveRoomBack() {
    if let file, spool.isEmpty { try? file.descriptor.empty() }
  }

  private func opened() throws(SystemError) -> OpenSocket {
    if let file { return file }
    let new = OpenSocket(try openUnnamedFile(in: folder))
    file = new
    return new
  }
}
