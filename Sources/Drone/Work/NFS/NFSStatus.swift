/// Why a call failed (nfsstat3, RFC 1813 §2.6).
public enum NFSStatus: UInt32, Error, CaseIterable, Sendable {
  case notOwner = 1
  case missing = 2
  case input = 5
  case noDevice = 6
  case access = 13
  case exists = 17
  case otherFileSystem = 18
  case unknownDevice = 19
  case notFolder = 20
  case isFolder = 21
  case invalid = 22
  case tooLarge = 27
  case noSpace = 28
  case readOnly = 30
  case tooManyLinks = 31
  case nameTooLong = 63
  case notEmpty = 66
  case quota = 69
  case stale = 70
  case badHandle = 10001
  case notSynchronized = 10002
  case badCookie = 10003
  case notSupported = 10004
  case tooSmall = 10005
  case fault = 10006
  case badType = 10007
  case later = 10008
}

/// Why a mount failed (mountstat3, RFC 1813 §5.1.5).
public enum MountStatus: UInt32, Error, CaseIterable, Sendable {
  case notOwner = 1
  case missing = 2
  case input = 5
  case access = 13
  case notFolder = 20
  case invalid = 22
  case nameTooLong = 63
  case notSupported = 10004
  case fault = 10006
}
