#include <sys/ioctl.h>

#include "CLinux.h"

// include/uapi/linux/watchdog.h
struct watchdog_information {
  uint32_t options;
  uint32_t firmware_version;
  unsigned char identity[32];
};
enum { magic_close = 0x0100 };

int linux_watchdog_identity(int device, char identity[33], int *stops) {
  struct watchdog_information information;
  memset(&information, 0, sizeof information);
  if (ioctl(device, _IOR('W', 0, struct watchdog_information), &information) < 0) return -1;
  memcpy(identity, information.identity, 32);
  identity[32] = 0;
  *stops = (information.options & magic_close) != 0;
  return 0;
}

int linux_watchdog_set_timeout(int device, int *seconds) {
  // The device answers with what it took.
  if (ioctl(device, _IOWR('W', 6, int), seconds) == 0) return 0;
  return ioctl(device, _IOR('W', 7, int), seconds);
}

int linux_watchdog_keep_alive(int device) {
  int ignored = 0;
  return ioctl(device, _IOR('W', 5, int), &ignored);
}
