import CLinux
import NFS

/// What makes an object itself in a tree, by however many names.
struct ObjectKey: Hashable {
  let tree: UInt32
  let device: UInt64
  let inode: UInt64

  init(tree: UInt32, _ found: linux_attributes) {
    self.tree = tree
    device = found.device
    inode = found.inode
  }
}

/// The objects that clients have handles of. A number is never given twice.
///
/// A descriptor holds the object itself: it stays right when the object is renamed, and the inode's number cannot become another's. There
/// are more objects in a system than a process may have descriptors; those that were not used for longest are closed and opened again
/// by the name that they were last seen by, if it still is the same object.
struct ObjectTable {
  private struct Object {
    let key: ObjectKey
    let kind: FileKind
    /// When it was made, for a descriptor that is not held: an inode's number may be used again.
    let born: Int64
    let bornPart: UInt32
    /// -1 when none is held.
    var descriptor: Int32
    /// Whether it is a tree's own folder.
    let isRoot: Bool
    /// The folder and the name in it; 0 for none, then the descriptor stays.
    var parent: UInt64
    var name: [UInt8]
    /// `uses` when it was used last.
    var lastUse: UInt64
    /// The time then, as the last sweep said.
    var lastTime: UInt64
  }

  private var objects: [UInt64: Object] = [:]
  private var numbers: [ObjectKey: UInt64] = [:]
  private var next: UInt64 = 1
  private var uses: UInt64 = 0
  private var sweepPlace: UInt64 = 1
  /// How many descriptors are held, and may be.
  private(set) var held = 0
  private var limit: Int
  /// Milliseconds, as the last sweep said.
  private var time: UInt64 = 0

  /// The most steps from an object to a folder that is open.
  private static let deepest = 4096

  init(limit: Int) { self.limit = max(limit, 16) }

  var count: Int { objects.count }

  /// The number of what was found by a name; takes the descriptor, if there is one.
  mutating func number(
    tree: UInt32, _ found: linux_attributes, parent: UInt64, name: [UInt8], descriptor: Int32 = -1
  ) throws(NFSStatus) -> UInt64 {
    guard let kind = found.kind else {
      release(descriptor)
      throw .fault
    }
    let key = ObjectKey(tree: tree, found)
    uses &+= 1
    if let number = numbers[key], var known = objects[number] {
      let isSame = known.kind == kind && known.born == found.born && known.bornPart == found.born_part
      if known.descriptor >= 0 || isSame {
        if known.descriptor >= 0 {
          release(descriptor)
        } else if descriptor >= 0 {
          known.descriptor = descriptor
          held += 1
        }
        if !known.isRoot {
          known.parent = parent
          known.name = name
        }
        known.lastUse = uses
        known.lastTime = time
        objects[number] = known
        return number
      }
      forget(number)
    }
    let number = next
    next += 1
    objects[number] = Object(
      key: key, kind: kind, born: found.born, bornPart: found.born_part, descriptor: descriptor,
      isRoot: parent == 0, parent: parent, name: name, lastUse: uses, lastTime: time)
    numbers[key] = number
    if descriptor >= 0 { held += 1 }
    return number
  }

  /// The number of what was found, if a client has a handle of it.
  func known(tree: UInt32, _ found: linux_attributes) -> UInt64? { numbers[ObjectKey(tree: tree, found)] }

  /// An open place of an object in a tree. It is held until the next call of `closeUnused`.
  mutating func descriptor(_ number: UInt64, tree: UInt32) throws(NFSStatus) -> Int32 {
    guard let object = objects[number] else { throw number > 0 && number < next ? .stale : .badHandle }
    guard object.key.tree == tree else { throw .badHandle }
    if object.descriptor < 0 { try reopen(number) }
    uses &+= 1
    objects[number]?.lastUse = uses
    objects[number]?.lastTime = time
    return objects[number]?.descriptor ?? -1
  }

  func kind(_ number: UInt64) -> FileKind? { objects[number]?.kind }

  /// Opens an object and the folders above it that are closed, from the highest down.
  private mutating func reopen(_ number: UInt64) throws(NFSStatus) {
    var chain = [number]
    while let last = chain.last, let object = objects[last], object.descriptor < 0 {
      guard object.parent != 0, objects[object.parent] != nil, chain.count < ObjectTable.deepest else { throw .stale }
      chain.append(object.parent)
    }
    var folder = chain.popLast().flatMap { objects[$0]?.descriptor } ?? -1
    while let step = chain.popLast(), let object = objects[step] {
      let descriptor = withName(object.name) { linux_step(folder, $0) }
      guard descriptor >= 0 else {
        let status = NFSStatus.ofKernel
        throw status == .missing || status == .notFolder ? .stale : status
      }
      guard let found = try? readAttributes(descriptor), ObjectKey(tree: object.key.tree, found) == object.key,
        found.kind == object.kind, found.born == object.born, found.born_part == object.bornPart
      else {
        release(descriptor)
        throw .stale
      }
      objects[step]?.descriptor = descriptor
      uses &+= 1
      objects[step]?.lastUse = uses
      held += 1
      folder = descriptor
    }
  }

  /// An object has another name now.
  mutating func moved(_ number: UInt64, parent: UInt64, name: [UInt8]) {
    objects[number]?.parent = parent
    objects[number]?.name = name
  }

  /// The name that an object was found by is no longer its own: from now on its descriptor alone has it.
  mutating func lostName(_ number: UInt64, parent: UInt64, name: [UInt8]) {
    guard let object = objects[number], object.parent == parent, object.name == name else { return }
    objects[number]?.parent = 0
  }

  /// Its handle is stale from now on.
  mutating func forget(_ number: UInt64) {
    guard let object = objects.removeValue(forKey: number) else { return }
    if numbers[object.key] == number { numbers[object.key] = nil }
    if object.descriptor >= 0 {
      release(object.descriptor)
      held -= 1
    }
  }

  /// Closes descriptors when too many are held: the half of them that was not used for longest, as far as a name leads back.
  mutating func closeUnused() {
    guard held > limit else { return }
    var ages: [UInt64] = []
    for object in objects.values where object.descriptor >= 0 && object.parent != 0 { ages.append(object.lastUse) }
    guard !ages.isEmpty else { return }
    ages.sort()
    let youngest = ages[ages.count / 2]
    for (number, object) in objects where object.descriptor >= 0 && object.parent != 0 && object.lastUse <= youngest {
      release(object.descriptor)
      objects[number]?.descriptor = -1
      held -= 1
    }
  }

  /// The process may have fewer descriptors than it was thought to.
  mutating func tighten() {
    limit = max(16, min(limit, held) / 2)
    closeUnused()
  }

  /// Objects whose last name has gone by others' hands and that were not used for some time, looked for among the next of all objects.
  /// - Parameters:
  ///   - milliseconds: the time now.
  ///   - patience: milliseconds that a client may go on with such an object.
  mutating func abandoned(at milliseconds: UInt64, patience: UInt64, lookingAt most: Int, in trees: [UInt32])
    -> [UInt64]
  {
    time = milliseconds
    var out: [UInt64] = []
    for _ in 0..<most {
      if sweepPlace >= next {
        sweepPlace = 1
        break
      }
      let number = sweepPlace
      sweepPlace += 1
      guard let object = objects[number], object.descriptor >= 0, trees.contains(object.key.tree),
        milliseconds >= object.lastTime, milliseconds - object.lastTime >= patience,
        let found = try? readAttributes(object.descriptor), found.links == 0
      else { continue }
      out.append(number)
    }
    return out
  }

  mutating func closeAll() {
    for object in objects.values { release(object.descriptor) }
    objects = [:]
    numbers = [:]
    held = 0
  }
}

/// Closes a descriptor, if it is one.
func release(_ descriptor: Int32) {
  if descriptor >= 0 { _ = close(descriptor) }
}
