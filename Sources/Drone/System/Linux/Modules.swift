import Bytes
import CLinux

/// Loads the kernel module in a file, without parameters (finit_module(2)). One that is loaded already, or built into the kernel, is
/// no error.
public func loadModule(_ file: Path) throws(SystemError) {
  let descriptor = try Descriptor(file, .read)
  guard linux_load_module(descriptor.number) == 0 || linux_errno() == EEXIST else {
    throw SystemError("load", file.bytes)
  }
}

/// Keeps the kernel from loading any further module until it is started anew
/// (Documentation/admin-guide/sysctl/kernel.rst, modules_disabled).
public func closeKernelToModules() throws(SystemError) {
  try writeFile("/proc/sys/kernel/modules_disabled", [UInt8]("1\n"))
}

/// Becomes readable when the kernel has found a device or lost one (NETLINK_KOBJECT_UEVENT).
public struct DeviceNews: ~Copyable {
  private let socket: Descriptor

  public init() throws(SystemError) {
    let protocolNumber: Int32 = 15
    guard let socket = Descriptor(linux_netlink_open(protocolNumber, 1)) else { throw SystemError("device events") }
    self.socket = socket
  }

  public var descriptor: Int32 { socket.number }

  /// Takes all that has come. Whoever wants to know what there is looks into /sys: events may be lost.
  public func drain() {
    for _ in 0..<4096 {
      guard let bytes = try? socket.receiveSome(upTo: 4096), !bytes.isEmpty else { return }
    }
  }
}
