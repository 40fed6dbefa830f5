import DroneLayout
import ArgumentParser
import DroneArmy
import Foundation
import SystemPackage
import Target
import Workshop

/// `droneforge army`.
struct ArmyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "army",
    abstract: "Start an army of virtual drones on this computer and watch it.",
    discussion: """
      Each drone is a virtual machine, the oldest computer that the tree supports (32 MB for i586, 256 MB for x86_64), without
      KVM and without root.
      The drones have their own network, without a way out, and their own cluster, whose key is gone when the army ends. They
      have nothing to do with your clusters and do not use your images.

      When all are in, the terminal shows the cluster as the first drone sees it. Ctrl-A starts a command to the army (k kill,
      r reboot, u unplug, p plug in, c console, w work); Ctrl-C ends it. The subcommands do the same from another terminal.
      """,
    subcommands: [Start.self, Status.self, Kill.self, Reboot.self, Unplug.self, Plug.self, Console.self],
    defaultSubcommand: Start.self)

  struct Place: ParsableArguments {
    @Option(
      help: ArgumentHelp(
        "Where other commands find the army. (default: in $XDG_RUNTIME_DIR or /tmp)", valueName: "folder"))
    var runFolder: String?

    var folder: RunFolder { runFolder.map { RunFolder(FilePath($0)) } ?? RunFolder() }
  }

  struct Start: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Start an army (the default).")
    @OptionGroup var place: Place

    @Option(help: "The number of drones.")
    var nodes = 3

    @Option(help: "The network tree; `make pxe` makes build/pxe.")
    var tree = "build/pxe"

    @Option(help: "The number of drones that may boot at the same time.")
    var atATime = 2

    @Option(help: "Additional boot words for all drones.")
    var words = ""

    @Option(help: "End this many seconds after all drones are in.")
    var seconds: Int?

    @Option(help: "Write every frame on their network into this pcap file.")
    var capture: String?

    @Flag(help: "Print only lines, even on a terminal.")
    var plain = false

    func validate() throws {
      guard ArmyPlan.counts.contains(nodes) else {
        throw ValidationError("--nodes is \(ArmyPlan.counts.lowerBound) to \(ArmyPlan.counts.upperBound).")
      }
      guard atATime >= 1, seconds ?? 0 >= 0 else { throw ValidationError("--at-a-time and --seconds count from 1.") }
    }

    func run() throws {
      guard let plan = ArmyPlan(count: nodes) else { return }
      let kernel = FilePath(tree).appending("\(MediumPath.kernel)")
      let root = FilePath(tree).appending("\(MediumPath.root)")
      for file in [kernel, root]
      where !FileManager.default.isReadableFile(atPath: file.string) {
        throw BuildError.input("\(file) cannot be read. `make army` builds it.")
      }
      let target = targetOfImage(at: FilePath(tree))
      try requireProgram(target.emulator.program)
      var settings = ArmySettings(
        plan: plan, kernel: kernel, root: root, folder: place.folder)
      settings.target = target
      settings.atATime = atATime
      settings.words = words
      settings.seconds = seconds
      settings.capture = capture.map { FilePath($0) }
      settings.plain = plain
      let status = try Army(settings).run()
      if status != 0 { throw ExitCode(status) }
    }

    private func requireProgram(_ name: String) throws {
      let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
      guard folders.contains(where: { FileManager.default.isExecutableFile(atPath: "\($0)/\(name)") }) else {
        throw BuildError.notStarted(command: name, reason: "it is not in PATH")
      }
    }
  }

  struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show the state of the running army's drones.")
    @OptionGroup var place: Place
    @Flag(help: "Print one line of JSON, for programs.")
    var json = false

    func run() throws { try give(.status(json: json), place) }
  }

  struct Drone: ParsableArguments {
    @Argument(help: "The drone's number, from 1.")
    var number: Int
  }

  struct Kill: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Cut a drone's power.")
    @OptionGroup var place: Place
    @OptionGroup var drone: Drone

    func run() throws { try give(.kill(drone.number), place) }
  }

  struct Reboot: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Cut a drone's power and start it again.")
    @OptionGroup var place: Place
    @OptionGroup var drone: Drone

    func run() throws { try give(.reboot(drone.number), place) }
  }

  struct Unplug: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Pull a drone's network cable.")
    @OptionGroup var place: Place
    @OptionGroup var drone: Drone

    func run() throws { try give(.unplug(drone.number), place) }
  }

  struct Plug: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Put a drone's network cable back.")
    @OptionGroup var place: Place
    @OptionGroup var drone: Drone

    func run() throws { try give(.plug(drone.number), place) }
  }

  struct Console: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Open a drone's console; Ctrl-A x leaves it.")
    @OptionGroup var place: Place
    @OptionGroup var drone: Drone

    func run() throws { try ArmyClient(place.folder).console(drone.number) }
  }

  private static func give(_ order: Order, _ place: Place) throws {
    print(try ArmyClient(place.folder).give(order), terminator: "")
  }
}
