#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <time.h>

#include "openssl.h"

static enum channel_reason reason_of(int error) {
  switch (error) {
    case X509_V_OK: return channel_fine;
    case X509_V_ERR_CERT_HAS_EXPIRED: return channel_expired;
    case X509_V_ERR_CERT_NOT_YET_VALID: return channel_not_yet_valid;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    case X509_V_ERR_CERT_CHAIN_TOO_LONG:
    case X509_V_ERR_AKID_SKID_MISMATCH:
    case X509_V_ERR_SUBJECT_ISSUER_MISMATCH: return channel_wrong_authority;
    case X509_V_ERR_OUT_OF_MEM: return channel_internal;
    default: return channel_bad_certificate;
  }
}

enum channel_reason channel_judge_member(
    X509 *certificate, X509 *authority, int64_t time, int purpose, int *error) {
  *error = X509_V_ERR_CERT_REJECTED;
  // Neither another kind of key nor an authority itself is a node.
  if (!channel_has_our_key(certificate) || (X509_get_extension_flags(certificate) & EXFLAG_CA))
    return channel_bad_certificate;
  X509_STORE *store = X509_STORE_new();
  X509_STORE_CTX *context = X509_STORE_CTX_new();
  *error = X509_V_ERR_OUT_OF_MEM;
  if (store && context && X509_STORE_add_cert(store, authority) == 1 &&
      X509_STORE_CTX_init(context, store, certificate, NULL) == 1) {
    X509_VERIFY_PARAM *parameters = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_time(parameters, (time_t)time);
    X509_VERIFY_PARAM_set_depth(parameters, 0);
    if (X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_X509_STRICT) == 1 &&
        X509_VERIFY_PARAM_set_purpose(parameters, purpose) == 1) {
      int verified = X509_verify_cert(context);
      *error = verified == 1 ? X509_V_OK : X509_STORE_CTX_get_error(context);
      if (verified != 1 && *error == X509_V_OK) *error = X509_V_ERR_UNSPECIFIED;
    }
  }
  X509_STORE_CTX_free(context);
  X509_STORE_free(store);
  return reason_of(*error);
}

enum channel_reason channel_judge_stranger(X509 *certificate, int *error) {
  *error = X509_V_ERR_CERT_REJECTED;
  if (!channel_has_our_key(certificate) || (X509_get_extension_flags(certificate) & EXFLAG_CA))
    return channel_bad_certificate;
  int self_signed = X509_self_signed(certificate, 1);
  if (self_signed == 1) {
    *error = X509_V_OK;
    return channel_fine;
  }
  *error = X509_V_ERR_CERT_SIGNATURE_FAILURE;
  return channel_bad_certificate;
}

enum channel_reason channel_verify(
    const uint8_t *der, size_t length, const uint8_t *authority, size_t authority_length, int64_t time) {
  X509 *certificate = channel_x509(der, length);
  X509 *issuer = channel_x509(authority, authority_length);
  int error;
  enum channel_reason reason =
      certificate && issuer ? channel_judge_member(certificate, issuer, time, X509_PURPOSE_SSL_CLIENT, &error)
                            : channel_bad_certificate;
  X509_free(certificate);
  X509_free(issuer);
  return reason;
}
