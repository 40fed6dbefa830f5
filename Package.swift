// swift-tools-version: 6.2
import PackageDescription

// One package, three sides. *Forge* is the builder's tool: normal Swift. *Drone* runs in the image: the trait `Drone`
// turns its modules and programs into Embedded Swift; without it the same modules build for the host, where they are
// tested. *Lab* starts machines and simulates clusters. *Shared* holds what they agree on.
//
//     swift build --product droneforge
//     swift build --traits Drone --triple i686-unknown-none-elf --toolset … --product init
//
// `droneforge` makes the toolset file and gives the second command itself.

/// One folder of Sources. `make lint` compares this table with every import.
struct Module {
  enum Kind {
    /// A drone's module without system calls, clocks, C or Foundation: built, tested and fuzzed on the host.
    case pure
    /// A drone's module that makes system calls or holds C.
    case system
    /// Normal Swift, for the builder's machine.
    case host
    /// Nothing imports it.
    case program
  }

  let kind: Kind
  /// Greater than the floor of everything that it uses.
  let floor: Int
  let path: String
  let dependencies: [Target.Dependency]

  var name: String { path.split(separator: "/").last.map(String.init) ?? path }

  static func pure(_ floor: Int, _ path: String, _ dependencies: [Target.Dependency] = []) -> Module {
    Module(kind: .pure, floor: floor, path: path, dependencies: dependencies)
  }
  static func system(_ floor: Int, _ path: String, _ dependencies: [Target.Dependency]) -> Module {
    Module(kind: .system, floor: floor, path: path, dependencies: dependencies)
  }
  static func host(_ floor: Int, _ path: String, _ dependencies: [Target.Dependency] = []) -> Module {
    Module(kind: .host, floor: floor, path: path, dependencies: dependencies)
  }
  static func program(_ floor: Int, _ path: String, _ dependencies: [Target.Dependency]) -> Module {
    Module(kind: .program, floor: floor, path: path, dependencies: dependencies)
  }
}

/// The tests of one folder: `Tests/` has the same tree as `Sources/`.
struct ModuleTests {
  let path: String
  let dependencies: [Target.Dependency]

  /// `MembershipTests` for `Drone/Cluster/Membership`.
  var name: String {
    let folder = path.split(separator: "/").last ?? ""
    return path == "Machines" ? "SmokeTests" : folder.prefix(1).uppercased() + folder.dropFirst() + "Tests"
  }

  static func tests(_ path: String, _ dependencies: [Target.Dependency]) -> ModuleTests {
    ModuleTests(path: path, dependencies: dependencies)
  }
}

let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let modules: [Module] = [
  // Shared
  .pure(0, "Shared/Bytes"),
  .pure(1, "Shared/Addresses", ["Bytes"]),
  .pure(2, "Shared/DroneLayout", ["Addresses", "Bytes"]),
  .pure(2, "Shared/NodeStatus", ["Addresses", "Bytes"]),
  .pure(1, "Shared/UnifiedKernel", ["Bytes"]),
  // Drone/System
  .pure(0, "Drone/System/ProcessControl"),
  .pure(1, "Drone/System/HTTP", ["Bytes"]),
  .pure(1, "Drone/System/Terminal", ["Bytes"]),
  .pure(1, "Drone/System/MemoryBudget", ["Bytes"]),
  .pure(2, "Drone/System/MachineReadings", ["Addresses", "Bytes"]),
  .pure(2, "Drone/System/Netlink", ["Addresses", "Bytes"]),
  .system(
    3, "Drone/System/Linux",
    ["Addresses", "Bytes", "CLinux", "MachineReadings", "MemoryBudget", "Netlink", "ProcessControl", "Terminal"]),
  .pure(3, "Drone/System/PacketFilter", ["Addresses", "Bytes", "DroneLayout", "Netlink"]),
  // Drone/Boot
  .pure(3, "Drone/Boot/Integrity", ["Bytes", "DroneLayout"]),
  .pure(2, "Drone/Boot/Addressing", ["Addresses", "Bytes"]),
  .pure(3, "Drone/Boot/BootLine", ["Addresses", "Addressing", "Bytes"]),
  .pure(1, "Drone/Boot/KernelModules", ["Bytes"]),
  .pure(1, "Drone/Boot/Media", ["Bytes"]),
  .pure(2, "Drone/Boot/Reporting", ["Addresses", "Bytes"]),
  .pure(3, "Drone/Boot/Supervision", ["Bytes", "ProcessControl", "Reporting"]),
  .system(4, "Drone/Boot/SystemRoot", ["Bytes", "CLinux", "Integrity", "Linux"]),
  // Drone/Cluster
  .pure(1, "Drone/Cluster/ChannelFailure", ["Bytes"]),
  .pure(3, "Drone/Cluster/Membership", ["Addresses", "Bytes", "DroneLayout"]),
  .system(2, "Drone/Cluster/SecureChannel", ["Bytes", "CSecureChannel", "ChannelFailure"]),
  .pure(4, "Drone/Cluster/ControlChannel", ["Addresses", "Bytes", "ChannelFailure", "DroneLayout", "Membership"]),
  .pure(4, "Drone/Cluster/Surveys", ["Addresses", "Bytes", "MachineReadings", "Membership"]),
  .pure(5, "Drone/Cluster/Tunnels", ["Addresses", "Bytes", "ControlChannel"]),
  .pure(
    6, "Drone/Cluster/NodeCore",
    [
      "Addresses", "Bytes", "ChannelFailure", "ControlChannel", "DroneLayout", "LocalOrders", "MachineReadings",
      "Membership", "Surveys", "Tunnels",
    ]),
  // Drone/Netboot
  .pure(3, "Drone/Netboot/BootServer", ["Addresses", "Addressing", "Bytes", "DroneLayout", "HTTP", "UnifiedKernel"]),
  // Drone/Operator
  .pure(3, "Drone/Operator/ClusterView", ["Addresses", "Bytes", "DroneLayout", "NodeStatus", "Terminal"]),
  .pure(4, "Drone/Operator/Metrics", ["Addresses", "Bytes", "ClusterView", "NodeStatus"]),
  .pure(5, "Drone/Operator/ProcessView", ["Addresses", "Bytes", "MachineReadings", "Surveys", "Terminal"]),
  .pure(4, "Drone/Operator/TydCommand", ["Addresses", "BootServer", "Bytes", "DroneLayout", "MachineReadings"]),
  .pure(
    5, "Drone/Operator/LocalOrders",
    ["Addresses", "Bytes", "ControlChannel", "MachineReadings", "Membership", "TydCommand"]),
  // Drone/Work
  .pure(2, "Drone/Work/Jobs", ["Addresses", "Bytes"]),
  .pure(1, "Drone/Work/NFS", ["Bytes"]),
  .system(4, "Drone/Work/FileService", ["Bytes", "CLinux", "Linux", "NFS"]),
  // Drone/Programs
  .program(
    5, "Drone/Programs/init",
    [
      "Addresses", "Addressing", "BootLine", "Bytes", "CompilerRuntime", "DroneLayout", "Integrity", "KernelModules",
      "Linux",
      "MachineReadings", "Media", "MemoryBudget", "Netlink", "PacketFilter", "ProcessControl", "Reporting",
      "Supervision", "SystemRoot",
    ]),
  .program(
    7, "Drone/Programs/tyd",
    [
      "Addresses", "Addressing", "BootLine", "BootServer", "Bytes", "ChannelFailure", "ClusterView", "CompilerRuntime",
      "ControlChannel", "DroneLayout", "FileService", "HTTP", "Integrity", "Jobs", "Linux", "LocalOrders",
      "MachineReadings", "Membership",
      "MemoryBudget", "Metrics", "NFS", "Netlink", "NodeCore", "NodeStatus", "PacketFilter", "ProcessControl",
      "ProcessView",
      "Reporting",
      "SecureChannel", "Supervision", "Surveys", "Terminal", "Tunnels", "TydCommand", "UnifiedKernel",
    ]),
  // Forge
  .host(3, "Forge/Target", ["DroneLayout", system]),
  .host(0, "Forge/Workshop", ["COpenSSL", "CRename", subprocess, system]),
  .host(1, "Forge/BuildCache", ["Workshop", system]),
  .host(4, "Forge/Toolchain", ["Target", "Workshop", system]),
  .host(2, "Forge/DebianArchive", ["BuildCache", "CArchive", "Workshop", system]),
  .host(
    5, "Forge/KernelPackages",
    ["BuildCache", "DebianArchive", "DroneLayout", "Image", "KernelModules", "Target", "Workshop", system]),
  .host(5, "Forge/Recipes", ["BuildCache", "DebianArchive", "Target", "Toolchain", "Workshop", system]),
  .host(6, "Forge/DronePrograms", ["BuildCache", "Recipes", "Target", "Toolchain", "Workshop", system]),
  .host(3, "Forge/ClusterStore", ["Bytes", "CRename", "DroneLayout", "SecureChannel", "Workshop", system]),
  .host(1, "Forge/SecureBootStore", ["COpenSSL", "CRename", "Workshop", system]),
  .host(4, "Forge/BootLoaders", ["BuildCache", "DebianArchive", "Target", "Workshop", system]),
  .host(1, "Forge/FATVolume", ["Workshop"]),
  .host(3, "Forge/TreeService", ["Addresses", "Bytes", "DroneLayout"]),
  .host(
    4, "Forge/Image",
    [
      "BootServer", "BuildCache", "DroneLayout", "FATVolume", "Integrity", "Target", "UnifiedKernel", "Workshop",
      system,
    ]),
  .host(5, "Forge/ImageContents", ["DroneLayout", "Image", "Target", "Workshop", system]),
  .host(
    6, "Forge/ImageCheck",
    [
      "BootServer", "CArchive", "COpenSSL", "DroneLayout", "Image", "ImageContents", "Integrity", "KernelModules",
      "SecureChannel", "Target", "Toolchain", "Workshop", system,
    ]),
  .host(5, "Forge/MasterPackage", ["BuildCache", "Image", "Target", "Workshop", system]),
  .host(
    7, "Forge/Pipeline",
    [
      "BootLoaders", "BuildCache", "DebianArchive", "DronePrograms", "Image", "ImageCheck", "KernelPackages",
      "MasterPackage", "Recipes", "Target", "Toolchain", "Workshop", system,
    ]),
  .program(
    9, "Forge/droneforge",
    [
      "Addresses", "Addressing", "BootLine", "BuildCache", "Bytes", "ClusterStore", "DebianArchive", "DroneLayout",
      "Image", "ImageCheck", "ImageContents", "KernelPackages", "LabCommands", "Pipeline", "SecureBootStore",
      "SecureChannel", "Target", "TreeService", "Workshop", arguments, system,
    ]),
  // Lab
  .host(0, "Lab/HouseRules"),
  .program(1, "Lab/lint", ["HouseRules"]),
  .host(4, "Lab/VirtualMachine", ["Target", "Workshop", system]),
  .host(
    6, "Lab/TestCluster",
    [
      "Addresses", "BuildCache", "Bytes", "DroneLayout", "KernelPackages", "NodeStatus", "VirtualMachine", "Workshop",
      system,
    ]),
  .host(2, "Lab/VirtualNetwork", ["Addresses", "Bytes"]),
  .host(
    7, "Lab/ClusterSimulation",
    [
      "Addresses", "Bytes", "ChannelFailure", "ControlChannel", "DroneLayout", "MachineReadings", "Membership",
      "NodeCore", "Surveys", "Tunnels", "TydCommand",
    ]),
  .host(
    5, "Lab/DroneArmy",
    [
      "Addresses", "Bytes", "ClusterStore", "Image", "Linux", "NodeStatus", "SecureChannel", "Target", "VirtualMachine",
      "VirtualNetwork", "Workshop", system,
    ]),
  .host(
    8, "Lab/LabCommands",
    [
      "ClusterSimulation", "DroneArmy", "DroneLayout", "Image", "Target", "TestCluster", "VirtualMachine", "Workshop",
      arguments, system,
    ]),
]

let moduleTests: [ModuleTests] = [
  .tests("Drone/Boot/Addressing", ["Addresses", "Addressing", "Bytes", "TestSupport"]),
  .tests("Drone/Boot/BootLine", ["Addresses", "Addressing", "BootLine", "TestSupport"]),
  .tests("Drone/Boot/Integrity", ["Bytes", "Integrity", "TestSupport"]),
  .tests("Drone/Boot/KernelModules", ["KernelModules", "TestSupport"]),
  .tests("Drone/Boot/Media", ["Addresses", "Media"]),
  .tests("Drone/Boot/Reporting", ["Addresses", "Reporting", "TestSupport"]),
  .tests(
    "Drone/Boot/Supervision", ["Addresses", "ProcessControl", "Reporting", "Supervision", "TestSupport"]),
  .tests("Drone/Boot/SystemRoot", ["Addresses", "Integrity", "Linux", "SystemRoot"]),
  .tests(
    "Drone/Cluster/ControlChannel",
    [
      "Addresses", "Bytes", "ChannelFailure", "ControlChannel", "Membership", "SecureChannel", "TestSupport",
      "Tunnels",
    ]),
  .tests("Drone/Cluster/Membership", ["Addresses", "Bytes", "DroneLayout", "Membership", "TestSupport"]),
  .tests(
    "Drone/Cluster/NodeCore",
    ["Addresses", "Bytes", "ControlChannel", "DroneLayout", "LocalOrders", "Membership", "NodeCore", "Tunnels"]),
  .tests("Drone/Cluster/SecureChannel", ["Addresses", "Bytes", "ChannelFailure", "SecureChannel", "TestSupport"]),
  .tests(
    "Drone/Cluster/Surveys",
    [
      "Addresses", "Bytes", "ClusterSimulation", "MachineReadings", "Membership", "Surveys", "TestSupport",
    ]),
  .tests("Drone/Cluster/Tunnels", ["Addresses", "ControlChannel", "Tunnels"]),
  .tests(
    "Drone/Netboot/BootServer",
    [
      "Addresses", "Addressing", "BootServer", "Image", "Linux", "TestSupport", "UnifiedKernel", "Workshop", system,
    ]),
  .tests(
    "Drone/Operator/ClusterView", ["Addresses", "Bytes", "ClusterView", "DroneLayout", "Terminal", "TestSupport"]),
  .tests(
    "Drone/Operator/LocalOrders",
    ["Addresses", "Bytes", "ControlChannel", "LocalOrders", "MachineReadings", "TydCommand"]),
  .tests(
    "Drone/Operator/Metrics", ["Addresses", "Bytes", "ClusterView", "Metrics", "TestSupport", "Workshop", system]),
  .tests(
    "Drone/Operator/ProcessView", ["Addresses", "Bytes", "MachineReadings", "ProcessView", "Surveys", "Terminal"]),
  .tests("Drone/Operator/TydCommand", ["Addresses", "Bytes", "TestSupport", "TydCommand"]),
  .tests(
    "Drone/Programs/tyd",
    [
      "Addresses", "BootServer", "Bytes", "ClusterView", "DroneLayout", "Linux", "MachineReadings", "Membership",
      "Netlink", "ProcessView", "SecureChannel", "Surveys", "Terminal", "TestSupport", "TydCommand", "Workshop", "tyd",
      system,
    ]),
  .tests("Drone/Work/Jobs", ["Addresses", "Bytes", "Jobs", "TestSupport"]),
  .tests("Drone/System/HTTP", ["HTTP", "TestSupport"]),
  .tests("Drone/System/Linux", ["Addresses", "Bytes", "Linux", "MachineReadings", "Netlink", "TestSupport"]),
  .tests("Drone/System/MachineReadings", ["Addresses", "MachineReadings", "TestSupport"]),
  .tests("Drone/System/MemoryBudget", ["MemoryBudget"]),
  .tests("Drone/System/Netlink", ["Addresses", "Bytes", "Linux", "Netlink", "PacketFilter", "TestSupport"]),
  .tests("Drone/System/ProcessControl", ["ProcessControl"]),
  .tests("Drone/System/Terminal", ["Terminal"]),
  .tests("Drone/Work/FileService", ["Bytes", "FileService", "Linux", "NFS", "TestSupport"]),
  .tests("Drone/Work/NFS", ["Bytes", "NFS", "TestSupport"]),
  .tests("Forge/BootLoaders", ["BootLoaders", "BuildCache", "Target", "Workshop", system]),
  .tests("Forge/BuildCache", ["BuildCache", "Workshop", system]),
  .tests("Forge/ClusterStore", ["ClusterStore", "SecureChannel", "Workshop", system]),
  .tests("Forge/DebianArchive", ["BuildCache", "DebianArchive", "Workshop", system]),
  .tests("Forge/DronePrograms", ["DronePrograms", "Recipes", "Target", "Toolchain", "Workshop", system]),
  .tests("Forge/FATVolume", ["FATVolume", "Workshop", system]),
  .tests(
    "Forge/Image",
    [
      "BootLine", "BuildCache", "Bytes", "DroneLayout", "Image", "Integrity", "Target", "TestSupport", "Workshop",
      system,
    ]),
  .tests(
    "Forge/ImageCheck",
    [
      "BootServer", "DroneLayout", "Image", "ImageCheck", "ImageContents", "Integrity", "KernelModules",
      "SecureChannel", "Target", "TestSupport", "UnifiedKernel", "Workshop", system,
    ]),
  .tests("Forge/ImageContents", ["Image", "ImageContents", "TestSupport", "Workshop", system]),
  .tests(
    "Forge/KernelPackages",
    ["BuildCache", "KernelModules", "KernelPackages", "Target", "Workshop", system]),
  .tests(
    "Forge/MasterPackage",
    [
      "BuildCache", "DroneLayout", "Jobs", "MasterPackage", "Supervision", "Target", "TestSupport", "TydCommand",
      "Workshop", system,
    ]),
  .tests(
    "Forge/Pipeline",
    ["BuildCache", "Image", "KernelPackages", "Pipeline", "Target", "TestSupport", "Workshop", system]),
  .tests("Forge/Recipes", ["Recipes", "Target", "TestSupport", "Workshop", system]),
  .tests("Forge/SecureBootStore", ["SecureBootStore", "Workshop", system]),
  .tests("Forge/Target", ["Target"]),
  .tests("Forge/Toolchain", ["Toolchain", "Workshop"]),
  .tests("Forge/TreeService", ["Addresses", "TestSupport", "TreeService", "Workshop"]),
  .tests("Forge/Workshop", ["Workshop", system]),
  .tests(
    "Forge/droneforge",
    [
      "BootLine", "ClusterView", "ImageContents", "Integrity", "Jobs", "ProcessView", "TestSupport", "TydCommand",
      "Workshop", "droneforge", arguments, system,
    ]),
  .tests("Lab/ClusterSimulation", ["Addresses", "Bytes", "ClusterSimulation"]),
  .tests(
    "Lab/DroneArmy",
    [
      "Addresses", "Bytes", "DroneArmy", "NodeStatus", "TestSupport", "Workshop", system,
    ]),
  .tests("Lab/HouseRules", ["HouseRules", "TestSupport"]),
  .tests("Lab/VirtualMachine", ["VirtualMachine", "Workshop"]),
  .tests("Lab/VirtualNetwork", ["Addresses", "TestSupport", "VirtualNetwork"]),
  .tests(
    "Machines",
    [
      "Addresses", "BuildCache", "ClusterStore", "DroneLayout", "Image", "Linux", "NodeStatus", "ProcessControl",
      "SecureChannel", "Target", "TestCluster", "TestSupport", "VirtualMachine", "Workshop", system,
    ]),
  .tests("Shared/Addresses", ["Addresses"]),
  .tests("Shared/Bytes", ["Bytes", "TestSupport"]),
  .tests("Shared/DroneLayout", ["Bytes", "DroneLayout", "TestSupport"]),
  .tests("Shared/NodeStatus", ["Addresses", "Bytes", "NodeStatus", "TestSupport"]),
  .tests("Shared/UnifiedKernel", ["TestSupport", "UnifiedKernel", "Workshop", system]),
]

// C: module maps, system-call shims, and what a compiler's run-time library would hold.
let strictC: [CSetting] = [.treatAllWarnings(as: .error)]
let cModules: [Target] = [
  .systemLibrary(
    name: "CArchive", path: "Sources/C/CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
  .systemLibrary(
    name: "COpenSSL", path: "Sources/C/COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
  .systemLibrary(name: "CRename", path: "Sources/C/CRename"),
  .target(name: "CLinux", path: "Sources/C/CLinux", cSettings: strictC),
  // A drone links the sysroot's OpenSSL, which the toolset names; the builder's own is found by pkg-config.
  .target(
    name: "CSecureChannel", dependencies: [.target(name: "COpenSSL", condition: .when(traits: ["Host"]))],
    path: "Sources/C/CSecureChannel", cSettings: strictC),
  .target(name: "CompilerRuntime", path: "Sources/C/CompilerRuntime", cSettings: strictC),
]

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]
let embedded: [SwiftSetting] = [
  .enableExperimentalFeature("Embedded", .when(traits: ["Drone"])),
  .enableExperimentalFeature("Lifetimes"),
  // As Embedded Swift: a file imports every module whose members it uses.
  .enableUpcomingFeature("MemberImportVisibility"),
]

/// Fuzzers and simulations spend their time in these modules; checks of arithmetic and indices stay.
let optimised: [SwiftSetting] = [.unsafeFlags(["-O"], .when(configuration: .debug))]

extension Module {
  var target: Target {
    let isDrones = path.hasPrefix("Shared/") || path.hasPrefix("Drone/")
    let settings = strict + (isDrones ? embedded : []) + (kind == .pure || name == "ClusterSimulation" ? optimised : [])
    return kind == .program
      ? .executableTarget(
        name: name, dependencies: dependencies, path: "Sources/\(path)", swiftSettings: settings)
      : .target(name: name, dependencies: dependencies, path: "Sources/\(path)", swiftSettings: settings)
  }
}

let testSupport = Target.target(
  name: "TestSupport", dependencies: ["Bytes", system], path: "Tests/TestSupport", swiftSettings: strict)
let testTargets = moduleTests.map {
  Target.testTarget(name: $0.name, dependencies: $0.dependencies, path: "Tests/\($0.path)", swiftSettings: strict)
}
let allTargets = cModules + modules.map(\.target) + [testSupport] + testTargets

/// What a target uses of this package, directly or not, itself included.
func closure(of name: String, in targets: [Target]) -> Set<String> {
  var found: Set<String> = []
  var open = [name]
  while let next = open.popLast() {
    guard found.insert(next).inserted, let target = targets.first(where: { $0.name == next }) else { continue }
    for dependency in target.dependencies {
      switch dependency {
      case .byNameItem(let name, _), .targetItem(let name, _): open.append(name)
      default: break
      }
    }
  }
  return found
}

// ONLY=Membership declares what the tests of this module need and nothing else, so that nothing else is built.
let kept = Context.environment["ONLY"].flatMap { $0.isEmpty ? nil : closure(of: $0 + "Tests", in: allTargets) }
let targets = allTargets.filter { kept?.contains($0.name) ?? true }

let package = Package(
  name: "droneforge",
  products: ["droneforge", "init", "tyd"].filter { name in targets.contains { $0.name == name } }
    .map { .executable(name: $0, targets: [$0]) },
  traits: [
    .default(enabledTraits: ["Host"]),
    .trait(
      name: "Host", description: "Build for this computer, with its own libraries. Naming another trait leaves it out."),
    .trait(name: "Drone", description: "Build the drone's modules as Embedded Swift for the image."),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", exact: "1.0.2"),
    .package(url: "https://github.com/apple/swift-system", exact: "1.8.1"),
  ],
  targets: targets,
  swiftLanguageModes: [.v6]
)
