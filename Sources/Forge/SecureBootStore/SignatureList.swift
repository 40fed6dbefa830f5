/// A list with one certificate, as firmware keeps it in its databases and takes it from a file (EFI_SIGNATURE_LIST;
/// UEFI 2.10, §32.4.1).
///
/// - Parameter certificate: in DER.
func signatureList(_ certificate: [UInt8]) -> [UInt8] {
  func little(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
  let entry = owner + certificate
  return x509Type
    + little(28 + entry.count)  // SignatureListSize: with these 28 bytes
    + little(0)  // SignatureHeaderSize
    + little(entry.count)  // SignatureSize
    + entry
}

/// EFI_CERT_X509_GUID, a5c059a1-94e4-4aa7-87b5-ab155c2bf072: the first three numbers have their lowest byte first.
private let x509Type: [UInt8] = [
  0xA1, 0x59, 0xC0, 0xA5, 0xE4, 0x94, 0xA7, 0x4A, 0x87, 0xB5, 0xAB, 0x15, 0x5C, 0x2B, 0xF0, 0x72,
]

/// Who put it there (SignatureOwner): 44524f4e-4546-4f52-8745-000000000002, this project.
private let owner: [UInt8] = [
  0x4E, 0x4F, 0x52, 0x44, 0x46, 0x45, 0x52, 0x4F, 0x87, 0x45, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02,
]
