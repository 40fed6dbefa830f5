/// Which modules are to be loaded when: those for every computer first, then those for each device that shows itself, each
/// with what it needs before it, and once.
public struct ModuleLoading: Sendable {
  public let table: ModuleTable
  private var isAsked: [Bool]
  private var heard: Set<[UInt8]> = []
  /// How many devices a computer may show; what comes after them has no driver.
  static let mostDevices = 16_384

  public init(_ table: ModuleTable) {
    self.table = table
    isAsked = [Bool](repeating: false, count: table.modules.count)
  }

  /// The modules for every computer, in the order of loading.
  public mutating func begin() -> [ModuleTable.Module] {
    load(table.modules.indices.filter { table.modules[$0].isForAll })
  }

  /// How many kinds of device have shown themselves.
  public var devices: Int { heard.count }

  /// Receives a device's `modalias`, as often as it is read. Gives the modules that it asks for and nobody has asked for before, in the
  /// order of loading.
  public mutating func receive(modalias: [UInt8]) -> [ModuleTable.Module] {
    guard heard.count < Self.mostDevices, heard.insert(modalias).inserted else { return [] }
    return load(table.places(for: modalias))
  }

  private mutating func load(_ places: [Int]) -> [ModuleTable.Module] {
    var out: [ModuleTable.Module] = []
    for place in table.loadOrder(of: places) where !isAsked[place] {
      isAsked[place] = true
      out.append(table.modules[place])
    }
    return out
  }
}
