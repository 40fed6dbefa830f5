import Foundation
import TestSupport
import Testing

@testable import droneforge

@Suite("droneforge doctor")
struct DoctorTests {
  @Test("it reads the packages as the script that installs them does")
  func packages() {
    let needed = neededPackages(documentText("sysroot/packages"))
    #expect(needed.contains(NeededPackage(name: "xorriso", stage: "image")))
    #expect(
      needed.allSatisfy { ["tool", "sysroot", "image", "sign", "run", "serve", "test", "lint"].contains($0.stage) })
  }

  @Test("what is missing is named for each stage, with the command that installs it")
  func missing() {
    let needed = neededPackages("# a\nxz-utils  image  packs\n\nxorriso image writes it\nqemu run starts it\n")
    #expect(
      packageFindings(needed, installed: ["xz-utils", "qemu"]) == [
        DoctorFinding(
          state: .missing, what: "packages for image: xorriso", remedy: "sysroot/install-packages image"),
        DoctorFinding(state: .fine, what: "1 package for run"),
      ])
  }

  @Test(
    "Swift 6.3 and newer are enough",
    arguments: [
      ("Swift version 6.3.1 (swift-6.3.1-RELEASE)", true), ("swift-driver version: 1 Apple Swift version 7.0", true),
      ("Swift version 6.2", false), ("Swift version 5.10.1", false), ("", false), (nil, false),
    ])
  func swift(_ said: String?, _ isEnough: Bool) { #expect((swiftFinding(said).state == .fine) == isEnough) }

  @Test("too little room is told with both figures, and JSON is valid")
  func room() throws {
    let finding = roomFinding("memory", 1_000_000_000, wanted: 2_000_000_000, remedy: "Take \"more\".")
    #expect(finding.state == .advice && finding.what == "memory: 1.0 GB, and 2.0 GB are wanted")
    let read = try JSONSerialization.jsonObject(with: Data(finding.json.text.utf8)) as? [String: String]
    #expect(read?["remedy"] == "Take \"more\"." && read?["state"] == "advice")
    #expect(roomFinding("disk", 3, wanted: 2, remedy: "").state == .fine)
    #expect(roomFinding("disk", nil, wanted: 2, remedy: "").state == .advice)
  }
}
