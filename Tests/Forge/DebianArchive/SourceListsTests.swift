import Testing

@testable import DebianArchive

@Suite struct SourceListsTests {
  let lists = SourceLists(codename: "bookworm")

  struct Classic: Sendable {
    let given: String
    let expected: String
  }

  @Test(
    "a classic list gives each of the distribution's entries as deb and as deb-src",
    arguments: [
      Classic(
        given: "deb http://a.example/debian bookworm main\n",
        expected: "deb http://a.example/debian bookworm main\ndeb-src http://a.example/debian bookworm main\n"),
      // Both kinds are there already: once each.
      Classic(
        given: "deb http://a.example/d bookworm main\ndeb-src http://a.example/d bookworm main\n",
        expected: "deb http://a.example/d bookworm main\ndeb-src http://a.example/d bookworm main\n"),
      // Options stay, with one word or several in the brackets.
      Classic(
        given: "deb [arch=amd64 signed-by=/k.gpg] http://a.example/d bookworm-security main contrib",
        expected: """
          deb [arch=amd64 signed-by=/k.gpg] http://a.example/d bookworm-security main contrib
          deb-src [arch=amd64 signed-by=/k.gpg] http://a.example/d bookworm-security main contrib

          """),
      Classic(
        given: "deb\t[trusted=yes]\thttp://a.example/d\tstable-updates  main # comment",
        expected: """
          deb [trusted=yes] http://a.example/d stable-updates main
          deb-src [trusted=yes] http://a.example/d stable-updates main

          """),
      // Switched off, another vendor's, without main, a disc, not a list at all.
      Classic(given: "# deb http://a.example/d bookworm main", expected: ""),
      Classic(given: "deb http://a.example/d bookworm-backports main", expected: ""),
      Classic(given: "deb https://b.example/apt cloud-bookworm main", expected: ""),
      Classic(given: "deb https://b.example/apt bookworm stable", expected: ""),
      Classic(given: "deb cdrom:[Debian]/ bookworm main", expected: ""),
      Classic(given: "deb [unclosed http://a.example/d bookworm main", expected: ""),
      Classic(given: "deb", expected: ""),
      Classic(given: "", expected: ""),
    ])
  func classic(_ list: Classic) { #expect(lists.converted(classic: list.given) == list.expected) }

  @Test("a deb822 list keeps its fields, keys inside it too, and gains deb-src")
  func deb822() {
    let given = """
      # The mirror.
      Types: deb
      URIs: http://a.example/debian
      Suites: bookworm bookworm-updates other
      Components: main contrib
      Signed-By:
       -----BEGIN PGP PUBLIC KEY BLOCK-----
       .
       abc

      types: deb deb-src
      uris: http://a.example/security
      suites: bookworm-security
      components: main
      """
    #expect(
      lists.converted(deb822: given) == """
        Types: deb deb-src
        URIs: http://a.example/debian
        Suites: bookworm bookworm-updates
        Components: main contrib
        Signed-By:
         -----BEGIN PGP PUBLIC KEY BLOCK-----
         .
         abc

        Types: deb deb-src
        uris: http://a.example/security
        Suites: bookworm-security
        components: main

        """)
  }

  @Test(
    "a deb822 entry that is off, not the distribution's, or not whole is left out",
    arguments: [
      "Enabled: no\nTypes: deb\nURIs: http://a.example/d\nSuites: bookworm\nComponents: main",
      "Types: deb\nURIs: https://b.example/node\nSuites: nodistro\nComponents: main",
      "Types: deb\nURIs: https://b.example/d\nSuites: bookworm\nComponents: stable",
      "Types: deb\nURIs: http://a.example/d\nSuites: bookworm",
      "Types: deb\nSuites: bookworm\nComponents: main",
      "URIs: http://a.example/d\nSuites: bookworm\nComponents: main",
      " continuation of nothing\n:\nno field",
      "",
    ])
  func leftOut(_ stanza: String) { #expect(lists.converted(deb822: stanza) == "") }

  @Test("an entry says it is enabled and stays")
  func enabled() {
    let stanza = "Enabled: yes\nTypes: deb\nURIs: http://a.example/d\nSuites: bookworm\nComponents: main"
    #expect(lists.converted(deb822: stanza).contains("Types: deb deb-src"))
  }

  @Test("the release's code name is read with and without quotes")
  func osRelease() {
    #expect(codename(inOSRelease: "NAME=\"Debian\"\nVERSION_CODENAME=bookworm\n") == "bookworm")
    #expect(codename(inOSRelease: "VERSION_CODENAME=\"trixie\"\n") == "trixie")
    #expect(codename(inOSRelease: "VERSION_CODENAME=\n") == nil)
    #expect(codename(inOSRelease: "NAME=sid\n") == nil)
  }
}
