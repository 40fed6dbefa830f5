#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "CLinux.h"

int linux_addresses(uint32_t *addresses, int room) {
  int channel = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (channel < 0) return -1;
  struct ifreq requests[32];
  struct ifconf answer = {.ifc_len = sizeof requests, .ifc_req = requests};
  int found = 0;
  if (ioctl(channel, SIOCGIFCONF, &answer) < 0) {
    found = -1;
  } else {
    int count = answer.ifc_len / (int)sizeof requests[0];
    for (int index = 0; index < count && found < room; index++) {
      struct sockaddr_in address;
      memcpy(&address, &requests[index].ifr_addr, sizeof address);
      if (ioctl(channel, SIOCGIFFLAGS, &requests[index]) < 0) continue;
      if (!(requests[index].ifr_flags & IFF_UP) || requests[index].ifr_flags & IFF_LOOPBACK) continue;
      addresses[found++] = address.sin_addr.s_addr;
    }
  }
  int number = errno;
  close(channel);
  errno = number;
  return found;
}
