import CLinux

/// Where every program of the drone starts. They are one file; the name it is started by says which one is meant.
@_cdecl("main")
public func entry(_ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> Int32 {
  let greeting: StaticString = "droneforge init\n"
  greeting.withUTF8Buffer { _ = write(1, $0.baseAddress, $0.count) }
  var table: [UInt64: Int] = [:]
  for argument in 0..<count { table[UInt64(argument)] = Int(argument) * 3 }
  return table.count > 3 ? 1 : 0
}
