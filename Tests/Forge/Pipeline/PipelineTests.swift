import BuildCache
import Foundation
import Image
import KernelPackages
import SystemPackage
import Target
import TestSupport
import Testing
import Workshop

@testable import Pipeline

/// A recipe made for a test: its result is one file with its inputs in it.
private struct Thing: Recipe {
  let name: String
  var title: String { name }
  let inputs: [Input]
  var before: @Sendable () async throws -> Void = {}

  func build(in room: Room) async throws {
    try await before()
    let text = inputs.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
    try await write(text.utf8, to: room.result.appending("file"))
  }
}

/// What was built, in order.
private actor Record {
  private(set) var names: [String] = []
  func add(_ name: String) { names.append(name) }
}

@Suite struct PipelineTests {
  private func withCache(_ body: (BuildCache) async throws -> Void) async throws {
    try await withTemporaryFolder(in: FilePath(NSTemporaryDirectory())) { folder in
      try await body(BuildCache(folder: folder))
    }
  }

  private func folders(in cache: BuildCache) -> BuildFolders {
    var folders = BuildFolders(checkout: checkout)
    folders.cache = cache.folder.appending("cache")
    return folders
  }

  /// A library, and a program of it.
  private func pipeline(
    _ cache: BuildCache, library: String = "1", program: String = "1", _ record: Record,
    failing: String? = nil
  ) -> (Pipeline, Stage<Part>, Stage<Part>) {
    var pipeline = Pipeline()
    @Sendable func built(_ name: String) async throws {
      await record.add(name)
      if name == failing { throw BuildError.input("\(name) does not compile.") }
    }
    let first = pipeline.part(in: cache) {
      Thing(name: "library", inputs: [Input("source", library)]) { try await built("library") }
    }
    let second = pipeline.part(in: cache) {
      Thing(name: "program", inputs: [Input("source", program), Input("library", try first.result.hash.description)]) {
        try await built("program")
      }
    }
    return (pipeline, first, second)
  }

  @Test("stages run in order, each from what earlier ones gave; nothing is built a second time")
  func order() async throws {
    try await withCache { cache in
      let record = Record()
      for _ in 1...2 {
        let (pipeline, library, program) = pipeline(cache, record)
        #expect(pipeline.count == 2)
        #expect(throws: BuildError.self) { try library.result }
        try await pipeline.run(quiet: true)
        let text = String(decoding: try contents(of: program.result.folder.appending("file")), as: UTF8.self)
        #expect(try text == "source=1 library=\(library.result.hash)")
      }
      #expect(await record.names == ["library", "program"])
    }
  }

  @Test(
    "a changed input builds anew what is made from it, and nothing else",
    arguments: [("2", "1", ["library", "program"]), ("1", "2", ["program"])])
  func changed(_ library: String, _ program: String, _ built: [String]) async throws {
    try await withCache { cache in
      try await pipeline(cache, Record()).0.run(quiet: true)
      let record = Record()
      try await pipeline(cache, library: library, program: program, record).0.run(quiet: true)
      #expect(await record.names == built)
    }
  }

  @Test("a stage that fails ends the pipeline; what was finished before it is found by the next one")
  func failed() async throws {
    try await withCache { cache in
      let record = Record()
      let (broken, library, program) = pipeline(cache, record, failing: "program")
      await #expect(throws: BuildError.self) { try await broken.run(quiet: true) }
      #expect(try exists(library.result.folder))
      #expect(throws: BuildError.self) { try program.result }
      try await pipeline(cache, record).0.run(quiet: true)
      #expect(await record.names == ["library", "program", "program"])
    }
  }

  @Test("a pipeline that is interrupted begins no further stage")
  func interrupted() async throws {
    let record = Record()
    var pipeline = Pipeline()
    _ = pipeline.stage { _ in
      await record.add("first")
      withUnsafeCurrentTask { $0?.cancel() }
    }
    _ = pipeline.stage { _ in await record.add("second") }
    let build = Task { [pipeline] in try await pipeline.run(quiet: true) }
    await #expect(throws: CancellationError.self) { try await build.value }
    #expect(await record.names == ["first"])
  }

  @Test("every step of an image, a tree and a package is counted before the first one runs")
  func counts() async throws {
    let folders = BuildFolders(checkout: checkout)
    for medium in Medium.allCases {
      var pipeline = Pipeline()
      _ = try await ImagePipeline(medium, for: .i586, folders: folders, output: "/nowhere").stages(in: &pipeline)
      // Sources, headers, musl, OpenSSL, BusyBox, kernel, programs, instructions, image.
      #expect(pipeline.count == 9)
    }
    let wide = try ImagePipeline(.cd, for: .x86_64, folders: folders, output: "/nowhere")
    var withDebians = Pipeline()
    _ = try await wide.stages(in: &withDebians)
    // Debian's package and what is chosen of it in place of a kernel of our own; the same of boot loaders for UEFI.
    #expect(withDebians.count == 12)
    var withOwn = Pipeline()
    _ = try await ImagePipeline(
      .cd, for: .x86_64, folders: folders, output: "/nowhere", kernel: .own, firmware: .debian
    ).stages(in: &withOwn)
    // One kernel in place of a package and what is chosen of it; firmware's packages and what is chosen of them.
    #expect(withOwn.count == 11 + 2)
    // Signed as a whole by a key of the user's, it is started by shim, and not by a GRUB that would start anything.
    var signed = try ImagePipeline(.cd, for: .x86_64, folders: folders, output: "/nowhere", kernel: .own)
    #expect(signed.target.bootWays.contains { $0.isBy(.unsigned) })
    signed.signer = ProgramSigner(name: "mine", key: "/k", certificateFile: "/c", certificate: [])
    #expect(signed.target.bootWays.contains { $0.isBy(.debian) })
    var fromNetwork = Pipeline()
    _ = try await ImagePipeline(.network, for: .x86_64, folders: folders, output: "/nowhere").stages(in: &fromNetwork)
    // The same loaders, and the stub, for another medium.
    #expect(fromNetwork.count == 12)
    var both = Pipeline()
    _ = try await ImagePipeline(.cd, for: .any, folders: folders, output: "/nowhere").stages(in: &both)
    // The image itself is one, and the programs of both are built beside each other.
    #expect(both.count == 9 + 12 - 2)
    var pipeline = Pipeline()
    _ = try await MasterPackagePipeline(for: .master, folders: folders, output: "/nowhere").stages(in: &pipeline)
    // Neither BusyBox nor a kernel.
    #expect(pipeline.count == 7)
  }

  @Test("what cannot be is refused before anything is built")
  func refused() async throws {
    try await withCache { cache in
      let folders = folders(in: cache)
      let kernel = cache.folder.appending("kernel")
      try await write("no kernel".utf8, to: kernel)
      let out = cache.folder.appending("out")
      let refused: [(ImageTarget, KernelChoice, ModuleSelection?, String)] = [
        (.any, .own, nil, "A kernel is for one kind of computer"),
        (.i586, .image(kernel), nil, "is not a Linux kernel"),
        (.i586, .debian, nil, "No kernel of Debian's runs on i586"),
        (.i586, .own, .all, "this one has none"),
        (.x86_64, .own, .all, "this one has none"),
        (.x86_64, .image(kernel, modules: cache.folder), nil, "is not a Linux kernel"),
        (.any, .image(kernel, modules: cache.folder), nil, "A kernel is for one kind of computer"),
        (.x86_64, .package(kernel), nil, "cannot be read as a Debian package"),
        (.x86_64, .image(kernel), .named(["e1000e"]), "this one has none"),
      ]
      for (target, choice, modules, says) in refused {
        let error = #expect(throws: BuildError.self) {
          try ImagePipeline(.cd, for: target, folders: folders, output: out, kernel: choice, modules: modules)
        }
        #expect(error.map { "\($0)".contains(says) } == true, "it says: \(error.map { "\($0)" } ?? "")")
      }
      let firmware = #expect(throws: BuildError.self) {
        try ImagePipeline(.cd, for: .any, folders: folders, output: out, firmware: .folder(kernel))
      }
      #expect(firmware.map { "\($0)".contains("give FIRMWARE the path of a Linux's lib/firmware") } == true)
      let nowhere = try ImagePipeline(.cd, for: .standard, folders: folders, output: "/proc/out")
      await #expect(throws: BuildError.self) { try await nowhere.run(quiet: true) }
      #expect(!exists(folders.cache))
    }
  }

  @Test(
    "folders over which makefiles stumble are refused before anything is built",
    arguments: ["a b", "a:b", "it's", "a=b"])
  func names(_ name: String) async throws {
    try await withCache { cache in
      var (bad, good) = (BuildFolders(checkout: cache.folder.appending(name)), folders(in: cache))
      bad.cache = good.cache
      good.cache = cache.folder.appending(name)
      for folders in [bad, good] {
        let error = await #expect(throws: BuildError.self) {
          try await ProgramsPipeline(target: .standard, folders: folders).run()
        }
        #expect(error.map { "\($0)".contains(name) && "\($0)".contains("stumble") } == true)
      }
      let refresh = SourceRefresh(packages: [], cache: good.cache)
      await #expect(throws: BuildError.self) { try await refresh.run() }
      let left = try FileManager.default.contentsOfDirectory(atPath: cache.folder.string)
      #expect(left == [])
    }
  }
}

extension BootWay {
  fileprivate func isBy(_ loaders: GRUB) -> Bool {
    if case .uefi(let own) = self { own.parts.map(\.package) == loaders.parts.map(\.package) } else { false }
  }
}
