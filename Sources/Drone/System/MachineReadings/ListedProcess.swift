import Addresses

/// A process as it is described to other nodes.
public struct ListedProcess: Equatable, Sendable {
  public var process: UInt32
  public var user: UInt32
  public var state: UInt8
  public var priority: Int8
  public var nice: Int8
  /// Thousandths of one processor, since the look before.
  public var cpu: UInt32
  /// Processor time since it began, in hundredths of a second.
  public var time: UInt32
  /// KiB.
  public var virtual: UInt32
  public var resident: UInt32
  public var shared: UInt32
  /// At most 15 bytes; any bytes.
  public var name: [UInt8]
  /// The job of another node's that it belongs to.
  public var job: JobName?

  public init(
    process: UInt32, user: UInt32, state: UInt8, priority: Int8, nice: Int8, cpu: UInt32, time: UInt32, virtual: UInt32,
    resident: UInt32, shared: UInt32, name: [UInt8], job: JobName? = nil
  ) {
    self.process = process
    self.user = user
    self.state = state
    self.priority = priority
    self.nice = nice
    self.cpu = cpu
    self.time = time
    self.virtual = virtual
    self.resident = resident
    self.shared = shared
    self.name = [UInt8](name.prefix(ProcessReading.longestName))
    self.job = job
  }

  /// - Parameters:
  ///   - user: as whom it acts.
  ///   - shared: KiB.
  public init(_ process: ProcessLook.Process, user: UInt32, shared: UInt64, job: JobName? = nil) {
    let reading = process.reading
    self.init(
      process: reading.process, user: user, state: reading.state, priority: Int8(clamping: reading.priority),
      nice: reading.nice, cpu: process.cpu, time: UInt32(clamping: reading.time),
      virtual: UInt32(clamping: reading.virtual),
      resident: UInt32(clamping: reading.resident), shared: UInt32(clamping: shared), name: reading.name,
      job: job)
  }
}
