/// Checks that what a boot configuration of SYSLINUX names is there (SYSLINUX, syslinux.txt: KERNEL, LINUX, COM32, INITRD,
/// APPEND's initrd=, DISPLAY, F1 to F12, INCLUDE, CONFIG).
///
/// `folder` is where relative names begin: the configuration's own on a CD, the root of a network tree.
func checkConfiguration(_ text: [UInt8], at place: String, folder: String, files: Set<String>) -> [Finding] {
  var findings: [Finding] = []
  var labels = 0
  var missing: Set<Substring> = []
  let fileWords: Set<String> = [
    "kernel", "linux", "initrd", "com32", "display", "include", "config", "f1", "f2", "f3", "f4", "f5", "f6", "f7",
    "f8", "f9", "f10", "f11", "f12",
  ]
  for line in text.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }) {
    let words = String(decoding: line, as: UTF8.self).split(whereSeparator: { $0 == " " || $0 == "\t" })
    guard let keyword = words.first?.lowercased() else { continue }
    var named: [Substring] = []
    if keyword == "label" { labels += 1 }
    if fileWords.contains(keyword), words.count > 1 { named += words[1].split(separator: ",") }
    if keyword == "append" {
      for word in words.dropFirst() where word.hasPrefix("initrd=") {
        named += word.dropFirst("initrd=".count).split(separator: ",")
      }
    }
    for name in named {
      let path = name.hasPrefix("/") ? String(name) : (folder == "/" ? "/" : folder + "/") + name
      if !files.contains(path), missing.insert(name).inserted {
        findings.append(Finding(.configuration, place, "it names \(name), which is not there"))
      }
    }
  }
  if labels == 0 { findings.append(Finding(.configuration, place, "it has no label to boot")) }
  return findings
}

/// The words that the label that starts by itself gives a kernel, without the archive; nil without such a label. Where a
/// program chooses between two labels by the processor, the first of them is meant (SYSLINUX, ifcpu64.c32: the one of 64
/// bits).
func standardLine(_ text: ArraySlice<UInt8>) -> [String]? {
  var (standard, label) = ("", "")
  var words: [String: [String]] = [:]
  var choosers: Set<String> = []
  for line in text.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }) {
    let line = String(decoding: line, as: UTF8.self).split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
    let rest = Array(line.dropFirst())
    switch line.first?.lowercased() {
    case "default": standard = rest.first ?? ""
    case "label": label = rest.first ?? ""
    case "com32": choosers.insert(label)
    case "append": words[label] = rest
    default: break
    }
  }
  if choosers.contains(standard) { standard = words[standard]?.first ?? "" }
  return words[standard].map { $0.filter { !$0.hasPrefix("initrd=") } }
}
