// swift-tools-version: 6.2
import PackageDescription

// One package, two sides. *Forge* is the builder's tool: normal Swift. *Drone* runs in the image: the trait
// `Drone` turns the drone's modules and programs into Embedded Swift; without it the same modules build
// for the host, where they are tested.
//
//     swift build --product droneforge
//     swift build --traits Drone --triple i686-unknown-none-elf --toolset … --product init
//
// `droneforge` makes the toolset file and gives the second command itself.

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]
let drone: [SwiftSetting] =
  strict + [
    .enableExperimentalFeature("Embedded", .when(traits: ["Drone"])),
    .enableExperimentalFeature("Lifetimes"),
  ]
let strictC: [CSetting] = [.treatAllWarnings(as: .error)]

/// A module of the drone side without system calls, clocks or Foundation: also built, tested and fuzzed on the host.
func pure(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, path: "Sources/Drone/\(name)", swiftSettings: drone)
}

/// A module of the builder's side.
func forge(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, path: "Sources/Forge/\(name)", swiftSettings: strict)
}

func test(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies, path: "Tests/\(name)", swiftSettings: strict)
}

let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
  name: "droneforge",
  products: [
    .executable(name: "droneforge", targets: ["droneforge"]),
    .executable(name: "init", targets: ["init"]),
    .executable(name: "tyd", targets: ["tyd"]),
  ],
  traits: [
    .default(enabledTraits: ["Host"]),
    .trait(
      name: "Host", description: "Build for this computer, with its own libraries. Naming another trait leaves it out."),
    .trait(name: "Drone", description: "Build the drone's modules as Embedded Swift for the image."),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    .package(url: "https://github.com/apple/swift-system", from: "1.5.0"),
  ],
  targets: [
    // The builder's side.
    .executableTarget(
      name: "droneforge",
      dependencies: [
        "DroneTarget", "BuildSteps", "Sysroot", "DronePrograms", "DroneImage", "ImageCheck", "MasterPackage",
        "VirtualMachine", "DroneMachines", "DroneArmy", "ClusterCredential", "SecureChannel", "BootLine", "HostNames",
        "NetworkAddresses", "ClusterSimulation", arguments, system,
      ],
      path: "Sources/Forge/droneforge", swiftSettings: strict),
    forge("DroneTarget"),
    forge("BuildSteps", ["COpenSSL", "CRename", subprocess, system]),
    forge("Sysroot", ["BuildSteps", "DroneTarget", system]),
    forge("DronePrograms", ["BuildSteps", "DroneTarget", "Sysroot", system]),
    forge("ClusterCredential", ["BuildSteps", "SecureChannel", "CRename", system]),
    forge("DroneImage", ["BuildSteps", "DroneTarget", "BootServer", "Integrity", system]),
    forge("ClusterSimulation", ["Membership", "ProcessList", "NetworkAddresses"]),
    forge("MasterPackage", ["BuildSteps", "DroneTarget", "DroneImage", system]),
    forge(
      "ImageCheck",
      [
        "BuildSteps", "DroneTarget", "DroneImage", "Sysroot", "BootServer", "Integrity", "SecureChannel", "CArchive",
        system,
      ]),
    forge("VirtualMachine", ["BuildSteps", "DroneTarget", subprocess, system]),
    forge("DroneMachines", ["BuildSteps", "VirtualMachine", system]),
    forge("VirtualNetwork", ["NetworkAddresses"]),
    forge(
      "DroneArmy",
      [
        "VirtualNetwork", "VirtualMachine", "ClusterCredential", "DroneImage", "SecureChannel", "BuildSteps", "Linux",
        "NetworkAddresses", system,
      ]),

    // The drone's side.
    pure("NetworkAddresses"),
    pure("BootLine", ["HostNames", "NetworkAddresses"]),
    pure("HostNames", ["NetworkAddresses"]),
    pure("Netlink", ["NetworkAddresses"]),
    pure("PacketFilter", ["Netlink", "NetworkAddresses"]),
    pure("Addressing", ["NetworkAddresses"]),
    pure("BootServer", ["Addressing", "NetworkAddresses"]),
    pure("Membership", ["NetworkAddresses"]),
    pure("Startup", ["NetworkAddresses"]),
    pure("Integrity", ["NetworkAddresses"]),
    pure("ClusterProtocol", ["NetworkAddresses"]),
    pure("TydCommand", ["BootServer", "ProcessList", "NetworkAddresses"]),
    pure("ClusterView", ["Terminal", "NetworkAddresses"]),
    pure("Terminal", ["NetworkAddresses"]),
    pure("Admission", ["NetworkAddresses"]),
    pure("Tunnels", ["ClusterProtocol", "NetworkAddresses"]),
    pure("SecureChannel", ["CSecureChannel", "NetworkAddresses"]),
    pure("Conversation", ["ClusterProtocol", "Membership", "SecureChannel", "NetworkAddresses"]),
    pure("Joining", ["SecureChannel", "NetworkAddresses"]),
    pure("LocalOrders", ["Admission", "TydCommand", "NetworkAddresses"]),
    pure("MachineReadings", ["NetworkAddresses"]),
    pure("ProcessView", ["ProcessList", "Terminal", "NetworkAddresses"]),
    pure("Metrics", ["ClusterView", "NetworkAddresses"]),
    pure("ProcessList", ["Membership", "NetworkAddresses"]),
    .target(
      name: "Linux",
      dependencies: [
        "CLinux", "NetworkAddresses", "Netlink", "Addressing", "Integrity", "MachineReadings", "ProcessList",
        "Terminal",
      ],
      path: "Sources/Drone/Linux", swiftSettings: drone),
    .executableTarget(
      name: "init",
      dependencies: [
        "Linux", "Startup", "BootLine", "HostNames", "Netlink", "PacketFilter", "Addressing", "Integrity",
        "NetworkAddresses", "CLinux", "CompilerRuntime",
      ],
      path: "Sources/Drone/init", swiftSettings: drone),
    .executableTarget(
      name: "tyd",
      dependencies: [
        "Linux", "Startup", "Netlink", "PacketFilter", "NetworkAddresses", "MachineReadings", "Metrics",
        "ProcessList", "ProcessView", "SecureChannel", "Membership", "ClusterProtocol", "Conversation", "Joining",
        "LocalOrders", "Tunnels", "Admission", "TydCommand", "ClusterView", "Terminal", "BootServer", "Addressing",
        "Integrity",
        "CLinux", "CompilerRuntime",
      ],
      path: "Sources/Drone/tyd", swiftSettings: drone),

    // C: module maps, system-call shims, and what a compiler's run-time library would hold.
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

    // Tests: one folder per module.
    .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
    test("NetworkAddressesTests", ["NetworkAddresses"]),
    test(
      "BootServerTests",
      ["BootServer", "Addressing", "DroneImage", "BuildSteps", "NetworkAddresses", "TestSupport", system]),
    test("AddressingTests", ["Addressing", "NetworkAddresses", "TestSupport"]),
    test("NetlinkTests", ["Netlink", "PacketFilter", "Linux", "NetworkAddresses", "TestSupport"]),
    test("MembershipTests", ["Membership", "ClusterSimulation", "NetworkAddresses"]),
    test("StartupTests", ["Startup", "NetworkAddresses"]),
    test("MachineReadingsTests", ["MachineReadings", "NetworkAddresses"]),
    test("MetricsTests", ["Metrics", "ClusterView", "NetworkAddresses", "BuildSteps", system]),
    test("ProcessViewTests", ["ProcessView", "ProcessList", "Terminal", "NetworkAddresses"]),
    test("ProcessListTests", ["ProcessList", "ClusterSimulation", "Membership", "NetworkAddresses"]),
    test("LinuxTests", ["Linux", "Integrity", "MachineReadings", "Netlink", "NetworkAddresses", "TestSupport"]),
    test("IntegrityTests", ["Integrity", "NetworkAddresses", "TestSupport"]),
    test("ClusterCredentialTests", ["ClusterCredential", "SecureChannel", "BuildSteps", system]),
    test("SecureChannelTests", ["SecureChannel", "NetworkAddresses"]),
    test("ClusterProtocolTests", ["ClusterProtocol", "NetworkAddresses"]),
    test("TydCommandTests", ["TydCommand", "ProcessList", "NetworkAddresses"]),
    test("ClusterViewTests", ["ClusterView", "Terminal", "NetworkAddresses"]),
    test("TerminalTests", ["Terminal"]),
    test(
      "ViewTests",
      [
        "tyd", "Linux", "ProcessView", "ProcessList", "Membership", "ClusterView", "Terminal", "NetworkAddresses",
        "BuildSteps", system,
      ]),
    test("AdmissionTests", ["Admission", "NetworkAddresses"]),
    test("ConversationTests", ["Conversation", "ClusterProtocol", "Membership", "SecureChannel", "NetworkAddresses"]),
    test("JoiningTests", ["Joining", "SecureChannel", "NetworkAddresses"]),
    test("LocalOrdersTests", ["LocalOrders", "Admission", "TydCommand", "ProcessList", "NetworkAddresses"]),
    test("TunnelsTests", ["Tunnels", "ClusterProtocol", "NetworkAddresses"]),
    test("BootLineTests", ["BootLine", "NetworkAddresses"]),
    test("ExplainTests", ["droneforge", "BootLine", arguments]),
    test(
      "FuzzTests",
      [
        "SecureChannel", "BootLine", "HostNames", "NetworkAddresses", "Netlink", "PacketFilter", "Addressing",
        "Integrity", "BootServer", "Conversation", "Tunnels", "TydCommand", "Startup",
        "MachineReadings", "Metrics", "ProcessList", "Membership", "ClusterView", "Terminal", "DroneImage",
        "ClusterProtocol", "ImageCheck", "VirtualNetwork", "DroneArmy", "BuildSteps", "TestSupport", system,
      ]),
    test("HostNamesTests", ["HostNames", "NetworkAddresses"]),
    test("DroneImageTests", ["DroneImage", "BootLine", "Integrity", "BuildSteps", "DroneTarget", system]),
    test("BuildStepsTests", ["BuildSteps", "DroneTarget", system]),
    test("SysrootTests", ["Sysroot", "BuildSteps", system]),
    test("DroneProgramsTests", ["DronePrograms", "Sysroot", "DroneTarget", "BuildSteps", system]),
    test("MasterPackageTests", ["MasterPackage", "TydCommand", "Startup", "DroneTarget", "BuildSteps", system]),
    test(
      "ImageCheckTests",
      ["ImageCheck", "SecureChannel", "DroneImage", "BootServer", "DroneTarget", "BuildSteps", system]),
    test("VirtualMachineTests", ["VirtualMachine", "BuildSteps", system]),
    test("VirtualNetworkTests", ["VirtualNetwork", "NetworkAddresses"]),
    test("DroneArmyTests", ["DroneArmy", "BuildSteps", "Linux", "NetworkAddresses", system]),
    test(
      "SmokeTests",
      [
        "VirtualMachine", "DroneMachines", "DroneTarget", "DroneImage", "Sysroot", "ClusterCredential", "SecureChannel",
        "TydCommand", "Linux", "NetworkAddresses", "BuildSteps", system,
      ]),
  ],
  swiftLanguageModes: [.v6]
)
