/// Runs `fix_hosts`; gives its exit status.
func runFixHosts(_ arguments: [[UInt8]]) -> Int32 {
  1
}
