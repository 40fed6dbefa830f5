#define _GNU_SOURCE
#include "sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netpacket/packet.h>
#include <sys/socket.h>
#include <unistd.h>

// include/uapi/linux/netlink.h
struct netlink_address {
  sa_family_t family;
  uint16_t padding;
  uint32_t port;
  uint32_t groups;
};
enum { option_level_netlink = 270, netlink_cap_ack = 10, netlink_ext_ack = 11 };

/// Closes a descriptor after a failure, keeping that failure's errno.
static int failed(int descriptor) {
  int number = errno;
  close(descriptor);
  errno = number;
  return -1;
}

int linux_netlink_open(int protocol, uint32_t groups) {
  int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
  if (descriptor < 0) return -1;
  struct netlink_address address = {.family = AF_NETLINK, .groups = groups};
  if (bind(descriptor, (struct sockaddr *)&address, sizeof address) < 0) return failed(descriptor);
  // Both are comforts: a kernel without them answers at more length and says less.
  int on = 1;
  (void)setsockopt(descriptor, option_level_netlink, netlink_cap_ack, &on, sizeof on);
  (void)setsockopt(descriptor, option_level_netlink, netlink_ext_ack, &on, sizeof on);
  return descriptor;
}

/// recvmsg(2) of one datagram with its sender, repeated when a signal interrupts it.
static ssize_t receive(int descriptor, void *buffer, size_t room, void *sender, socklen_t sender_size, int *flags) {
  struct iovec part = {.iov_base = buffer, .iov_len = room};
  struct msghdr message = {.msg_name = sender, .msg_namelen = sender_size, .msg_iov = &part, .msg_iovlen = 1};
  ssize_t count;
  do {
    count = recvmsg(descriptor, &message, 0);
  } while (count < 0 && errno == EINTR);
  *flags = message.msg_flags;
  return count;
}

ssize_t linux_netlink_receive(int descriptor, void *buffer, size_t room) {
  struct netlink_address sender = {0};
  int flags = 0;
  ssize_t count = receive(descriptor, buffer, room, &sender, sizeof sender, &flags);
  if (count < 0) return -1;
  if (sender.port != 0) return 0;
  if (flags & MSG_TRUNC) {
    errno = EMSGSIZE;
    return -1;
  }
  return count;
}

// struct sock_filter and struct sock_fprog of linux/filter.h.
struct filter_instruction {
  uint16_t code;
  uint8_t if_true, if_false;
  uint32_t operand;
};

struct filter_program {
  unsigned short length;
  struct filter_instruction *instructions;
};

// Has the kernel keep only frames whose 32 bits at `offset`, as ordered on the wire, are `value`.
static int keep_only(int descriptor, uint32_t offset, uint32_t value) {
  struct filter_instruction instructions[] = {
    {0x20, 0, 0, offset},      // ld [offset]
    {0x15, 0, 1, value},       // jeq #value, else skip one
    {0x06, 0, 0, 0xFFFFFFFF},  // ret #-1: all of the frame
    {0x06, 0, 0, 0},           // ret #0: none of it
  };
  struct filter_program program = {4, instructions};
  return setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

int linux_packet_open(int interface, uint16_t type, uint32_t offset, uint32_t value) {
  // Protocol 0 takes nothing until bind(2) names the interface: no frame of another one slips in between.
  int descriptor = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return -1;
  if (offset != 0 && keep_only(descriptor, offset, value) < 0) return failed(descriptor);
  struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(type), .sll_ifindex = interface};
  if (bind(descriptor, (struct sockaddr *)&address, sizeof address) < 0) return failed(descriptor);
  return descriptor;
}

ssize_t linux_packet_receive(int descriptor, void *buffer, size_t room) {
  struct sockaddr_ll sender = {0};
  int flags = 0;
  ssize_t count = receive(descriptor, buffer, room, &sender, sizeof sender, &flags);
  if (count < 0) return -1;
  // A frame of another VLAN has lost its tag on the way here; since no VLAN device took it, the kernel calls it another
  // host's (net/core/dev.c, __netif_receive_skb_core).
  int is_foreign = sender.sll_pkttype == PACKET_OUTGOING || sender.sll_pkttype == PACKET_OTHERHOST;
  return is_foreign || flags & MSG_TRUNC ? 0 : count;
}

ssize_t linux_send(int descriptor, const void *bytes, size_t count) {
  ssize_t went;
  do {
    went = send(descriptor, bytes, count, MSG_NOSIGNAL);
  } while (went < 0 && errno == EINTR);
  return went;
}
