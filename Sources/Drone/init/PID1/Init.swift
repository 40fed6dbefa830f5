import Linux
import NetworkAddresses
import Startup

/// Runs process 1; never returns as that.
func runInit(_ arguments: [[UInt8]]) -> Int32 {
  report(.ok, "init", "started")
  while processID == 1 { pause(milliseconds: 1000) }
  return 1
}

/// Runs `medium`; gives its exit status.
func runMedium(_ arguments: [[UInt8]]) -> Int32 { 1 }

/// Runs `entropy`: waits until the kernel's generator is ready.
func runEntropy() -> Int32 {
  randomBytes(1, wait: true) == nil ? 1 : 0
}
