/// What to do with the machine at the end.
public enum MachineEnd: Sendable { case restart, halt, powerOff }
