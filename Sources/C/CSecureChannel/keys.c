#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "openssl.h"

int channel_random(uint8_t *bytes, size_t count) {
  return count <= INT32_MAX && RAND_bytes(bytes, (int)count) == 1 ? 0 : -1;
}

int channel_generate_key(uint8_t *key) {
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, NULL);
  EVP_PKEY *pair = NULL;
  size_t length = channel_key_length;
  int made = context && EVP_PKEY_keygen_init(context) == 1 && EVP_PKEY_keygen(context, &pair) == 1 &&
             EVP_PKEY_get_raw_private_key(pair, key, &length) == 1 && length == channel_key_length;
  EVP_PKEY_free(pair);
  EVP_PKEY_CTX_free(context);
  return made ? 0 : -1;
}

EVP_PKEY *channel_private_key(const uint8_t *key) {
  return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, key, channel_key_length);
}

int channel_public_key(const uint8_t *key, uint8_t *public_key) {
  EVP_PKEY *pair = channel_private_key(key);
  size_t length = channel_key_length;
  int made =
      pair && EVP_PKEY_get_raw_public_key(pair, public_key, &length) == 1 && length == channel_key_length;
  EVP_PKEY_free(pair);
  return made ? 0 : -1;
}

int channel_sign(const uint8_t *key, const uint8_t *statement, size_t count, uint8_t *signature) {
  EVP_PKEY *pair = channel_private_key(key);
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  size_t length = channel_signature_length;
  int made = pair && context && EVP_DigestSignInit(context, NULL, NULL, NULL, pair) == 1 &&
             EVP_DigestSign(context, signature, &length, statement, count) == 1 && length == channel_signature_length;
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(pair);
  ERR_clear_error();
  return made ? 0 : -1;
}

int channel_verify_signature(const uint8_t *public_key, const uint8_t *statement, size_t count, const uint8_t *signature) {
  EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, channel_key_length);
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  int stands = key && context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
               EVP_DigestVerify(context, signature, channel_signature_length, statement, count) == 1;
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(key);
  ERR_clear_error();
  return stands;
}

int channel_sha256(const uint8_t *bytes, size_t count, uint8_t *digest) {
  return EVP_Digest(bytes, count, digest, NULL, EVP_sha256(), NULL) == 1 ? 0 : -1;
}
