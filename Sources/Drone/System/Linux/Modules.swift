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

/// Whether the kernel is one that loads modules, perhaps no longer.
public func kernelKnowsModules() -> Bool { exists(modulesDisabled) }

/// Keeps the kernel from loading any further module until it is started anew.
public func closeKernelToModules() throws(SystemError) { try writeFile(modulesDisabled, [UInt8]("1\n")) }

/// Not there in a kernel without modules (Documentation/admin-guide/sysctl/kernel.rst, modules_disabled).
private let modulesDisabled: Path = "/proc/sys/kernel/modules_disabled"

/// Becomes readable when the kernel has found a device or lost one (NETLINK_KOBJECT_UEVENT).
public struct DeviceNews: ~Copyable {
  private let socket: Descriptor?

  public init() {
    let protocolNumber: Int32 = 15
    socket = Descriptor(linux_netlink_open(protocolNumber, 1))
  }

  /// Whether there are any.
  public var isThere: Bool { descriptor >= 0 }

  /// Negative when there are none.
  public var descriptor: Int32 {
    switch socket {
    case .some(let socket): socket.number
    case .none: -1
    }
  }

  /// Takes all that has come. Whoever wants to know what there is looks into /sys: events may be lost.
  public func drain() {
    switch socket {
    case .some(let socket):
      for _ in 0..<4096 {
        guard let bytes = try? socket.receiveSome(upTo: 4096), !bytes.isEmpty else { return }
      }
    case .none: return
    }
  }
}
