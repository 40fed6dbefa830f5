import Bytes

/// Files of a drone's root that are programs of ours.
public enum ProgramPath {
  /// Process 1, and every `InitProgram`.
  public static let initialization: StaticString = "/sbin/init"
  /// tyd, and every `ViewProgram`.
  public static let tyd: StaticString = "/usr/sbin/tyd"
}

/// The programs that init's file holds besides process 1. The name that it is started by says which one is meant.
public enum InitProgram: CaseIterable, Sendable {
  case network
  case lease
  case fixHosts
  case filter
  case certaintyd
  case medium
  case modules
  case greeting
  case systemLog
  case entropy
  case sync

  /// By the last part of the path that it was started by; nil for process 1 itself.
  public init?(name: some Sequence<UInt8>) {
    for program in InitProgram.allCases where name.elementsEqual([UInt8](program.name)) {
      self = program
      return
    }
    return nil
  }

  public var name: StaticString {
    switch self {
    case .network: "network"
    case .lease: "lease"
    case .fixHosts: "fix_hosts"
    case .filter: "filter"
    case .certaintyd: "certaintyd"
    case .medium: "medium"
    case .modules: "modules"
    case .greeting: "greeting"
    case .systemLog: "systemlog"
    case .entropy: "entropy"
    case .sync: "sync"
    }
  }

  /// The link in the root by which others than process 1 start it; nil when nobody else does.
  public var link: StaticString? {
    switch self {
    case .network: "/sbin/network"
    case .lease: "/sbin/lease"
    case .fixHosts: "/bin/fix_hosts"
    case .filter: "/sbin/filter"
    case .certaintyd: "/sbin/certaintyd"
    case .greeting: "/sbin/greeting"
    case .medium, .modules, .systemLog, .entropy, .sync: nil
    }
  }
}

/// The programs that tyd's file holds besides tyd: those by which work goes from node to node.
public enum WorkProgram: CaseIterable, Sendable {
  case mosrun
  case mosd
  case mps
  case mkill

  /// By the last part of the path that it was started by; nil for any other name.
  public init?(name: some Sequence<UInt8>) {
    for program in WorkProgram.allCases where name.elementsEqual([UInt8](program.name)) {
      self = program
      return
    }
    return nil
  }

  public var name: StaticString {
    switch self {
    case .mosrun: "mosrun"
    case .mosd: "mosd"
    case .mps: "mps"
    case .mkill: "mkill"
    }
  }

  public var link: StaticString {
    switch self {
    case .mosrun: "/usr/bin/mosrun"
    case .mosd: "/usr/sbin/mosd"
    case .mps: "/usr/bin/mps"
    case .mkill: "/usr/bin/mkill"
    }
  }
}

/// The programs that tyd's file holds besides tyd: those that show the cluster.
public enum ViewProgram: CaseIterable, Sendable {
  case showmap
  case mosmon
  case mtop

  /// By the last part of the path that it was started by; nil for tyd itself.
  public init?(name: some Sequence<UInt8>) {
    for program in ViewProgram.allCases where name.elementsEqual([UInt8](program.name)) {
      self = program
      return
    }
    // The HowTo once writes it so.
    guard name.elementsEqual([UInt8]("Mosmon")) else { return nil }
    self = .mosmon
  }

  public var name: StaticString {
    switch self {
    case .showmap: "showmap"
    case .mosmon: "mosmon"
    case .mtop: "mtop"
    }
  }

  public var link: StaticString {
    switch self {
    case .showmap: "/usr/bin/showmap"
    case .mosmon: "/usr/bin/mosmon"
    case .mtop: "/usr/bin/mtop"
    }
  }

  /// The name for `mosmon` in the HowTo of 2003.
  public static let formerMosmonLink: StaticString = "/usr/bin/Mosmon"
}
