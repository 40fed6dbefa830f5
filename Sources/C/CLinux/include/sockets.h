#pragma once
// Sockets of the kernel's own families. Their headers are the kernel's, which a C library need not have, so what is used
// of them stands in sockets.c.

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Opens a netlink socket that listens to the groups of the mask (netlink(7)). Failed requests come back without their
/// body but with the kernel's explanation. Gives the descriptor, close-on-exec and non-blocking, or -1 with errno.
int linux_netlink_open(int protocol, uint32_t groups);

/// The alignment of a number of 64 bits in the structures of this machine's kernel, in bytes.
enum { linux_long_alignment = offsetof(struct { char before; uint64_t number; }, number) };

/// Takes one datagram. Gives its length; 0 for one that is not from the kernel; -1 with errno: EMSGSIZE if it did not fit,
/// ENOBUFS if messages were lost.
ssize_t linux_netlink_receive(int descriptor, void *buffer, size_t room);

/// Opens a socket for whole Ethernet frames of one type on one interface (packet(7)). With an `offset` other than 0 only
/// those come whose 32 bits there, from the frame's start and in network byte order, are `value`. Gives the descriptor,
/// close-on-exec and non-blocking, or -1 with errno.
int linux_packet_open(int interface, uint16_t type, uint32_t offset, uint32_t value);

/// Takes one frame that came from the wire. Gives its length, 0 for one that this machine sent itself or that did not fit,
/// or -1 with errno.
ssize_t linux_packet_receive(int descriptor, void *buffer, size_t room);

/// send(2) without SIGPIPE, repeated when a signal interrupts it.
ssize_t linux_send(int descriptor, const void *bytes, size_t count);
