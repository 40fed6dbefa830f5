#pragma once
// OpenSSL as tyd and droneforge use it: Ed25519 keys, X.509 certificates and TLS 1.3 connections without sockets. None of
// OpenSSL's own types, macros or callbacks reaches Swift; only the modules `SecureChannel` and `ClusterCredential` call
// these. Bytes in, bytes out, results as numbers; nothing here blocks, exits or keeps a pointer that it was given.

#include <stddef.h>
#include <stdint.h>

/// Bytes of an Ed25519 private key (the seed of RFC 8032, §5.1.5) and of a public one.
enum { channel_key_length = 32 };
/// Bytes of a SHA-256 digest.
enum { channel_digest_length = 32 };
/// Bytes that any certificate of a cluster fits in.
enum { channel_largest_certificate = 1024 };
/// Bytes of a role or name in a certificate's subject.
enum { channel_longest_name = 64 };

/// Why a peer or a certificate was not accepted, or a connection ended. `SecureChannel.ClosedReason` says it in words.
enum channel_reason {
  channel_fine = 0,
  /// The peer ended the connection in order.
  channel_finished,
  /// The transport ended without TLS's own end.
  channel_cut_off,
  /// What came is no TLS.
  channel_no_tls,
  /// A version before TLS 1.3.
  channel_old_version,
  /// No application protocol in common (RFC 7301).
  channel_other_protocol,
  /// The peer has no certificate.
  channel_no_certificate,
  /// Under another authority.
  channel_wrong_authority,
  channel_expired,
  channel_not_yet_valid,
  /// Self-signed, where only a member may come.
  channel_not_member,
  /// Not an Ed25519 key, not a node's certificate, or not to be read.
  channel_bad_certificate,
  /// More bytes before the peer is known than a handshake has.
  channel_too_large,
  /// The peer takes longer than a handshake may last.
  channel_too_slow,
  /// The peer makes us answer and does not take the answers, renews keys without end, or is no member and sends more than its one
  /// request.
  channel_flooded,
  /// A record that does not decrypt, or a message that does not belong there.
  channel_damaged,
  /// The peer sent a fatal alert (RFC 8446, §6): `channel_alert` says which.
  channel_refused,
  /// This side ended the connection.
  channel_closed_here,
  /// No memory, or OpenSSL failed without the peer's doing.
  channel_internal,
};

// MARK: Keys

/// Fills `bytes` from OpenSSL's generator, which getrandom(2) seeds. 0, or -1 when it cannot.
int channel_random(uint8_t *bytes, size_t count);

/// A fresh private key. 0, or -1.
int channel_generate_key(uint8_t *key);

/// The public key of a private one. 0, or -1.
int channel_public_key(const uint8_t *key, uint8_t *public_key);

enum { channel_signature_length = 64 };

/// The Ed25519 signature (RFC 8032, §5.1.6) of a private key under a statement. 0, or -1.
int channel_sign(const uint8_t *key, const uint8_t *statement, size_t count, uint8_t *signature);

/// Whether a signature of `channel_signature_length` bytes under a statement is that of a public key's owner.
int channel_verify_signature(const uint8_t *public_key, const uint8_t *statement, size_t count, const uint8_t *signature);

/// SHA-256 (FIPS 180-4). 0, or -1.
int channel_sha256(const uint8_t *bytes, size_t count, uint8_t *digest);

// MARK: Certificates

/// What a certificate is to say.
struct channel_request {
  /// The key that it is for, and the private key that signs it.
  const uint8_t *public_key;
  const uint8_t *signer;
  /// The authority's certificate as DER; NULL for a self-signed one.
  const uint8_t *authority;
  size_t authority_length;
  /// The subject's OU and CN, with a zero byte at the end.
  const char *role;
  const char *name;
  /// Not 0: it may sign others.
  int is_authority;
  /// Seconds since 1970.
  int64_t not_before;
  int64_t not_after;
};

/// Makes a certificate with a random serial number. Gives its length in DER, or -1.
ptrdiff_t channel_make_certificate(const struct channel_request *request, uint8_t *der, size_t room);

/// What a certificate says.
struct channel_certificate {
  uint8_t public_key[channel_key_length];
  uint8_t serial[20];
  size_t serial_length;
  char role[channel_longest_name];
  size_t role_length;
  char name[channel_longest_name];
  size_t name_length;
  int is_authority;
  /// Signed by its own key; the signature is right.
  int is_self_signed;
  int64_t not_before;
  int64_t not_after;
};

/// Reads a certificate of an Ed25519 key: any bytes give 0 or -1.
int channel_read_certificate(const uint8_t *der, size_t length, struct channel_certificate *certificate);

/// Whether a node's certificate stands under the authority at `time` (seconds since 1970): `channel_fine`, or why not.
enum channel_reason channel_verify(
    const uint8_t *der, size_t length, const uint8_t *authority, size_t authority_length, int64_t time);

// MARK: Connections

/// Key, certificate and authority of this side, for any number of connections.
typedef struct channel_context channel_context;
typedef struct channel channel;

/// NULL when a certificate cannot be read, the key is not the certificate's, or there is no memory.
channel_context *channel_context_new(
    const uint8_t *key, const uint8_t *certificate, size_t certificate_length, const uint8_t *authority,
    size_t authority_length);
void channel_context_free(channel_context *context);

/// A connection before its first byte; `time` is what certificates are judged by. NULL without memory. It keeps the context
/// alive.
channel *channel_new(channel_context *context, int is_server, int accepts_unapproved, int64_t time);
void channel_free(channel *channel);

/// Gives the connection bytes from the transport. They must stay where they are until `channel_read` gave 0 or -1.
void channel_feed(channel *channel, const uint8_t *bytes, size_t count);

/// Goes on with the handshake or decrypts. Gives how many bytes it put into `buffer`; 0 when it needs more from the
/// transport; -1 when the connection has ended.
ptrdiff_t channel_read(channel *channel, uint8_t *buffer, size_t room);

/// Encrypts. 1 when all is in the output; 0 when the output has no room or the connection is not open; -1 when the
/// connection has ended.
int channel_write(channel *channel, const uint8_t *bytes, size_t count);

/// The transport has nothing more.
void channel_end(channel *channel);

/// Ends the connection from this side, with `channel_closed_here` or another reason.
void channel_close(channel *channel, enum channel_reason reason);

/// Bytes for the transport that were not taken yet; they stay valid until the next call for the channel.
size_t channel_output_length(const channel *channel);
const uint8_t *channel_output(const channel *channel);
void channel_output_taken(channel *channel);

int channel_is_open(const channel *channel);
enum channel_reason channel_why_closed(const channel *channel);
/// The alert behind `channel_refused`.
uint8_t channel_alert(const channel *channel);

/// The peer's certificate, once open: its length in DER, 0 if it does not fit.
size_t channel_peer(const channel *channel, uint8_t *der, size_t room);
/// Not 0: the peer is a member; else its certificate is self-signed.
int channel_peer_is_member(const channel *channel);

/// Keying material for another protocol (RFC 8446, §7.5), once open. 0, or -1.
int channel_export(
    channel *channel, const uint8_t *label, size_t label_length, const uint8_t *context, size_t context_length,
    uint8_t *material, size_t count);
