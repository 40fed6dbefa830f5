import NetworkAddresses

/// How the root is watched, for the greeting.
public enum RootWatchState: Sendable, CaseIterable {
  case watched
  /// And nobody can end that.
  case locked
  case unwatched
}

/// What stands above the first prompt of a shell: at most six lines of at most 79 columns. A name that is too long for
/// its line is cut.
public func greeting(name: [UInt8], addresses: [IPv4Address], root: RootWatchState) -> [UInt8] {
  var out = [UInt8]("\nDrone      ") + name.prefix(64).map(printable)
  out += [UInt8]("\nAddress    ")
  if addresses.isEmpty { out += [UInt8]("none yet") }
  for (index, address) in addresses.prefix(3).enumerated() {
    if index > 0 { out += [UInt8](", ") }
    out += address.text
  }
  if addresses.count > 3 { out += [UInt8](" and more") }
  out += [UInt8]("\nBy hand    ifconfig eth0 ADDRESS; route add -net 0.0.0.0 gw GATEWAY; fix_hosts")
  out += [UInt8]("\nRoot       ")
  switch root {
  case .watched: out += [UInt8]("any change restarts the drone; to make one: killall certaintyd")
  case .locked: out += [UInt8]("any change restarts the drone, and so does the end of certaintyd")
  case .unwatched: out += [UInt8]("not watched: certaintyd does not run")
  }
  out += [UInt8]("\nBoot log   /run/boot.log, dmesg        End   reboot, halt, poweroff\n")
  return out
}
