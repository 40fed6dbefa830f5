import DroneLayout
import ArgumentParser
import Foundation
import Image
import SystemPackage
import Target
import VirtualMachine
import Workshop

/// `droneforge bench`.
struct Bench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure the numbers that the project promises and print them.",
    discussion: """
      Needs the image and the network tree, which `make bench` builds first. Starts virtual machines one after the other and builds the \
      image again in a temporary folder. Nothing fails because a number is bad: read the table.
      """)

  @Option(help: "The folder with the image and the network tree.")
  var output = "\(BuiltFile.folder)"

  @Option(help: "How many boots are timed; the best one counts.")
  var boots = 3

  @Option(help: "Measure this part only. (default: all)")
  var only: Part?

  enum Part: String, ExpressibleByArgument, CaseIterable { case boot, wide, integrity, tyd, army, assembly, simulation }

  func validate() throws {
    guard (1...20).contains(boots) else { throw ValidationError("--boots is 1 to 20.") }
  }

  func run() async throws {
    let folder = FilePath(output)
    let image = folder.appending("\(BuiltFile.image)")
    let kernel = folder.appending("\(BuiltFile.networkTree)/\(MediumPath.kernel)")
    let root = folder.appending("\(BuiltFile.networkTree)/\(MediumPath.root)")
    let images: [(target: ImageTarget, aim: String)] = [
      (.any, "at most 32 MB"), (.i586, "at most 4.2 MB"), (.x86_64, "at most 28 MB"),
    ]
    let files = images.map { folder.appending(Medium.cd.outputName(for: $0.target)) }
    let wide = Medium.cd.outputName(for: .x86_64)
    let own = folder.appending("\(BuiltFile.own)").appending(wide)
    for file in files + [own, kernel, root] where !exists(file) {
      throw BuildError.input("\(file) is missing. `make bench` builds what it measures.")
    }
    var table: [Measurement] = []
    func measured(_ measurement: Measurement) {
      table.append(measurement)
      FileHandle.standardError.write(Data("\(measurement.name): \(measurement.value)\n".utf8))
    }
    let sizes =
      zip(files, images).map { ($0, $1.target.name, $1.aim) } + [
        (own, "x86_64 with a kernel of our own", "at most 9 MB")
      ]
    for (file, name, aim) in sizes {
      let size = try FileManager.default.attributesOfItem(atPath: file.string)[.size] as? Int ?? 0
      measured(.init("image for \(name)", String(format: "%.2f MB", Double(size) / 1e6), aim))
    }

    func wants(_ part: Part) -> Bool { only == nil || only == part }
    if wants(.boot) { try await measureBoots(kernel: kernel, root: root, measured) }
    if wants(.wide) {
      for row in try await WideBench(own: own, debian: folder.appending(wide), boots: boots).rows() { measured(row) }
    }
    if wants(.integrity) {
      for row in try await IntegrityBench(kernel: kernel, root: root).rows() { measured(row) }
    }
    if wants(.tyd) { for row in try await NodeBench(kernel: kernel, image: image).rows() { measured(row) } }
    if wants(.army) {
      for row in try await armyMeasurements(drones: 20, tree: folder.appending("\(BuiltFile.networkTree)")) {
        measured(row)
      }
    }
    if wants(.assembly) { try await measureAssembly(of: image, measured) }
    if wants(.simulation) {
      for nodes in [3, 10, 100, 300, 1000] { clusterMeasurements(nodes: nodes).forEach(measured) }
    }

    print(Measurement.table(table))
  }

  private func measureBoots(
    kernel: FilePath, root: FilePath, _ measured: (Measurement) -> Void
  ) async throws {
    let line = "console=ttyS0,115200 ip=192.168.1.21::192.168.1.1:255.255.255.0:::"
    func machine(_ memory: Int?, _ model: NetworkCard.Model = .rtl8139) -> MachineConfiguration {
      MachineConfiguration(
        memory: memory, boot: .kernel(kernel, initramfs: root, commandLine: line),
        cards: [NetworkCard(model, on: .silent)])
    }
    var boot = Boot(shell: nil, available: nil)
    // Intel's driver looks for link every two seconds only, the others' at once.
    for model in [NetworkCard.Model.rtl8139, .e1000] {
      var shells: [Double] = []
      for _ in 0..<boots {
        boot = try await Boot(machine(nil, model))
        if let shell = boot.shell { shells.append(shell) }
      }
      let best = shells.min().map { String(format: "%.2f s", $0) } ?? "not in the boot log"
      measured(.init("kernel start to shell, static address, \(model.rawValue)", best, "at most 2.2 s"))
    }
    measured(.init("free at the shell, \(machine(nil).memory) MB", boot.free, "at least 12 MB"))
    for memory in [24, 16] {
      let free: String
      do {
        free = try await Boot(machine(memory)).free
      } catch let failure as MachineFailure {
        free = "no shell (\(failure.reason))"
      }
      measured(.init("free at the shell, \(memory) MB", free, "reported"))
    }
  }

  private func measureAssembly(of image: FilePath, _ measured: (Measurement) -> Void) async throws {
    let again = FilePath(NSTemporaryDirectory()).appending("bench-\(UUID())")
    try makeFolder(again)
    defer { try? FileManager.default.removeItem(atPath: again.string) }
    measured(.init("image assembly", try await building(in: again), "at most 4 s"))
    measured(.init("nothing changed", try await building(in: again), "at most 0.2 s"))
    let same = try contents(of: image) == contents(of: again.appending("\(BuiltFile.image)"))
    measured(.init("built again", same ? "the same bytes" : "OTHER bytes", "the same bytes"))
  }

  /// How long this program takes for `iso` into `folder`, with the sysroot and the programs built before.
  private func building(in folder: FilePath) async throws -> String {
    let start = ContinuousClock.now
    _ = try await Command("/proc/self/exe", ["iso", "--output", folder.string]).output()
    let duration = ContinuousClock.now - start
    let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    return String(format: "%.2f s", seconds)
  }
}

/// What one boot to the shell showed.
private struct Boot {
  /// Seconds from the kernel's start to the shells, by the drone's own clock.
  let shell: Double?
  /// MemAvailable, in kB.
  let available: Int?

  init(shell: Double?, available: Int?) {
    self.shell = shell
    self.available = available
  }

  init(_ configuration: MachineConfiguration) async throws {
    self = try await withVirtualMachine(configuration) { machine in
      try await machine.expect(":/# ")
      let memory = try await machine.run("grep MemAvailable /proc/meminfo").output
      let log = try await machine.run("cat /run/boot.log").output
      // `    2.41 s  shell       ok`
      let lines = log.split(separator: "\n").map { $0.split(separator: " ") }
      let shell = lines.first { $0.count > 2 && $0[2].hasPrefix("shell") } ?? lines.last
      return Boot(
        shell: shell?.first.flatMap { Double($0) },
        available: memory.split(separator: " ").dropFirst().first.flatMap { Int($0) })
    }
  }

  var free: String { available.map { String(format: "%.1f MB", Double($0) / 1024) } ?? "unknown" }
}
