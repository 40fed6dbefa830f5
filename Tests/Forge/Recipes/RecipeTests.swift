import Testing

@testable import Recipes

@Suite struct RecipeTests {
  @Test("OpenSSL's options are the lines that are no comments")
  func options() {
    #expect(
      configureOptions("# Nothing.\nno-shared\n\n--with-rand-seed=getrandom\n") == [
        "no-shared", "--with-rand-seed=getrandom",
      ])
  }

  @Test("everything is built from four packages: one more or less would fetch and build all of them anew")
  func packages() {
    #expect(sourcePackages.map(\.name) == ["musl", "busybox", "openssl", "linux-source-6.1"])
  }
}
