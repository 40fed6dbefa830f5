#pragma once
// Sockets of IPv4 and between processes. Addresses and ports are in host order; descriptors are close-on-exec and
// non-blocking. All give -1 with errno.

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// An IPv4 address and a port.
struct linux_endpoint {
  uint32_t address;
  uint16_t port;
};

/// A TCP or a UDP socket that may be bound to a port whose last user's connections still end.
int linux_stream_socket(void);
int linux_datagram_socket(void);

/// Sets a socket's own IPsec policy, of one direction (IP_XFRM_POLICY).
int linux_set_transform_policy(int socket, const void *policy, size_t count);

int linux_bind_endpoint(int socket, struct linux_endpoint endpoint);
int linux_listen(int socket, int backlog);
/// Begins a connection: 0 if it stands or will, see linux_socket_error.
int linux_connect_endpoint(int socket, struct linux_endpoint endpoint);
/// A connection that somebody made to a listening socket, of any family.
int linux_accept(int listener);
/// What went wrong since the last time: an error number, 0 if nothing.
int linux_socket_error(int socket);
/// The other end and this one.
int linux_peer(int socket, struct linux_endpoint *endpoint);
int linux_local(int socket, struct linux_endpoint *endpoint);
/// Gives up a connection whose sent bytes stay unanswered for so long (TCP_USER_TIMEOUT), and probes a silent one.
int linux_stream_patience(int socket, unsigned milliseconds);

/// Where a datagram came from, where it was sent to, and by which interface.
struct linux_datagram {
  struct linux_endpoint sender;
  uint32_t destination;
  int interface;
};

/// Takes one datagram. Gives its length, which is more than `room` if it did not fit.
ssize_t linux_receive_datagram(int socket, void *buffer, size_t room, struct linux_datagram *about);
/// Sends one; from an address of our own and by an interface where these are not 0.
ssize_t linux_send_datagram(
    int socket, const void *bytes, size_t count, struct linux_endpoint to, uint32_t from, int interface);

/// Joins (or with `join` 0 leaves) a multicast group on an interface.
int linux_multicast_group(int socket, uint32_t group, int interface, int join);
/// How datagrams to groups leave: by which interface, how many routers far, and whether this machine hears them as well.
int linux_multicast_sending(int socket, int interface, int hops, int loop);

/// The first IPv4 address of a name, by /etc/hosts and the name servers, waiting for these; -1 if there is none.
int linux_resolve(const char *name, uint32_t *address);

/// A socket at a path that only its owner may connect to, listening; and one connected to such.
int linux_local_listen(const char *path, int backlog);
int linux_local_connect(const char *path);
/// Sends one datagram to the socket at a path, without waiting; what does not go is lost.
void linux_local_send(const char *path, const void *bytes, size_t count);

/// Who connected: process, user and group.
struct linux_credentials {
  int process;
  unsigned user;
  unsigned group;
};
int linux_peer_credentials(int socket, struct linux_credentials *credentials);
