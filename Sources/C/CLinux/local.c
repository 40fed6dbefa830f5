#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "internet.h"

static int named(const char *path, struct sockaddr_un *address) {
  size_t length = strlen(path);
  if (length >= sizeof address->sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  *address = (struct sockaddr_un){.sun_family = AF_UNIX};
  memcpy(address->sun_path, path, length);
  return 0;
}

/// Closes a descriptor after a failure, keeping that failure's errno.
static int failed(int descriptor) {
  int number = errno;
  close(descriptor);
  errno = number;
  return -1;
}

int linux_local_connect(const char *path) {
  struct sockaddr_un address;
  if (named(path, &address) < 0) return -1;
  int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return -1;
  int result;
  do {
    result = connect(descriptor, (struct sockaddr *)&address, sizeof address);
  } while (result < 0 && errno == EINTR);
  return result < 0 ? failed(descriptor) : descriptor;
}

void linux_local_send(const char *path, const void *bytes, size_t count) {
  struct sockaddr_un address;
  if (named(path, &address) < 0) return;
  int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return;
  (void)sendto(descriptor, bytes, count, MSG_NOSIGNAL, (struct sockaddr *)&address, sizeof address);
  close(descriptor);
}

int linux_local_listen(const char *path, int backlog) {
  struct sockaddr_un address;
  if (named(path, &address) < 0) return -1;
  int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return -1;
  // The mask, so that there is no moment in which others could connect.
  mode_t before = umask(0177);
  int result = bind(descriptor, (struct sockaddr *)&address, sizeof address);
  int number = errno;
  umask(before);
  errno = number;
  if (result < 0 || listen(descriptor, backlog) < 0) return failed(descriptor);
  return descriptor;
}

int linux_peer_credentials(int socket, struct linux_credentials *credentials) {
  struct ucred found;
  socklen_t size = sizeof found;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &found, &size) < 0) return -1;
  *credentials = (struct linux_credentials){
      .process = (int)found.pid, .user = (unsigned)found.uid, .group = (unsigned)found.gid};
  return 0;
}
