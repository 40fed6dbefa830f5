#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "openssl.h"

/// Bytes that may come before the peer is known. A peer of ours needs some 1,200.
enum { largest_handshake = 8192 };
/// Bytes of a whole connection with a peer that is no member: its handshake and its one request.
enum { largest_strange_input = 16384 };
/// Messages of the handshake that may come after it: new keys (RFC 8446, §4.6.3), tickets. Each costs this side a multiple of what
/// it costs the peer, OpenSSL sets no bound, and our peers send none.
enum { most_late_messages = 4 };
/// Bytes for the transport that may wait; a node map of 1,000 nodes fits.
enum { largest_output = 512 << 10 };
/// What a record adds to at most 16 KiB (RFC 8446, §5.2), rounded up.
enum { record_overhead = 64, record_content = 16384 };

/// The application protocol (RFC 7301), with its length before it.
static const uint8_t protocol[] = "\x0c" "droneforge/1";
enum { protocol_length = sizeof protocol - 1 };

struct channel_context {
  SSL_CTX *tls;
  BIO_METHOD *transport;
  X509 *authority;
  /// Connections that use it, and its owner.
  size_t users;
};

struct channel {
  channel_context *context;
  SSL *tls;
  int64_t time;
  int is_server;
  int accepts_unapproved;
  int is_open;
  int is_member;
  enum channel_reason reason;
  /// What was wrong with the peer's certificate.
  enum channel_reason judgement;
  uint8_t alert;
  /// Bytes from the transport, lent for the time of a call.
  const uint8_t *input;
  size_t input_length;
  size_t input_total;
  int late_messages;
  uint8_t *output;
  size_t output_length;
  size_t output_room;
};

// MARK: The transport, as OpenSSL sees it

static int transport_read(BIO *bio, char *buffer, int room) {
  channel *self = BIO_get_data(bio);
  BIO_clear_retry_flags(bio);
  size_t count = self->input_length < (size_t)room ? self->input_length : (size_t)room;
  if (count == 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  if (self->reason != channel_fine) return -1;
  if (!self->is_open || !self->is_member) {
    self->input_total += count;
    if (self->input_total > (self->is_open ? largest_strange_input : largest_handshake)) {
      self->reason = self->is_open ? channel_flooded : channel_too_large;
      return -1;
    }
  }
  memcpy(buffer, self->input, count);
  self->input += count;
  self->input_length -= count;
  return (int)count;
}

static int transport_write(BIO *bio, const char *bytes, int count) {
  channel *self = BIO_get_data(bio);
  BIO_clear_retry_flags(bio);
  size_t needed = self->output_length + (size_t)count;
  if (needed > largest_output) {
    self->reason = channel_flooded;
    return -1;
  }
  if (needed > self->output_room) {
    size_t room = needed < 2048 ? 2048 : needed;
    uint8_t *grown = realloc(self->output, room);
    if (!grown) {
      self->reason = channel_internal;
      return -1;
    }
    self->output = grown;
    self->output_room = room;
  }
  memcpy(self->output + self->output_length, bytes, (size_t)count);
  self->output_length = needed;
  return count;
}

static long transport_control(BIO *bio, int command, long number, void *pointer) {
  (void)bio, (void)number, (void)pointer;
  return command == BIO_CTRL_FLUSH;
}

// MARK: What TLS asks

static int judge_peer(X509_STORE_CTX *store, void *unused) {
  (void)unused;
  SSL *tls = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
  channel *self = SSL_get_app_data(tls);
  X509 *certificate = X509_STORE_CTX_get0_cert(store);
  int error = X509_V_ERR_CERT_REJECTED;
  if (X509_self_signed(certificate, 0) != 1) {
    int purpose = self->is_server ? X509_PURPOSE_SSL_CLIENT : X509_PURPOSE_SSL_SERVER;
    self->judgement = channel_judge_member(certificate, self->context->authority, self->time, purpose, &error);
    self->is_member = self->judgement == channel_fine;
  } else if (self->accepts_unapproved) {
    self->judgement = channel_judge_stranger(certificate, &error);
  } else {
    self->judgement = channel_not_member;
    error = X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT;
  }
  X509_STORE_CTX_set_error(store, error);
  return self->judgement == channel_fine;
}

static int choose_protocol(
    SSL *tls, const unsigned char **chosen, unsigned char *length, const unsigned char *offered,
    unsigned int offered_length, void *unused) {
  (void)tls, (void)unused;
  unsigned char *found;
  if (SSL_select_next_proto(&found, length, protocol, protocol_length, offered, offered_length) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

/// A client that offers no protocol at all is turned away before it is shown anything.
static int look_at_hello(SSL *tls, int *alert, void *unused) {
  (void)unused;
  const unsigned char *extension;
  size_t length;
  if (SSL_client_hello_get0_ext(tls, TLSEXT_TYPE_supported_versions, &extension, &length) == 1 &&
      SSL_client_hello_get0_ext(
          tls, TLSEXT_TYPE_application_layer_protocol_negotiation, &extension, &length) != 1) {
    channel *self = SSL_get_app_data(tls);
    self->judgement = channel_other_protocol;
    *alert = SSL_AD_NO_APPLICATION_PROTOCOL;
    return SSL_CLIENT_HELLO_ERROR;
  }
  return SSL_CLIENT_HELLO_SUCCESS;
}

/// Sees every message of TLS itself as it comes and goes.
static void count_message(
    int is_sent, int version, int content, const void *bytes, size_t count, SSL *tls, void *unused) {
  (void)version, (void)bytes, (void)count, (void)unused;
  channel *self = SSL_get_app_data(tls);
  if (is_sent || content != SSL3_RT_HANDSHAKE || !self->is_open) return;
  if (++self->late_messages > most_late_messages && self->reason == channel_fine) self->reason = channel_flooded;
}

// MARK: Contexts

static int set_up(SSL_CTX *tls, EVP_PKEY *key, X509 *certificate) {
  SSL_CTX_set_options(
      tls, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_clear_options(tls, SSL_OP_ENABLE_MIDDLEBOX_COMPAT);
  SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_max_cert_list(tls, 2 * channel_largest_certificate);
  SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
  SSL_CTX_set_cert_verify_callback(tls, judge_peer, NULL);
  SSL_CTX_set_alpn_select_cb(tls, choose_protocol, NULL);
  SSL_CTX_set_client_hello_cb(tls, look_at_hello, NULL);
  SSL_CTX_set_msg_callback(tls, count_message);
  return SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION) && SSL_CTX_set_max_proto_version(tls, TLS1_3_VERSION) &&
         SSL_CTX_set_num_tickets(tls, 0) &&
         // Without AES in hardware ChaCha20 is the faster one.
         SSL_CTX_set_ciphersuites(tls, "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256") &&
         SSL_CTX_set1_groups_list(tls, "X25519") && SSL_CTX_set1_sigalgs_list(tls, "ed25519") &&
         SSL_CTX_set1_client_sigalgs_list(tls, "ed25519") &&
         SSL_CTX_set_alpn_protos(tls, protocol, protocol_length) == 0 &&
         SSL_CTX_use_certificate(tls, certificate) == 1 && SSL_CTX_use_PrivateKey(tls, key) == 1 &&
         SSL_CTX_check_private_key(tls) == 1;
}

channel_context *channel_context_new(
    const uint8_t *key, const uint8_t *certificate, size_t certificate_length, const uint8_t *authority,
    size_t authority_length) {
  // What a computer's own configuration of OpenSSL says is not for us.
  OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
  channel_context *context = calloc(1, sizeof *context);
  EVP_PKEY *private_key = channel_private_key(key);
  X509 *own = channel_x509(certificate, certificate_length);
  if (context) {
    context->users = 1;
    context->authority = channel_x509(authority, authority_length);
    context->tls = SSL_CTX_new(TLS_method());
    context->transport = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "droneforge");
  }
  int good = context && private_key && own && context->authority && context->tls && context->transport &&
             BIO_meth_set_read(context->transport, transport_read) &&
             BIO_meth_set_write(context->transport, transport_write) &&
             BIO_meth_set_ctrl(context->transport, transport_control) && set_up(context->tls, private_key, own);
  EVP_PKEY_free(private_key);
  X509_free(own);
  ERR_clear_error();
  if (good) return context;
  channel_context_free(context);
  return NULL;
}

void channel_context_free(channel_context *context) {
  if (!context || --context->users > 0) return;
  SSL_CTX_free(context->tls);
  BIO_meth_free(context->transport);
  X509_free(context->authority);
  free(context);
}

// MARK: Connections

channel *channel_new(channel_context *context, int is_server, int accepts_unapproved, int64_t time) {
  channel *self = calloc(1, sizeof *self);
  if (!self) return NULL;
  self->context = context;
  context->users++;
  self->is_server = is_server;
  self->accepts_unapproved = accepts_unapproved;
  self->time = time;
  BIO *bio = BIO_new(context->transport);
  self->tls = bio ? SSL_new(context->tls) : NULL;
  if (!self->tls) {
    BIO_free(bio);
    channel_free(self);
    return NULL;
  }
  BIO_set_data(bio, self);
  BIO_set_init(bio, 1);
  SSL_set_bio(self->tls, bio, bio);
  SSL_set_app_data(self->tls, self);
  if (is_server)
    SSL_set_accept_state(self->tls);
  else
    SSL_set_connect_state(self->tls);
  return self;
}

void channel_free(channel *self) {
  if (!self) return;
  SSL_free(self->tls);
  free(self->output);
  channel_context_free(self->context);
  free(self);
}

/// What OpenSSL's first error of a failed call says about the peer.
static enum channel_reason reason_of_failure(channel *self) {
  unsigned long error = ERR_peek_error();
  int reason = ERR_GET_REASON(error);
  if (ERR_GET_LIB(error) == ERR_LIB_SSL && !ERR_SYSTEM_ERROR(error)) {
    if (reason > SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256) {
      self->alert = (uint8_t)(reason - SSL_AD_REASON_OFFSET);
      if (self->alert == SSL_AD_PROTOCOL_VERSION) return channel_old_version;
      if (self->alert == SSL_AD_NO_APPLICATION_PROTOCOL) return channel_other_protocol;
      return channel_refused;
    }
    switch (reason) {
      case SSL_R_UNSUPPORTED_PROTOCOL:
      case SSL_R_VERSION_TOO_LOW:
      case SSL_R_WRONG_SSL_VERSION:
      case SSL_R_UNSUPPORTED_SSL_VERSION: return channel_old_version;
      case SSL_R_HTTP_REQUEST:
      case SSL_R_HTTPS_PROXY_REQUEST:
      case SSL_R_WRONG_VERSION_NUMBER:
      case SSL_R_RECORD_TOO_SMALL: return channel_no_tls;
      case SSL_R_NO_APPLICATION_PROTOCOL: return channel_other_protocol;
      case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: return channel_no_certificate;
      case SSL_R_EXCESSIVE_MESSAGE_SIZE: return channel_too_large;
      case SSL_R_UNKNOWN_CERTIFICATE_TYPE:
      case SSL_R_WRONG_SIGNATURE_TYPE: return channel_bad_certificate;
      default: return channel_damaged;
    }
  }
  if (reason == ERR_R_MALLOC_FAILURE) return channel_internal;
  return channel_damaged;
}

/// Notes why a call of OpenSSL failed; true while it only waits for the transport.
static int is_waiting(channel *self, int result) {
  int error = SSL_get_error(self->tls, result);
  if (self->reason != channel_fine) {
    // Said already by the transport.
  } else if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
    return 1;
  } else if (error == SSL_ERROR_ZERO_RETURN) {
    self->reason = channel_finished;
    SSL_shutdown(self->tls);
  } else if (self->judgement != channel_fine) {
    self->reason = self->judgement;
  } else {
    self->reason = reason_of_failure(self);
  }
  ERR_clear_error();
  return 0;
}

static int has_our_protocol(channel *self) {
  const unsigned char *chosen;
  unsigned int length;
  SSL_get0_alpn_selected(self->tls, &chosen, &length);
  return length == protocol_length - 1 && memcmp(chosen, protocol + 1, length) == 0;
}

void channel_feed(channel *self, const uint8_t *bytes, size_t count) {
  self->input = bytes;
  self->input_length = count;
}

/// True when the connection is open.
static int go_on_with_handshake(channel *self) {
  if (self->is_open) return 1;
  ERR_clear_error();
  int result = SSL_do_handshake(self->tls);
  if (result != 1) {
    is_waiting(self, result);
    return 0;
  }
  if (!has_our_protocol(self)) {
    self->reason = channel_other_protocol;
    return 0;
  }
  self->is_open = 1;
  return 1;
}

ptrdiff_t channel_read(channel *self, uint8_t *buffer, size_t room) {
  size_t count = 0;
  if (self->reason == channel_fine && go_on_with_handshake(self)) {
    ERR_clear_error();
    int result = SSL_read_ex(self->tls, buffer, room, &count);
    if (result == 1) return (ptrdiff_t)count;
    is_waiting(self, result);
  }
  // Nothing lent outlives the call.
  self->input = NULL;
  self->input_length = 0;
  return self->reason == channel_fine ? 0 : -1;
}

int channel_write(channel *self, const uint8_t *bytes, size_t count) {
  if (self->reason != channel_fine) return -1;
  if (!self->is_open || count > largest_output) return 0;
  size_t records = count / record_content + 1;
  if (self->output_length + count + records * record_overhead > largest_output) return 0;
  if (count == 0) return 1;
  ERR_clear_error();
  size_t written = 0;
  int result = SSL_write_ex(self->tls, bytes, count, &written);
  if (result == 1) return 1;
  if (is_waiting(self, result)) self->reason = channel_internal;
  return -1;
}

void channel_end(channel *self) {
  if (self->reason == channel_fine) self->reason = channel_cut_off;
}

void channel_close(channel *self, enum channel_reason reason) {
  if (self->reason != channel_fine) return;
  if (self->is_open) SSL_shutdown(self->tls);
  ERR_clear_error();
  self->reason = reason;
}

size_t channel_output_length(const channel *self) { return self->output_length; }
const uint8_t *channel_output(const channel *self) { return self->output; }

void channel_output_taken(channel *self) {
  free(self->output);
  self->output = NULL;
  self->output_length = 0;
  self->output_room = 0;
}

int channel_is_open(const channel *self) { return self->is_open && self->reason == channel_fine; }
enum channel_reason channel_why_closed(const channel *self) { return self->reason; }
uint8_t channel_alert(const channel *self) { return self->alert; }
int channel_peer_is_member(const channel *self) { return self->is_member; }

size_t channel_peer(const channel *self, uint8_t *der, size_t room) {
  X509 *certificate = self->is_open ? SSL_get0_peer_certificate(self->tls) : NULL;
  if (!certificate) return 0;
  int length = i2d_X509(certificate, NULL);
  if (length <= 0 || (size_t)length > room) return 0;
  return (size_t)i2d_X509(certificate, &der);
}

int channel_export(
    channel *self, const uint8_t *label, size_t label_length, const uint8_t *context, size_t context_length,
    uint8_t *material, size_t count) {
  if (!channel_is_open(self)) return -1;
  return SSL_export_keying_material(
             self->tls, material, count, (const char *)label, label_length, context, context_length, 1) == 1
             ? 0
             : -1;
}
