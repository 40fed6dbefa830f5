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
    abstract: "Start an army of virtual drones on this computer, and see what they do.",
    discussion: """
      Each drone is a virtual machine with 32 MB: the oldest computer that the image must run on, without KVM and without
      root. They are on a network of their own that nothing leads out of, and in a cluster that is made for them and whose
      key is gone when they end: they have nothing to do with your clusters, and your images are not used.

      When all are in, the terminal shows the cluster as the first drone sees it. Ctrl-A begins a key of the army (k kill,
      r reboot, u unplug, p plug in, c console), Ctrl-C ends all. In another terminal the subcommands do the same.
      """,
    subcommands: [Start.self, Status.self, Kill.self, Reboot.self, Unplug.self, Plug.self, Console.self],
    defaultSubcommand: Start.self)

  struct Place: ParsableArguments {
    @Option(
      help: ArgumentHelp(
        "Where a second command finds the army. (default: in $XDG_RUNTIME_DIR or /tmp)", valueName: "folder"))
    var runFolder: String?

    var folder: RunFolder { runFolder.map { RunFolder(FilePath($0)) } ?? RunFolder() }
  }

  struct Start: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Start an army. This is what `army` alone does.")
    @OptionGroup var place: Place

    @Option(help: "How many drones.")
    var nodes = 3

    @Option(help: "Where the network tree is: `make pxe` makes build/pxe.")
    var tree = "build/pxe"

    @Option(help: "How many may boot at a time.")
    var atATime = 2

    @Option(help: "Further boot words for all drones.")
    var words = ""

    @Option(help: "End so many seconds after all are in.")
    var seconds: Int?

    @Option(help: "Write every frame on their network into this pcap file.")
    var capture: String?

    @Flag(help: "Only lines, also on a terminal.")
    var plain = false

    func validate() throws {
      guard ArmyPlan.counts.contains(nodes) else {
        throw ValidationError("--nodes is \(ArmyPlan.counts.lowerBound) to \(ArmyPlan.counts.upperBound).")
      }
      guard atATime >= 1, seconds ?? 0 >= 0 else { throw ValidationError("--at-a-time and --seconds count from 1.") }
    }

    func run() throws {
      guard let plan = ArmyPlan(count: nodes) else { return }
      let chaos = FilePath(tree).appending("chaos")
      for file in ["bzImage", "chaos.rdz"].map({ chaos.appending($0) })
      where !FileManager.default.isReadableFile(atPath: file.string) {
        throw BuildError.input("\(file) cannot be read. `make army` builds it.")
      }
      try requireProgram(DroneTarget.i586.emulator)
      var settings = ArmySettings(
        plan: plan, kernel: chaos.appending("bzImage"), root: chaos.appending("chaos.rdz"), folder: place.folder)
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
    static let configuration = CommandConfiguration(abstract: "Show how the drones of the running army stand.")
    @OptionGroup var place: Place
    @Flag(help: "For programs: one line of JSON.")
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
    static let configuration = CommandConfiguration(abstract: "Cut a drone's power, and start it again.")
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
    static let configuration = CommandConfiguration(abstract: "Sit down at a drone's console; Ctrl-A x leaves it.")
    @OptionGroup var place: Place
    @OptionGroup var drone: Drone

    func run() throws { try ArmyClient(place.folder).console(drone.number) }
  }

  private static func give(_ order: Order, _ place: Place) throws {
    print(try ArmyClient(place.folder).give(order), terminator: "")
  }
}
