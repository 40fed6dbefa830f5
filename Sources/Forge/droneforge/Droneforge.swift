import DroneLayout
import ArgumentParser
import LabCommands

@main
struct Droneforge: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "droneforge",
    abstract: "Builds drones: RAM-only Linux images that boot from CD, USB or network on a Pentium and up.",
    version: String(decoding: SoftwareVersion.current.text, as: UTF8.self),
    subcommands: [
      ISO.self,
      PXE.self,
      Serve.self,
      MasterCommand.self,
      ClusterCommand.self,
      SecureBootCommand.self,
      Check.self,
      ListCommand.self,
      TreeCommand.self,
      CatCommand.self,
      ExtractCommand.self,
      SizeCommand.self,
      DiffCommand.self,
      WhyCommand.self,
      DoctorCommand.self,
      Explain.self,
    ] + labCommands + [
      SysrootCommand.self,
      ProgramsCommand.self,
    ])
}
