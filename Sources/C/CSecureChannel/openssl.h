#pragma once
// What the files of this module share and nobody else sees.

#include <openssl/ssl.h>

#include "CSecureChannel.h"

/// A private key as OpenSSL's; NULL when there is no memory. Freed by EVP_PKEY_free.
EVP_PKEY *channel_private_key(const uint8_t *key);

/// Reads a certificate that fills all the bytes; NULL otherwise. Freed by X509_free.
X509 *channel_x509(const uint8_t *der, size_t length);

/// Whether the certificate's key is of the one kind that is used: Ed25519.
int channel_has_our_key(X509 *certificate);

/// Whether a certificate makes its holder a member: it is a node's, under the authority, and valid at `time`.
/// `error`: OpenSSL's X509_V_… number, by which TLS chooses the alert.
enum channel_reason channel_judge_member(
    X509 *certificate, X509 *authority, int64_t time, int purpose, int *error);

/// Whether a certificate is a stranger's own: self-signed, of an Ed25519 key, not an authority's. Its dates do not matter.
enum channel_reason channel_judge_stranger(X509 *certificate, int *error);
