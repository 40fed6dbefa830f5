import COpenSSL
import Workshop

/// A key that programs for UEFI are signed by, with its certificate: RSA of 2048 bits, which all firmware takes, and a
/// certificate that the key signed itself.
public struct SecureBootCredential: Sendable, Equatable {
  /// In PEM.
  public let key: [UInt8]
  public let certificate: [UInt8]
  /// The certificate in DER.
  public let der: [UInt8]

  /// A fresh one. `years` of 365 days; firmware does not look at dates.
  public init(newFor name: SecureBootName, years: Int) throws {
    defer { ERR_clear_error() }
    guard let key = generated(), let certificate = selfSigned(name.text, by: key, days: 365 * years) else {
      throw BuildError.input("OpenSSL makes no key for \(name): \(openSSLReason()).")
    }
    defer {
      EVP_PKEY_free(key)
      X509_free(certificate)
    }
    self.key = text { PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) }
    self.certificate = text { PEM_write_bio_X509($0, certificate) }
    der = text { i2d_X509_bio($0, certificate) }
  }

  /// Reads both from PEM. Throws a sentence when one is none, when they do not belong together, or when firmware would not
  /// take the key.
  ///
  /// - Parameter places: what is read, for sentences: the key's file, then the certificate's.
  public init(key: [UInt8], certificate: [UInt8], from places: (String, String)) throws {
    defer { ERR_clear_error() }
    guard let read = reading(key, { PEM_read_bio_PrivateKey($0, nil, refusePassphrase, nil) }) else {
      throw BuildError.input("\(places.0) holds no private key in PEM without a passphrase.")
    }
    defer { EVP_PKEY_free(read) }
    guard let readCertificate = reading(certificate, { PEM_read_bio_X509($0, nil, nil, nil) }) else {
      throw BuildError.input("\(places.1) holds no certificate in PEM.")
    }
    defer { X509_free(readCertificate) }
    guard EVP_PKEY_get_base_id(read) == EVP_PKEY_RSA, EVP_PKEY_get_bits(read) >= 2048 else {
      throw BuildError.input("\(places.0) is no RSA key of 2048 bits or more, and firmware takes no other.")
    }
    guard X509_check_private_key(readCertificate, read) == 1 else {
      throw BuildError.input("The key in \(places.0) does not belong to the certificate in \(places.1).")
    }
    (self.key, self.certificate) = (key, certificate)
    der = text { i2d_X509_bio($0, readCertificate) }
  }

  /// The certificate's digest, as firmware and mokutil(1) show it.
  public var fingerprint: SHA256 { SHA256(der) }
}

private func openSSLReason() -> String {
  var text = [CChar](repeating: 0, count: 256)
  ERR_error_string_n(ERR_get_error(), &text, text.count)
  return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// A key with a passphrase is not asked for one.
private let refusePassphrase:
  @convention(c) (UnsafeMutablePointer<CChar>?, Int32, Int32, UnsafeMutableRawPointer?) -> Int32 =
    { _, _, _, _ in -1 }

private func generated() -> OpaquePointer? {
  guard let context = EVP_PKEY_CTX_new_from_name(nil, "RSA", nil) else { return nil }
  defer { EVP_PKEY_CTX_free(context) }
  var key: OpaquePointer?
  guard EVP_PKEY_keygen_init(context) == 1, EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048) == 1,
    EVP_PKEY_generate(context, &key) == 1
  else { return nil }
  return key
}

private func selfSigned(_ name: String, by key: OpaquePointer, days: Int) -> OpaquePointer? {
  guard let certificate = X509_new() else { return nil }
  var serial: UInt64 = 0
  let filled = withUnsafeMutableBytes(of: &serial) { bytes in
    RAND_bytes(bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), Int32(bytes.count))
  }
  let subject = X509_get_subject_name(certificate)
  let isMade =
    filled == 1 && X509_set_version(certificate, 2) == 1
    // Positive, and never zero.
    && ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1 | 1) == 1
    && X509_gmtime_adj(X509_getm_notBefore(certificate), 0) != nil
    && X509_gmtime_adj(X509_getm_notAfter(certificate), 86_400 * days) != nil
    && X509_set_pubkey(certificate, key) == 1
    && X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, "droneforge Secure Boot \(name)", -1, -1, 0) == 1
    && X509_set_issuer_name(certificate, subject) == 1
    && add(NID_basic_constraints, "critical,CA:TRUE", to: certificate)
    && add(NID_key_usage, "digitalSignature,keyCertSign", to: certificate)
    && X509_sign(certificate, key, EVP_sha256()) > 0
  guard isMade else {
    X509_free(certificate)
    return nil
  }
  return certificate
}

private func add(_ kind: Int32, _ value: String, to certificate: OpaquePointer) -> Bool {
  guard let extra = X509V3_EXT_conf_nid(nil, nil, kind, value) else { return false }
  defer { X509_EXTENSION_free(extra) }
  return X509_add_ext(certificate, extra, -1) == 1
}

/// What OpenSSL writes; empty when it writes nothing.
private func text(_ write: (OpaquePointer) -> Int32) -> [UInt8] {
  guard let memory = BIO_new(BIO_s_mem()) else { return [] }
  defer { BIO_free(memory) }
  guard write(memory) == 1 else { return [] }
  let count = BIO_ctrl_pending(memory)
  return [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
    filled = Int(max(0, BIO_read(memory, buffer.baseAddress, Int32(clamping: count))))
  }
}

private func reading(_ bytes: [UInt8], _ read: (OpaquePointer) -> OpaquePointer?) -> OpaquePointer? {
  bytes.withUnsafeBytes { buffer in
    guard let memory = BIO_new_mem_buf(buffer.baseAddress, Int32(clamping: buffer.count)) else { return nil }
    defer { BIO_free(memory) }
    return read(memory)
  }
}
