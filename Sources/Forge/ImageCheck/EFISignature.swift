import COpenSSL
import Workshop

/// One signature of an EFI program (Windows Authenticode Portable Executable Signature Format; PKCS #7, RFC 2315), decoded
/// by OpenSSL.
struct EFISignature: Equatable {
  struct Signer: Hashable {
    /// The common names of the certificate's subject and issuer.
    var subject: String
    var issuer: String
  }

  /// The digest that was signed.
  var digest: [UInt8]
  /// Whether that is SHA-256: firmware of today takes no other.
  var isSHA256: Bool
  var signers: [Signer]
  /// Whether the signers' certificates, which are in it, belong to keys that signed this digest.
  var isGenuine: Bool
  /// As it is in the file.
  var der: [UInt8]

  /// Reads what the table of certificates holds; the reason is a sentence's end.
  init(_ der: [UInt8]) throws(EFIProgramError) {
    defer { ERR_clear_error() }
    let read = SignedData.reading(der) { signed in EFISignature(signed, der) }
    guard case let signature?? = read else {
      throw EFIProgramError(reason: "it is no signature of a program (PKCS #7)")
    }
    self = signature
  }

  private init?(_ signed: SignedData, _ der: [UInt8]) {
    guard let content = signed.content, let (digest, isSHA256) = signedDigest(content) else { return nil }
    self.digest = digest
    self.isSHA256 = isSHA256
    self.der = der
    isGenuine = signed.isGenuine(content)
    signers = signed.signers.map {
      Signer(subject: commonName(X509_get_subject_name($0)), issuer: commonName(X509_get_issuer_name($0)))
    }
  }

  /// Whether every signer's certificate leads to one of these, whatever the time: as shim and firmware look at it.
  func leads(to authorities: [[UInt8]]) -> Bool {
    defer { ERR_clear_error() }
    return SignedData.reading(der) { signed in
      let signers = signed.signers
      return !signers.isEmpty && signers.allSatisfy { signed.verifies($0, under: authorities) }
    } ?? false
  }
}

extension EFIProgram {
  /// Every signature, and what is wrong with the table of certificates (PE Format, "The Attribute Certificate Table").
  func signatures(of bytes: some ByteSource, at place: String, _ findings: inout [Finding]) -> [EFISignature] {
    func wrong(_ reason: String) { findings.append(Finding(.signature, place, reason)) }
    var signatures: [EFISignature] = []
    var offset = certificates.lowerBound
    while offset < certificates.upperBound {
      guard let length = bytes.long(offset).map({ Int($0) }), length > 8, length <= certificates.upperBound - offset,
        let der = bytes.part(offset + 8, length - 8)
      else {
        wrong("its table of certificates breaks off")
        return signatures
      }
      // WIN_CERT_REVISION_2_0, WIN_CERT_TYPE_PKCS_SIGNED_DATA.
      if bytes.word(offset + 4) == 0x0200, bytes.word(offset + 6) == 2 {
        do throws(EFIProgramError) {
          signatures.append(try EFISignature([UInt8](der)))
        } catch {
          wrong("signature \(signatures.count + 1): \(error.reason)")
        }
      } else {
        wrong("a certificate in it is of an unknown kind")
      }
      offset += (length + 7) & ~7
    }
    return signatures
  }
}

/// Checks that each signature is of this program: its digest is the program's, and the signers' keys signed it.
func checkSignatures(_ signatures: [EFISignature], digest: SHA256?, at place: String) -> [Finding] {
  var findings: [Finding] = []
  for (number, signature) in signatures.enumerated() {
    func wrong(_ reason: String) {
      findings.append(Finding(.signature, place, "signature \(number + 1)\(signature.by) \(reason)"))
    }
    if !signature.isSHA256 {
      wrong("is of a digest that is not SHA-256")
    } else if signature.digest != digest?.bytes {
      wrong("does not fit: the program was changed after it was signed")
    }
    if !signature.isGenuine { wrong("was not made by the keys of its certificates") }
  }
  return findings
}

extension EFISignature {
  fileprivate var by: String { signers.isEmpty ? "" : " of " + signers.map(\.subject).joined(separator: ", ") }
}

// MARK: - OpenSSL

/// A PKCS #7 message of signed data; valid while the closure of `reading` runs.
private struct SignedData {
  let message: UnsafeMutablePointer<PKCS7>

  static func reading<Result>(_ der: [UInt8], _ body: (SignedData) -> Result) -> Result? {
    der.withUnsafeBufferPointer { buffer in
      var place = buffer.baseAddress
      guard let message = d2i_PKCS7(nil, &place, buffer.count) else { return nil }
      defer { PKCS7_free(message) }
      // What follows fills the table up to eight bytes.
      guard let place, let base = buffer.baseAddress, buffer.count - base.distance(to: place) < 8,
        OBJ_obj2nid(message.pointee.type) == NID_pkcs7_signed, message.pointee.d.sign != nil
      else { return nil }
      return body(SignedData(message: message))
    }
  }

  /// The DER of what was signed: an SpcIndirectDataContent.
  var content: [UInt8]? {
    guard let inner = message.pointee.d.sign.pointee.contents,
      objectName(inner.pointee.type) == "1.3.6.1.4.1.311.2.1.4",
      let other = inner.pointee.d.other
    else { return nil }
    return sequence(other)
  }

  /// Whether the keys of the certificates in it signed `content`.
  func isGenuine(_ content: [UInt8]) -> Bool {
    content.withUnsafeBufferPointer { buffer in
      // A signature covers the sequence without its tag and length.
      var place = buffer.baseAddress
      var (length, tag, kind): (Int, Int32, Int32) = (0, 0, 0)
      guard ASN1_get_object(&place, &length, &tag, &kind, buffer.count) & 0x80 == 0, let place,
        let bytes = BIO_new_mem_buf(place, Int32(clamping: length))
      else { return false }
      defer { BIO_free(bytes) }
      return PKCS7_verify(message, nil, nil, bytes, nil, PKCS7_NOVERIFY | PKCS7_BINARY) == 1
    }
  }

  /// Certificates of those who signed; empty when one is missing.
  var signers: [OpaquePointer] {
    guard let stack = PKCS7_get0_signers(message, nil, 0) else { return [] }
    defer { OPENSSL_sk_free(stack) }
    return (0..<OPENSSL_sk_num(stack)).compactMap { OPENSSL_sk_value(stack, $0).map { OpaquePointer($0) } }
  }

  func verifies(_ signer: OpaquePointer, under authorities: [[UInt8]]) -> Bool {
    guard let store = X509_STORE_new(), let context = X509_STORE_CTX_new() else { return false }
    defer {
      X509_STORE_CTX_free(context)
      X509_STORE_free(store)
    }
    for der in authorities {
      der.withUnsafeBufferPointer { buffer in
        var place = buffer.baseAddress
        guard let certificate = d2i_X509(nil, &place, buffer.count) else { return }
        X509_STORE_add_cert(store, certificate)
        X509_free(certificate)
      }
    }
    guard X509_STORE_CTX_init(context, store, signer, message.pointee.d.sign.pointee.cert) == 1 else { return false }
    // Firmware has no clock that it could trust, and an authority may be an intermediate one.
    X509_STORE_CTX_set_flags(context, UInt(X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME))
    return X509_verify_cert(context) == 1
  }
}

/// The digest in an SpcIndirectDataContent, a sequence of a description and a DigestInfo.
private func signedDigest(_ content: [UInt8]) -> (digest: [UInt8], isSHA256: Bool)? {
  guard let info = elements(content)?.dropFirst().first else { return nil }
  return info.withUnsafeBufferPointer { buffer in
    var place = buffer.baseAddress
    guard let read = d2i_X509_SIG(nil, &place, buffer.count) else { return nil }
    defer { X509_SIG_free(read) }
    var (algorithm, digest, object): (UnsafePointer<X509_ALGOR>?, UnsafePointer<ASN1_OCTET_STRING>?, OpaquePointer?)
    X509_SIG_get0(read, &algorithm, &digest)
    X509_ALGOR_get0(&object, nil, nil, algorithm)
    return (bytes(of: digest), OBJ_obj2nid(object) == NID_sha256)
  }
}

/// Each element's DER, of those that are sequences; nil when the bytes are no sequence.
private func elements(_ der: [UInt8]) -> [[UInt8]]? {
  der.withUnsafeBufferPointer { buffer in
    var place = buffer.baseAddress
    guard let stack = d2i_ASN1_SEQUENCE_ANY(nil, &place, buffer.count) else { return nil }
    defer { OPENSSL_sk_free(stack) }
    var all: [[UInt8]] = []
    while let element = OPENSSL_sk_shift(stack)?.assumingMemoryBound(to: ASN1_TYPE.self) {
      all.append(sequence(element) ?? [])
      ASN1_TYPE_free(element)
    }
    return all
  }
}

private func sequence(_ value: UnsafePointer<ASN1_TYPE>) -> [UInt8]? {
  value.pointee.type == V_ASN1_SEQUENCE ? bytes(of: value.pointee.value.sequence) : nil
}

private func bytes(of string: UnsafePointer<ASN1_STRING>?) -> [UInt8] {
  guard let string, let data = ASN1_STRING_get0_data(string) else { return [] }
  return [UInt8](UnsafeBufferPointer(start: data, count: Int(max(0, ASN1_STRING_length(string)))))
}

/// An object identifier in digits.
private func objectName(_ object: OpaquePointer?) -> String {
  var text = [CChar](repeating: 0, count: 80)
  guard object != nil, OBJ_obj2txt(&text, Int32(text.count), object, 1) > 0 else { return "" }
  return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

private func commonName(_ name: OpaquePointer?) -> String {
  var text = [CChar](repeating: 0, count: 256)
  guard X509_NAME_get_text_by_NID(name, NID_commonName, &text, Int32(text.count)) > 0 else { return "an unnamed one" }
  return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
