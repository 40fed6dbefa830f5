import ArgumentParser

/// The laboratory's subcommands of `droneforge`: all that starts machines or simulates them.
public let labCommands: [any ParsableCommand.Type] = [Run.self, ArmyCommand.self, Bench.self, Junk.self]
