#define _GNU_SOURCE
#include "internet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

static struct sockaddr_in outward(struct linux_endpoint endpoint) {
  return (struct sockaddr_in){
      .sin_family = AF_INET, .sin_port = htons(endpoint.port), .sin_addr.s_addr = htonl(endpoint.address)};
}

static struct linux_endpoint inward(const struct sockaddr_in *address) {
  return (struct linux_endpoint){.address = ntohl(address->sin_addr.s_addr), .port = ntohs(address->sin_port)};
}

static void set(int socket, int level, int option, int value) {
  (void)setsockopt(socket, level, option, &value, sizeof value);
}

int linux_stream_socket(void) {
  int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return -1;
  set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1);
  // Each message is written as a whole: none waits for more.
  set(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
  return descriptor;
}

int linux_datagram_socket(void) {
  // Without SO_REUSEADDR: of two UDP sockets with it the later one, whoever's it is, gets what comes.
  int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return -1;
  set(descriptor, IPPROTO_IP, IP_PKTINFO, 1);
  return descriptor;
}

int linux_set_transform_policy(int socket, const void *policy, size_t count) {
  enum { transform_policy = 17 };  // IP_XFRM_POLICY of <linux/in.h>
  return setsockopt(socket, IPPROTO_IP, transform_policy, policy, (socklen_t)count);
}

int linux_bind_endpoint(int socket, struct linux_endpoint endpoint) {
  struct sockaddr_in address = outward(endpoint);
  return bind(socket, (struct sockaddr *)&address, sizeof address);
}

int linux_listen(int socket, int backlog) { return listen(socket, backlog); }

int linux_connect_endpoint(int socket, struct linux_endpoint endpoint) {
  struct sockaddr_in address = outward(endpoint);
  int result = connect(socket, (struct sockaddr *)&address, sizeof address);
  return result < 0 && (errno == EINPROGRESS || errno == EINTR) ? 0 : result;
}

int linux_accept(int listener) {
  int descriptor;
  do {
    descriptor = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    // ECONNABORTED: that one has gone again; there may be another behind it.
  } while (descriptor < 0 && (errno == EINTR || errno == ECONNABORTED));
  return descriptor;
}

int linux_socket_error(int socket) {
  int number = 0;
  socklen_t size = sizeof number;
  return getsockopt(socket, SOL_SOCKET, SO_ERROR, &number, &size) < 0 ? errno : number;
}

int linux_peer(int socket, struct linux_endpoint *endpoint) {
  struct sockaddr_in address = {0};
  socklen_t size = sizeof address;
  if (getpeername(socket, (struct sockaddr *)&address, &size) < 0) return -1;
  *endpoint = inward(&address);
  return 0;
}

int linux_local(int socket, struct linux_endpoint *endpoint) {
  struct sockaddr_in address = {0};
  socklen_t size = sizeof address;
  if (getsockname(socket, (struct sockaddr *)&address, &size) < 0) return -1;
  *endpoint = inward(&address);
  return 0;
}

int linux_stream_patience(int socket, unsigned milliseconds) {
  set(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  return setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof milliseconds);
}

ssize_t linux_receive_datagram(int socket, void *buffer, size_t room, struct linux_datagram *about) {
  struct sockaddr_in sender = {0};
  struct iovec part = {.iov_base = buffer, .iov_len = room};
  union {
    struct cmsghdr header;
    unsigned char bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
  } control;
  struct msghdr message = {
      .msg_name = &sender,
      .msg_namelen = sizeof sender,
      .msg_iov = &part,
      .msg_iovlen = 1,
      .msg_control = &control,
      .msg_controllen = sizeof control};
  ssize_t count;
  do {
    count = recvmsg(socket, &message, MSG_TRUNC);
  } while (count < 0 && errno == EINTR);
  if (count < 0) return -1;
  *about = (struct linux_datagram){.sender = inward(&sender)};
  for (struct cmsghdr *item = CMSG_FIRSTHDR(&message); item; item = CMSG_NXTHDR(&message, item)) {
    if (item->cmsg_level != IPPROTO_IP || item->cmsg_type != IP_PKTINFO) continue;
    struct in_pktinfo information;
    memcpy(&information, CMSG_DATA(item), sizeof information);
    about->destination = ntohl(information.ipi_addr.s_addr);
    about->interface = (int)information.ipi_ifindex;
  }
  return count;
}

ssize_t linux_send_datagram(
    int socket, const void *bytes, size_t count, struct linux_endpoint to, uint32_t from, int interface) {
  struct sockaddr_in receiver = outward(to);
  struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
  union {
    struct cmsghdr header;
    unsigned char bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
  } control;
  memset(&control, 0, sizeof control);
  struct msghdr message = {
      .msg_name = &receiver, .msg_namelen = sizeof receiver, .msg_iov = &part, .msg_iovlen = 1};
  if (from != 0 || interface != 0) {
    struct in_pktinfo information = {.ipi_ifindex = interface, .ipi_spec_dst.s_addr = htonl(from)};
    control.header.cmsg_level = IPPROTO_IP;
    control.header.cmsg_type = IP_PKTINFO;
    control.header.cmsg_len = CMSG_LEN(sizeof information);
    memcpy(CMSG_DATA(&control.header), &information, sizeof information);
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
  }
  ssize_t went;
  do {
    went = sendmsg(socket, &message, MSG_NOSIGNAL);
  } while (went < 0 && errno == EINTR);
  return went;
}

int linux_multicast_group(int socket, uint32_t group, int interface, int join) {
  struct ip_mreqn membership = {.imr_multiaddr.s_addr = htonl(group), .imr_ifindex = interface};
  int option = join ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP;
  return setsockopt(socket, IPPROTO_IP, option, &membership, sizeof membership);
}

int linux_multicast_sending(int socket, int interface, int hops, int loop) {
  struct ip_mreqn sending = {.imr_ifindex = interface};
  if (setsockopt(socket, IPPROTO_IP, IP_MULTICAST_IF, &sending, sizeof sending) < 0) return -1;
  if (setsockopt(socket, IPPROTO_IP, IP_MULTICAST_TTL, &hops, sizeof hops) < 0) return -1;
  return setsockopt(socket, IPPROTO_IP, IP_MULTICAST_LOOP, &loop, sizeof loop);
}
