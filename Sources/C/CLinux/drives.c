#include <sys/ioctl.h>

#include "CLinux.h"

// From <linux/cdrom.h>.
enum { lock_door = 0x5329, eject = 0x5309, drive_status = 0x5326, no_information = 0, disc_ready = 4 };

int linux_eject(int drive) {
  ioctl(drive, lock_door, 0);
  return ioctl(drive, eject, 0);
}

int linux_disc_present(int drive) {
  int status = ioctl(drive, drive_status, 0x7FFFFFFF);  // CDSL_CURRENT: the slot in use
  return status < 0 || status == no_information || status == disc_ready;
}
