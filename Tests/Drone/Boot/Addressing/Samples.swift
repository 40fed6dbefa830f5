import Addresses

/// This machine's card in the tests.
let ours = MACAddress(text: "52:54:00:12:34:56".utf8) ?? .zero
/// Another machine's.
let theirs = MACAddress(text: "02:00:00:00:00:0b".utf8) ?? .zero
let drone = IPv4Address(192, 168, 1, 21)
let gateway = IPv4Address(192, 168, 1, 1)
