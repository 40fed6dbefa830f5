#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>

#include "internet.h"

int linux_resolve(const char *name, uint32_t *address) {
  struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_DGRAM};
  struct addrinfo *found = NULL;
  if (getaddrinfo(name, NULL, &hints, &found) != 0) return -1;
  int result = -1;
  if (found != NULL && found->ai_family == AF_INET) {
    struct sockaddr_in first;
    memcpy(&first, found->ai_addr, sizeof first);
    *address = ntohl(first.sin_addr.s_addr);
    result = 0;
  }
  freeaddrinfo(found);
  return result;
}
