import Addresses
import Bytes
import DroneLayout
import Jobs
import Linux

/// `mps`: the jobs of all nodes.
func runMps(_ arguments: [[UInt8]]) -> Int32 {
  let options: MpsOptions
  do throws(WorkUsageError) { options = try MpsOptions(arguments) } catch {
    return WorkProgram.mps.fail(error.sentence, status: 2)
  }
  if options.wantsHelp {
    writeStandardOutput([UInt8](MpsOptions.help))
    return 0
  }
  let answers: [NodeJobs]
  do throws(WishFailure) { answers = try askForJobs() } catch { return WorkProgram.mps.fail(error.sentence) }
  let table = JobTable(answers)
  writeStandardOutput(options.isJSON ? table.json : table.text)
  for node in table.silent {
    _ = WorkProgram.mps.fail(idText(node) + [UInt8](" does not answer: no mosd runs there, or it is busy."))
  }
  return table.silent.isEmpty ? 0 : 1
}

/// `mkill`: sends jobs a signal.
func runMkill(_ arguments: [[UInt8]]) -> Int32 {
  let options: MkillOptions
  do throws(WorkUsageError) { options = try MkillOptions(arguments) } catch {
    return WorkProgram.mkill.fail(error.sentence, status: 2)
  }
  if options.wantsHelp {
    writeStandardOutput([UInt8](MkillOptions.help))
    return 0
  }
  var status: Int32 = 0
  for job in options.jobs {
    do throws(WishFailure) { _ = try order(.signal(options.signal, job)) } catch {
      status = WorkProgram.mkill.fail(job.text + [UInt8](": ") + error.sentence)
    }
  }
  return status
}

/// `mosd --limit`.
func setLimit(_ slots: UInt16) -> Int32 {
  do throws(WishFailure) { _ = try order(.limit(slots)) } catch { return WorkProgram.mosd.fail(error.sentence) }
  return 0
}

/// `mosd --drain`: waits until no job of others runs here.
func drain() -> Int32 {
  var last: UInt16 = 0
  while true {
    let jobs: UInt16
    do throws(WishFailure) { jobs = try order(.limit(0)) } catch { return WorkProgram.mosd.fail(error.sentence) }
    if jobs == 0 { return 0 }
    if jobs != last {
      writeStandardError([UInt8]("mosd: jobs of others that still run here: \(jobs); mps shows them.\n"))
    }
    last = jobs
    pause(milliseconds: 1000)
  }
}

// MARK: What mosd is asked

/// Why a wish was not fulfilled, as a sentence.
struct WishFailure: Error {
  let sentence: [UInt8]
  static let silent = WishFailure(sentence: [UInt8]("this node's mosd does not answer."))
}

/// Tells the mosd of this node a wish; what it answers is read from the stream.
func callMosd(_ wish: WorkWish) throws(WishFailure) -> MessageStream {
  var tries = 0
  do throws(SystemError) {
    while true {
      do throws(SystemError) {
        let stream = MessageStream(OpenSocket(try connectLocal(WorkPlaces().socket)))
        if stream.sendMessage(wish.bytes) { return stream }
        break
      } catch {
        // Very many ask at once.
        tries += 1
        guard error.wouldBlock, tries < 100 else { throw error }
        pause(milliseconds: 50)
      }
    }
  } catch {
    throw WishFailure(
      sentence: error.isMissing || error.isRefusal
        ? [UInt8]("no mosd runs on this node, so none of its work can go elsewhere (mosrun -h runs it here).")
        : error.text)
  }
  throw .silent
}

/// - Returns: How many jobs it concerns.
private func order(_ wish: WorkWish) throws(WishFailure) -> UInt16 {
  guard let bytes = try callMosd(wish).receiveMessage(limit: WorkAnswer.largest, milliseconds: 60_000),
    let answer = try? WorkAnswer(bytes)
  else { throw .silent }
  switch answer {
  case .done(let jobs): return jobs
  case .refused(let sentence): throw WishFailure(sentence: sentence)
  }
}

private func askForJobs() throws(WishFailure) -> [NodeJobs] {
  let stream = try callMosd(.jobs)
  var answers: [NodeJobs] = []
  while let bytes = stream.receiveMessage(limit: NodeJobs.largest, milliseconds: 60_000) {
    if bytes.isEmpty {
      if answers.isEmpty { throw WishFailure(sentence: [UInt8](notInCluster)) }
      return answers
    }
    guard let answer = try? NodeJobs(bytes) else { throw .silent }
    answers.append(answer)
  }
  throw .silent
}
