import TestSupport
import Testing

@testable import ImageCheck

@Suite("Configurations of GRUB")
struct GRUBConfigurationTests {
  static let text = """
    # A menu as a drone's CD has it.
    set timeout=5
    set kernel=/chaos/vmlinuz
    for name in first second; do
      if [ -e /chaos/$name ]; then set default="${name}"; fi
    done
    if loadfont ${prefix}/fonts/unicode.pf2 ; then terminal_output gfxterm; fi
    loadfont unicode
    search --set=root --file /chaos/chaos.rdz
    menuentry 'a drone; linux /nowhere' --hotkey=f {
      linux $kernel quiet initrd=/nothing "dyndbg=\\"x\\"" # linux /nowhere
      initrd --nocase ($root)/chaos/chaos.rdz newc:more:/chaos/"more "files \\
        /chaos/first
    }
    menuentry "help" { cat --dos /boot/grub/help.txt; sleep 9 }
    source $prefix/more.cfg
    if source /boot/grub/other.cfg; then true; fi
    if loadfont (memdisk)/fonts/unicode.pf2; then true; fi
    function kernel { linux "$@"; linux $1; }
    menuentry 'prompt' { normal /boot/grub/prompt.cfg }
    """

  static let files: [String: Content] = Dictionary(
    uniqueKeysWithValues: [
      ("/boot/grub/grub.cfg", text), ("/boot/grub/more.cfg", "configfile /boot/grub/grub.cfg\nchainloader /EFI/x\n"),
      ("/boot/grub/other.cfg", "background_image -m stretch /boot/grub/picture.png\n"),
      ("/boot/grub/prompt.cfg", ""), ("/boot/grub/fonts/unicode.pf2", ""), ("/boot/grub/help.txt", ""),
      ("/boot/grub/picture.png", ""),
      ("/chaos/vmlinuz", ""), ("/chaos/chaos.rdz", ""), ("/chaos/more files", ""), ("/chaos/first", ""), ("/EFI/x", ""),
    ].map { ($0.0, Content([UInt8]($0.1.utf8))) })

  private func check(_ files: [String: Content]) -> [String] {
    checkGRUBConfiguration(at: "/boot/grub/grub.cfg", in: files).map { "\($0)" }
  }

  @Test("a configuration whose files are there gives no finding") func sound() { #expect(check(Self.files) == []) }

  @Test(
    "each file that is named and missing is told, with the configuration that names it",
    arguments: [
      ("/boot/grub/more.cfg", "/boot/grub/grub.cfg: it source names /boot/grub/more.cfg"),
      ("/boot/grub/other.cfg", "/boot/grub/grub.cfg: it source names /boot/grub/other.cfg"),
      ("/boot/grub/fonts/unicode.pf2", "it loadfont names /boot/grub/fonts/unicode.pf2"),
      ("/boot/grub/help.txt", "it cat names /boot/grub/help.txt"),
      ("/boot/grub/picture.png", "/boot/grub/other.cfg: it background_image names /boot/grub/picture.png"),
      ("/boot/grub/prompt.cfg", "it normal names /boot/grub/prompt.cfg"),
      ("/chaos/vmlinuz", "it linux names /chaos/vmlinuz"), ("/chaos/more files", "it initrd names /chaos/more files"),
      ("/chaos/first", "it initrd names /chaos/first"),
      ("/EFI/x", "/boot/grub/more.cfg: it chainloader names /EFI/x"),
    ])
  func missing(_ path: String, _ says: String) {
    let found = check(Self.files.filter { $0.key != path })
    #expect(found.count == 1 && found[0].contains(says.replacing("it ", with: "its ")), "found instead: \(found)")
  }

  @Test("what GRUB reads first leads to the configuration, through the file by which it finds the medium")
  func beginning() {
    func check(_ text: String, without path: String = "") -> [String] {
      checkGRUBConfiguration(
        at: "/boot/grub/grub.cfg", after: ("EFI partition:/grub.cfg", [UInt8](text.utf8)),
        in: Self.files.filter { $0.key != path }
      ).map { "\($0)" }
    }
    let text = """
      regexp --set=1:drive '^\\(([^,)]*)' "$cmdpath"
      if search --file --set=root --hint="$drive" /chaos/chaos.rdz; then
        set prefix=($root)/boot/grub
        source /boot/grub/grub.cfg
      fi
      """
    #expect(check(text) == [])
    #expect(
      check(text, without: "/chaos/chaos.rdz").first
        == "EFI partition:/grub.cfg: its search names /chaos/chaos.rdz, which is not there (configuration)")
    #expect(
      check("linux /chaos/vmlinuz") == ["/boot/grub/grub.cfg: nothing reads it (configuration)"])
  }

  @Test(
    "what cannot be found by its name is told",
    arguments: [
      ("", "it starts no kernel"), ("echo linux", "it starts no kernel"), ("linux", "its linux has no file"),
      ("linux /chaos/vmlinuz\ninitrd", "its initrd has no file"), ("linux chaos/vmlinuz", "is no path from the medium"),
      ("linux $image", "by a variable that has no value here: $image"), ("linux '/chaos/vmlinuz", "ends within quotes"),
      ("set a=/chaos/x\nset a=/chaos/vmlinuz\nlinux $a", "names /chaos/x, which is not there"),
      ("linux (cd0)/chaos/x", "names /chaos/x, which is not there"),
      ("for a in vmlinuz y; do linux /chaos/$a; done", "names /chaos/y, which is not there"),
      ("{ linux /chaos/z; }", "names /chaos/z, which is not there"),
      ("linux '$a'", "names $a, which is no path"),
    ])
  func unclear(_ text: String, _ says: String) {
    var files = Self.files
    files["/boot/grub/grub.cfg"] = Content([UInt8](text.utf8))
    let found = check(files)
    #expect(found.contains { $0.contains(says) }, "found instead: \(found)")
  }
}

@Suite struct GRUBConfigurationFuzzTests {
  @Test("any configuration is judged without a trap, and only files that are not there are missed")
  func configurations() {
    let mutator = Mutator([
      "linux ", "initrd ", "source ", "set a=", "$a", "${a}", "$", "${", "'", "\"", "\\", "\n", ";", "{", "}", " { ",
      "/x",
      "(cd0)", "($root)", "#", "for a in ", "do ", "newc:a:", "\\\n", "menuentry ", "loadfont ", "é",
    ])
    let fault = Fuzzing.configured.firstFault { generator in
      let bytes = mutator.bytes(&generator, pieces: 0...30)
      let files = ["/g/c": Content(bytes), "/x": Content([UInt8]("linux /x".utf8))]
      let found = checkGRUBConfiguration(at: "/g/c", in: files)
      return found.contains { $0.reason.hasSuffix(" /x, which is not there") } ? "\(found)" : nil
    }
    #expect(fault == nil)
  }
}
