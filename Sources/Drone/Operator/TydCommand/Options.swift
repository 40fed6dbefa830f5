import Bytes

/// Everything that may stand on tyd's command line.
enum Option: CaseIterable {
  case crypto, debug, filter, help, sharedKey, interface, master, printConfiguration, bootMaster, silent, version
  case leave, remove, allow, approve, approveWindow, pending, status, json, stop, resume, rekey, rekeyPackets, idle
  case keep, release, metrics, patient, force, range

  init?(_ word: [UInt8]) {
    for option in Option.allCases {
      let spelling = option.spelling
      if word.spells(spelling.long) || spelling.short.map({ word.spells($0) }) == true {
        self = option
        return
      }
    }
    return nil
  }

  private var spelling: (short: StaticString?, long: StaticString) {
    switch self {
    case .crypto: ("-c", "--crypto")
    case .debug: ("-D", "--debug")
    case .filter: ("-f", "--filter")
    case .help: ("-h", "--help")
    case .sharedKey: (nil, "-ipsk")
    case .interface: ("-i", "--interface")
    case .master: ("-m", "--master")
    case .printConfiguration: ("-pc", "--print-cfg")
    case .bootMaster: ("-pm", "--pxe-master")
    case .silent: ("-s", "--silent")
    case .version: ("-V", "--version")
    case .leave: (nil, "--leave")
    case .remove: (nil, "--remove")
    case .allow: (nil, "--allow")
    case .approve: (nil, "--approve")
    case .approveWindow: (nil, "--approve-window")
    case .pending: (nil, "--pending")
    case .status: (nil, "--status")
    case .json: (nil, "--json")
    case .stop: (nil, "--stop")
    case .resume: (nil, "--resume")
    case .rekey: (nil, "--rekey")
    case .rekeyPackets: (nil, "--rekey-packets")
    case .idle: (nil, "--idle")
    case .keep: (nil, "--keep")
    case .release: (nil, "--release")
    case .metrics: (nil, "--metrics")
    case .patient: (nil, "--patient")
    case .force: (nil, "--force")
    case .range: (nil, "--range")
    }
  }
}

extension TydCommand {
  /// What `tyd --help` prints.
  public static let help: StaticString = """
    tyd: makes this machine a node of a cluster that speaks only through IPsec.

      tyd                     start a cluster: this is its first node
      tyd -m ADDRESS          join the cluster of the member at ADDRESS
      tyd -m any              search for a member on this network and join it
      tyd -f init             close the packet filter as after boot, and end

          --patient           with -m: keep trying until this node is in

      -pm, --pxe-master       boot others over the network from this drone's medium,
                              by DHCP and TFTP; alone or with -m. Where another DHCP
                              server answers, it gives the addresses
          --range FIRST-LAST  the addresses that they get (default: .16 to .248)
          --force             give them even where another DHCP server answers

      -i, --interface IF      the interface to the cluster (default: that of the
                              route to ADDRESS, else eth0)
      -c, --crypto WHAT       IPSEC (default), aes128gcm, chacha20poly1305; off:
                              everything in clear, for debugging only
      -f, --filter WHAT       init, on, off, allow-tcp-PORT, allow-udp-PORT; and end
      -pc, --print-cfg        print the settings that would be used, and end
      -s, --silent            print errors only
      -D, --debug             stay in the foreground and print more
          --rekey SECONDS     replace keys after this time (default: 3600)
          --rekey-packets N   and after this many packets (default: 2^31)
          --idle SECONDS      drop a tunnel unused for this time (default: 90)
          --keep SECONDS      for so long nothing goes in clear to the address of a
                              member that is gone (default: 86400)
          --metrics [ADDRESS:]PORT
                              serve metrics for Prometheus (default: 127.0.0.1)
      -h, --help    -V, --version

    Orders for the tyd that runs on this node:
          --status [--json]   show the nodes and tunnels that it knows
          --leave             leave the cluster and end
          --stop              end without telling the others, who see it die
          --remove ID         throw a node out, and its key with it
          --allow ID          let a node that was thrown out join again
          --release ADDRESS   let packets to a former member go in clear
          --pending           list who waits for approval
          --approve KEY       let the node with this fingerprint in
          --approve-window MINUTES
                              let everybody in who asks during this time; 0 ends it

    """
}
