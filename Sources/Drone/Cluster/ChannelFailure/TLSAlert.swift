/// What TLS says when it refuses (AlertDescription, RFC 8446 §6).
public enum TLSAlert {
  public static let unexpectedMessage: UInt8 = 10
  public static let badRecordMAC: UInt8 = 20
  public static let handshakeFailure: UInt8 = 40
  public static let badCertificate: UInt8 = 42
  public static let unsupportedCertificate: UInt8 = 43
  public static let certificateExpired: UInt8 = 45
  public static let certificateUnknown: UInt8 = 46
  public static let unknownAuthority: UInt8 = 48
  public static let decryptError: UInt8 = 51
  public static let internalError: UInt8 = 80
  public static let certificateRequired: UInt8 = 116
}
