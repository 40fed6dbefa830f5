import Bytes

/// The kernel's consoles: the first word of each line of /proc/consoles (`ttyS0   -W- (EC p a)   4:64`), in its order.
/// Only names of terminals are given; `tty0`, the screen in front, is given as `tty1`, its first.
public func consoleTerminals(procConsoles: [UInt8]) -> [[UInt8]] {
  var found: [[UInt8]] = []
  for line in procConsoles.split(separator: UInt8(ascii: "\n")) {
    var name = [UInt8](line.prefix { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") })
    guard name.starts(with: [UInt8]("tty")), isDeviceName(name) else { continue }
    if name == [UInt8]("tty0") { name = [UInt8]("tty1") }
    if !found.contains(name) { found.append(name) }
  }
  return found
}

/// Letters, digits, `-`, `_` and `.` only, not starting with a dot: safe to put behind `/dev/`.
public func isDeviceName(_ name: [UInt8]) -> Bool {
  guard let first = name.first, first != UInt8(ascii: "."), name.count <= 31 else { return false }
  return name.allSatisfy { byte in
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
      true
    default: false
    }
  }
}

/// What TERM says about a terminal: the kernel's own screens are `linux`, everything behind a wire at least a `vt102`.
public func terminalType(_ name: [UInt8]) -> [UInt8] {
  let number = name.dropFirst(3)
  return name.starts(with: [UInt8]("tty")) && decimal(number) != nil ? [UInt8]("linux") : [UInt8]("vt102")
}
