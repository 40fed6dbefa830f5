import Bytes

/// One thing about a path that is not as it was sealed, or as it was when certaintyd started.
public enum Difference: Equatable, Sendable {
  /// In the baseline but not there.
  case missing
  /// There but not in the baseline.
  case added
  /// A file, directory, link or device has become another kind.
  case type
  case size(expected: UInt64, found: UInt64)
  case content
  case mode(expected: UInt32, found: UInt32)
  case owner
  case linkCount
  case target
  case deviceNumber
  /// The modification time is not what it was at the start.
  case modified
  /// The inode changed since the start (ctime), although nothing else shows it: times were set back.
  case changed
  /// Something is mounted over the path, or what is mounted there has changed.
  case mounted
  /// What is mounted there has other options than at the start.
  case remounted
  /// A kernel module was loaded since the start.
  case module
  /// The path could not be read: the system's error number.
  case unreadable(errno: Int32)

  /// The difference in words, as it follows the path: `content changed`.
  public var text: [UInt8] {
    switch self {
    case .missing: return [UInt8]("is gone")
    case .added: return [UInt8]("was added")
    case .type: return [UInt8]("is another kind of file")
    case .size(let expected, let found):
      var out = [UInt8]("size changed from ")
      appendDecimal(expected, to: &out)
      out += [UInt8](" to ")
      appendDecimal(found, to: &out)
      return out
    case .content: return [UInt8]("content changed")
    case .mode(let expected, let found):
      var out = [UInt8]("mode changed from ")
      appendOctal(expected, to: &out)
      out += [UInt8](" to ")
      appendOctal(found, to: &out)
      return out
    case .owner: return [UInt8]("owner changed")
    case .linkCount: return [UInt8]("link count changed")
    case .target: return [UInt8]("link target changed")
    case .deviceNumber: return [UInt8]("device number changed")
    case .modified: return [UInt8]("was modified")
    case .changed: return [UInt8]("was changed (ctime)")
    case .mounted: return [UInt8]("was mounted over")
    case .remounted: return [UInt8]("was remounted with other options")
    case .module: return [UInt8]("kernel module was loaded")
    case .unreadable(let errno):
      var out = [UInt8]("cannot be read (")
      if let name = errorName(errno) {
        out += [UInt8](name)
      } else {
        out += [UInt8]("error ")
        appendDecimal(UInt64(max(0, errno)), to: &out)
      }
      out.append(UInt8(ascii: ")"))
      return out
    }
  }
}

extension Difference {
  /// Whether this only means that memory, descriptors or time were missing, and nothing about the path itself.
  public var isPassing: Bool {
    // EINTR, EAGAIN, ENOMEM, ENFILE, EMFILE, ENOBUFS (errno(3)).
    if case .unreadable(let errno) = self { return [4, 11, 12, 23, 24, 105].contains(errno) }
    return false
  }

  /// How significant it is, to choose one of several: 0 only shows that something happened.
  var weight: Int {
    switch self {
    case .modified, .changed, .linkCount: 0
    default: 1
    }
  }
}

/// A path and what is different about it.
public struct Finding: Equatable, Sendable {
  public var path: [UInt8]
  public var difference: Difference

  public init(path: [UInt8], difference: Difference) {
    self.path = path
    self.difference = difference
  }

  /// `/etc/passwd: content changed`
  public var text: [UInt8] { path + [UInt8](": ") + difference.text }
}

/// The meaning of the likelier error numbers (errno(3)).
private func errorName(_ errno: Int32) -> StaticString? {
  switch errno {
  case 4: "interrupted"
  case 5: "input/output error"
  case 12: "no memory"
  case 13: "no permission"
  case 23, 24: "too many open files"
  case 0: "not understood"
  default: nil
  }
}
