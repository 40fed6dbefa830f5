/// Runs `lease`; gives its exit status.
func runLease(_ arguments: [[UInt8]]) -> Int32 {
  1
}
