import ImageContents
import Workshop

/// One line for each entry: mode, owner, bytes and name, as `ls -l` has them.
func listText(_ entries: [ImageEntry]) -> String {
  entries.map {
    "\(modeText($0))  \(column($0.owner?.description ?? "-", 9))  \(right($0.bytesText, 9))  \(nameText($0))"
  }
  .joined(separator: "\n")
}

/// The lines below a folder, with its branches.
func treeLines(_ contents: ImageContents, below folder: ImagePath, indentedBy indent: String = "") -> [String] {
  let children = contents.children(of: folder)
  return children.enumerated().flatMap { index, entry in
    let isLast = index == children.count - 1
    let size = entry.kind == .file ? "  \(entry.size)" : ""
    let below =
      entry.kind == .folder
      ? treeLines(contents, below: entry.path, indentedBy: indent + (isLast ? "    " : "│   ")) : []
    return [indent + (isLast ? "└── " : "├── ") + nameText(entry) + size] + below
  }
}

/// Every table of sizes, with a heading for each. Rows of less than `least` of their whole are counted.
func sizeText(_ tables: [SizeTable], of image: String, _ form: ImageContents.Form, least: Double) -> String {
  tables.map { table in
    let unpacked = table.unpacked == table.stored ? "" : ", \(table.unpacked) in files"
    let heading =
      (table.path.isTop ? "\(image), a \(form.rawValue)" : "\(table.path)") + ": \(table.stored) bytes\(unpacked)"
    let shown = table.rows.filter { $0.share >= least && ($0.bytes > 0 || least == 0) }
    let others = table.rows.count - shown.count
    return
      ([heading]
      + shown.map { row in
        "\(right("\(row.bytes)", 11))  \(right(percent(row.share), 7))  \(row.entry.path)"
          + (row.entry.kind == .folder ? "/" : "")
      } + (others > 0 ? ["             and \(others) smaller than \(percent(least))"] : []))
      .joined(separator: "\n")
  }.joined(separator: "\n\n")
}

/// `12.3 %`.
private func percent(_ share: Double) -> String {
  let tenths = Int((share * 1000).rounded())
  return "\(tenths / 10).\(tenths % 10) %"
}

extension ContentsDifference {
  /// One line: what happened, the path, and what is different.
  var text: String {
    guard let before, let after else {
      guard let only = before ?? after else { return "" }
      let size = only.kind == .file ? ", \(only.size) bytes" : ""
      return "\(before == nil ? "+" : "-") \(path)  \(only.kind.rawValue)\(size)"
    }
    let details = aspects.map { aspect -> String in
      switch aspect {
      case .kind: "\(before.kind.rawValue) -> \(after.kind.rawValue)"
      case .content where before.size == after.size: "other content of \(after.size) bytes"
      case .content: "\(before.size) -> \(after.size) bytes"
      case .mode: "mode \(before.octalMode) -> \(after.octalMode)"
      case .owner: "owner \(before.owner?.description ?? "-") -> \(after.owner?.description ?? "-")"
      case .target: "target \(escaped(before.target ?? [])) -> \(escaped(after.target ?? []))"
      case .device: "device \(before.deviceText) -> \(after.deviceText)"
      }
    }
    return "~ \(path)  \(details.joined(separator: ", "))"
  }

  /// - Parameter origin: where the file comes from, as a manifest has it.
  func json(from origin: String?) -> JSON {
    .object([
      ("path", .string(path.description)),
      ("change", .string(before == nil ? "added" : after == nil ? "removed" : "changed")),
      ("aspects", .array(aspects.map { .string($0.rawValue) })),
      ("origin", origin.map { .string($0) } ?? .null),
      ("before", before?.json ?? .null), ("after", after?.json ?? .null),
    ])
  }
}

extension SizeTable {
  var json: JSON {
    .object([
      ("path", .string(path.description)), ("stored", .number(stored)), ("unpacked", .number(unpacked)),
      (
        "rows",
        .array(
          rows.map {
            .object([
              ("path", .string($0.entry.path.description)), ("bytes", .number($0.bytes)),
              ("perMille", .number(Int(($0.share * 1000).rounded()))),
            ])
          })
      ),
    ])
  }
}

extension ImageEntry {
  /// `0644`.
  var octalMode: String { mode.map(octal) ?? "-" }

  fileprivate var deviceText: String { device.map { $0.map(String.init).joined(separator: ",") } ?? "-" }

  fileprivate var bytesText: String {
    switch kind {
    case .file: "\(size)"
    case .characterDevice: deviceText
    default: "-"
    }
  }

  /// Members that mean nothing for it are left out.
  var json: JSON {
    var members: [(String, JSON)] = [("path", .string(path.description)), ("kind", .string(kind.rawValue))]
    if mode != nil { members.append(("mode", .string(octalMode))) }
    if let owner { members += [("user", .number(Int(owner.user))), ("group", .number(Int(owner.group)))] }
    if kind == .file { members.append(("bytes", .number(size))) }
    if let digest { members.append(("sha256", .string("\(digest)"))) }
    if let target { members.append(("target", .string(escaped(target)))) }
    if let device { members.append(("device", .array(device.map { .number(Int($0)) }))) }
    if let inside { members.append(("holds", .string(inside.rawValue))) }
    return .object(members)
  }
}

private func nameText(_ entry: ImageEntry) -> String {
  entry.path.name + (entry.isFolder ? "/" : "") + (entry.target.map { " -> \(escaped($0))" } ?? "")
}

/// `-rwxr-xr-x`.
private func modeText(_ entry: ImageEntry) -> String {
  let kind =
    switch entry.kind {
    case .file: "-"
    case .folder: "d"
    case .symbolicLink: "l"
    case .characterDevice: "c"
    case .other: "?"
    }
  guard let mode = entry.mode else { return kind + "?????????" }
  var letters = (0..<9).map { mode & 0o400 >> UInt16($0) != 0 ? Array("rwx")[$0 % 3] : "-" }
  for (bit, place, letter) in [(0o4000, 2, "s"), (0o2000, 5, "s"), (0o1000, 8, "t")] as [(UInt16, Int, Character)]
  where mode & bit != 0 {
    letters[place] = letters[place] == "x" ? letter : Character(letter.uppercased())
  }
  return kind + String(letters)
}

private func right(_ text: String, _ width: Int) -> String {
  String(repeating: " ", count: max(0, width - text.count)) + text
}

private func column(_ text: String, _ width: Int) -> String {
  text + String(repeating: " ", count: max(0, width - text.count))
}
