import Target
import Testing

@testable import Image

@Suite struct ChoosingPromptTests {
  private static let wide = ImageTarget.any.place(of: .x86_64)

  @Test("each label is there for both drones, and the one that starts by itself takes the processor's")
  func both() {
    let text = """
      TIMEOUT 300
      DEFAULT drone
      # Of the labels.
      LABEL drone
        KERNEL /chaos/bzImage
        APPEND initrd=/chaos/chaos.rdz console=tty0
      LABEL j1
        KERNEL chaos/bzImage
        APPEND initrd=chaos/chaos.rdz tyd=any

      """
    #expect(
      SYSLINUX.choosing(text, wide: Self.wide) == """
        TIMEOUT 300
        DEFAULT auto
        # Of the labels.
        LABEL auto
          COM32 ifcpu64.c32
          APPEND drone-64 -- drone

        LABEL drone
          KERNEL /chaos/bzImage
          APPEND initrd=/chaos/chaos.rdz console=tty0
        LABEL j1
          KERNEL chaos/bzImage
          APPEND initrd=chaos/chaos.rdz tyd=any

        # The same for processors of 64 bits.
        LABEL drone-64
          KERNEL /chaos/x86_64/bzImage
          APPEND initrd=/chaos/x86_64/chaos.rdz console=tty0
        LABEL j1-64
          KERNEL chaos/x86_64/bzImage
          APPEND initrd=chaos/x86_64/chaos.rdz tyd=any

        """)
  }

  @Test("the first drone lies where the boot line of 2003 has it, and the second beside it")
  func places() {
    #expect(ImageTarget.any.place(of: .i586).kernel == "/chaos/bzImage")
    #expect(Self.wide.kernel == "/chaos/x86_64/bzImage" && Self.wide.root == "/chaos/x86_64/chaos.rdz")
    #expect(ImageTarget.x86_64.place(of: .x86_64).root == "/chaos/chaos.rdz")
  }
}
