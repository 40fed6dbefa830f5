/// Which firmware drivers may ask for, as they say themselves (MODULE_FIRMWARE; `modinfo -F firmware`).
public struct FirmwareNames: Sendable, Equatable {
  /// The drivers by the files' paths below `lib/firmware`; each once, in alphabetical order.
  public private(set) var drivers: [String: [String]] = [:]

  public init() {}

  /// Those of drivers that the kernel has built in: the bytes of its `modules.builtin.modinfo`.
  public init(builtIn information: [UInt8]) {
    for word in ModuleInformation(information).words {
      guard word.name.hasSuffix(".firmware") else { continue }
      add(word.value, for: String(word.name.dropLast(".firmware".count)))
    }
  }

  /// Adds a file that a driver may ask for. What no file below a folder can be called is left out.
  public mutating func add(_ file: String, for driver: String) {
    let names = file.split(separator: "/", omittingEmptySubsequences: false)
    guard !names.contains(where: { ["", ".", ".."].contains($0) }),
      file.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
      file.utf8.count < 1024, names.allSatisfy({ $0.utf8.count < 250 })
    else { return }
    var known = drivers[file] ?? []
    if known.contains(driver) { return }
    known.append(driver)
    drivers[file] = known.sorted()
  }

  public mutating func add(_ others: FirmwareNames) {
    for (file, drivers) in others.drivers {
      for driver in drivers { add(file, for: driver) }
    }
  }

  /// A line for each file: its path, a tab, and its drivers with commas between them.
  public var text: String {
    drivers.sorted { $0.key < $1.key }.map { "\($0.key)\t\($0.value.joined(separator: ","))\n" }.joined()
  }

  /// Reads that text; what is no line of it says nothing.
  public init(text: String) {
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: "\t")
      guard fields.count == 2 else { continue }
      for driver in fields[1].split(separator: ",") { add(String(fields[0]), for: String(driver)) }
    }
  }
}
