#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#include "openssl.h"

// MARK: Making

static int add_basic_constraints(X509 *certificate, int is_authority) {
  BASIC_CONSTRAINTS *constraints = BASIC_CONSTRAINTS_new();
  if (!constraints) return 0;
  // RFC 5280, §4.2.1.9. An authority signs nodes and no other authorities.
  constraints->ca = is_authority ? 0xFF : 0;
  if (is_authority) constraints->pathlen = ASN1_INTEGER_new();
  int done = (!is_authority || (constraints->pathlen && ASN1_INTEGER_set(constraints->pathlen, 0))) &&
             X509_add1_ext_i2d(certificate, NID_basic_constraints, constraints, 1, X509V3_ADD_DEFAULT) == 1;
  BASIC_CONSTRAINTS_free(constraints);
  return done;
}

static int add_key_usage(X509 *certificate, int is_authority) {
  // RFC 5280, §4.2.1.3: bit 0 digitalSignature, bit 5 keyCertSign.
  ASN1_BIT_STRING *usage = ASN1_BIT_STRING_new();
  int done = usage && ASN1_BIT_STRING_set_bit(usage, is_authority ? 5 : 0, 1) &&
             X509_add1_ext_i2d(certificate, NID_key_usage, usage, 1, X509V3_ADD_DEFAULT) == 1;
  ASN1_BIT_STRING_free(usage);
  return done;
}

static int add_purposes(X509 *certificate) {
  // RFC 5280, §4.2.1.12: a node calls and is called.
  EXTENDED_KEY_USAGE *purposes = EXTENDED_KEY_USAGE_new();
  int done = purposes && sk_ASN1_OBJECT_push(purposes, OBJ_nid2obj(NID_server_auth)) > 0 &&
             sk_ASN1_OBJECT_push(purposes, OBJ_nid2obj(NID_client_auth)) > 0 &&
             X509_add1_ext_i2d(certificate, NID_ext_key_usage, purposes, 0, X509V3_ADD_DEFAULT) == 1;
  EXTENDED_KEY_USAGE_free(purposes);
  return done;
}

/// RFC 5280, §4.2.1.2, method 2's length with SHA-256: the first 20 bytes of the digest of the public key.
static int key_identifier(const uint8_t *public_key, ASN1_OCTET_STRING *identifier) {
  uint8_t digest[channel_digest_length];
  return channel_sha256(public_key, channel_key_length, digest) == 0 &&
         ASN1_OCTET_STRING_set(identifier, digest, 20) == 1;
}

static int add_key_identifiers(X509 *certificate, const uint8_t *public_key, const uint8_t *issuer_key) {
  ASN1_OCTET_STRING *own = ASN1_OCTET_STRING_new();
  AUTHORITY_KEYID *issuer = AUTHORITY_KEYID_new();
  if (issuer) issuer->keyid = ASN1_OCTET_STRING_new();
  int done = own && issuer && issuer->keyid && key_identifier(public_key, own) &&
             key_identifier(issuer_key, issuer->keyid) &&
             X509_add1_ext_i2d(certificate, NID_subject_key_identifier, own, 0, X509V3_ADD_DEFAULT) == 1 &&
             X509_add1_ext_i2d(certificate, NID_authority_key_identifier, issuer, 0, X509V3_ADD_DEFAULT) == 1;
  ASN1_OCTET_STRING_free(own);
  AUTHORITY_KEYID_free(issuer);
  return done;
}

static int set_serial(X509 *certificate) {
  // RFC 5280, §4.1.2.2: positive, at most 20 bytes; here 127 random bits and one that keeps the length.
  uint8_t bytes[16];
  if (RAND_bytes(bytes, sizeof bytes) != 1) return 0;
  bytes[0] = (bytes[0] & 0x7F) | 0x40;
  BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
  int done = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
  BN_free(number);
  return done;
}

static int add_name(X509_NAME *name, int field, const char *text) {
  return X509_NAME_add_entry_by_NID(name, field, MBSTRING_UTF8, (const unsigned char *)text, -1, -1, 0);
}

static int fill(X509 *certificate, const struct channel_request *request, X509 *authority, EVP_PKEY *signer) {
  EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, request->public_key, channel_key_length);
  X509_NAME *subject = X509_NAME_new();
  uint8_t issuer_key[channel_key_length];
  size_t length = sizeof issuer_key;
  int done = key && subject && add_name(subject, NID_organizationName, "droneforge") &&
             add_name(subject, NID_organizationalUnitName, request->role) &&
             add_name(subject, NID_commonName, request->name) && X509_set_version(certificate, X509_VERSION_3) &&
             set_serial(certificate) && X509_set_subject_name(certificate, subject) &&
             X509_set_issuer_name(certificate, authority ? X509_get_subject_name(authority) : subject) &&
             ASN1_TIME_set(X509_getm_notBefore(certificate), (time_t)request->not_before) &&
             ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)request->not_after) &&
             X509_set_pubkey(certificate, key) &&
             EVP_PKEY_get_raw_public_key(signer, issuer_key, &length) == 1 &&
             add_basic_constraints(certificate, request->is_authority) &&
             add_key_usage(certificate, request->is_authority) &&
             (request->is_authority || add_purposes(certificate)) &&
             add_key_identifiers(certificate, request->public_key, issuer_key) &&
             X509_sign(certificate, signer, NULL) > 0;
  X509_NAME_free(subject);
  EVP_PKEY_free(key);
  return done;
}

ptrdiff_t channel_make_certificate(const struct channel_request *request, uint8_t *der, size_t room) {
  X509 *authority = NULL;
  if (request->authority) {
    authority = channel_x509(request->authority, request->authority_length);
    if (!authority) return -1;
  }
  X509 *certificate = X509_new();
  EVP_PKEY *signer = channel_private_key(request->signer);
  ptrdiff_t length = -1;
  // A signer that is not the authority would make a certificate that nobody accepts.
  if (certificate && signer && (!authority || X509_check_private_key(authority, signer) == 1) &&
      fill(certificate, request, authority, signer)) {
    int needed = i2d_X509(certificate, NULL);
    if (needed > 0 && (size_t)needed <= room) length = i2d_X509(certificate, &der);
  }
  EVP_PKEY_free(signer);
  X509_free(certificate);
  X509_free(authority);
  return length;
}

// MARK: Reading

X509 *channel_x509(const uint8_t *der, size_t length) {
  if (!der || length > channel_largest_certificate) return NULL;
  const uint8_t *end = der;
  X509 *certificate = d2i_X509(NULL, &end, (long)length);
  if (certificate && end != der + length) {
    X509_free(certificate);
    return NULL;
  }
  return certificate;
}

int channel_has_our_key(X509 *certificate) {
  EVP_PKEY *key = X509_get0_pubkey(certificate);
  return key && EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519;
}

static int seconds(const ASN1_TIME *time, int64_t *out) {
  struct tm fields;
  if (ASN1_TIME_to_tm(time, &fields) != 1) return 0;
  // Days since 1970 of a proleptic Gregorian date, with years that begin in March.
  int64_t year = fields.tm_year + 1900 - (fields.tm_mon < 2);
  int64_t era = (year >= 0 ? year : year - 399) / 400;
  int64_t of_era = year - era * 400;
  int64_t of_year = (153 * (fields.tm_mon + (fields.tm_mon < 2 ? 10 : -2)) + 2) / 5 + fields.tm_mday - 1;
  int64_t days = era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
  *out = days * 86400 + fields.tm_hour * 3600 + fields.tm_min * 60 + fields.tm_sec;
  return 1;
}

/// Copies a field of the subject that is there once; 0 bytes otherwise.
static size_t subject_field(X509 *certificate, int field, char *text) {
  const X509_NAME *subject = X509_get_subject_name(certificate);
  int place = X509_NAME_get_index_by_NID(subject, field, -1);
  if (place < 0 || X509_NAME_get_index_by_NID(subject, field, place) >= 0) return 0;
  const ASN1_STRING *value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, place));
  int length = value ? ASN1_STRING_length(value) : 0;
  if (length <= 0 || length > channel_longest_name) return 0;
  memcpy(text, ASN1_STRING_get0_data(value), (size_t)length);
  return (size_t)length;
}

int channel_read_certificate(const uint8_t *der, size_t length, struct channel_certificate *certificate) {
  memset(certificate, 0, sizeof *certificate);
  X509 *x509 = channel_x509(der, length);
  if (!x509) return -1;
  size_t key_length = channel_key_length;
  const ASN1_INTEGER *serial = X509_get0_serialNumber(x509);
  int serial_length = ASN1_STRING_length(serial);
  int good = channel_has_our_key(x509) &&
             EVP_PKEY_get_raw_public_key(X509_get0_pubkey(x509), certificate->public_key, &key_length) == 1 &&
             serial_length > 0 && (size_t)serial_length <= sizeof certificate->serial &&
             seconds(X509_get0_notBefore(x509), &certificate->not_before) &&
             seconds(X509_get0_notAfter(x509), &certificate->not_after);
  if (good) {
    memcpy(certificate->serial, ASN1_STRING_get0_data(serial), (size_t)serial_length);
    certificate->serial_length = (size_t)serial_length;
    certificate->role_length = subject_field(x509, NID_organizationalUnitName, certificate->role);
    certificate->name_length = subject_field(x509, NID_commonName, certificate->name);
    certificate->is_authority = (X509_get_extension_flags(x509) & EXFLAG_CA) != 0;
    certificate->is_self_signed = X509_self_signed(x509, 1) == 1;
  }
  X509_free(x509);
  return good ? 0 : -1;
}
