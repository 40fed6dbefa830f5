import SystemPackage

/// The project's folder: what holds Package.swift.
public let checkout: FilePath = {
  var folder = FilePath(#filePath)
  // TestSupport, Tests.
  for _ in 0..<3 { folder.removeLastComponent() }
  return folder
}()
