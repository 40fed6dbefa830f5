#define _GNU_SOURCE
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include "CLinux.h"

int linux_open(const char *path, int flags, unsigned mode) { return open(path, flags | O_CLOEXEC, (mode_t)mode); }

unsigned linux_device_major(uint64_t device) { return (unsigned)major(device); }
unsigned linux_device_minor(uint64_t device) { return (unsigned)minor(device); }

int linux_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

ssize_t linux_read_link(const char *path, void *buffer, size_t room) { return readlink(path, buffer, room); }
int linux_host_name(void *buffer, size_t room) { return gethostname(buffer, room); }
int linux_set_host_name(const void *name, size_t count) { return sethostname(name, count); }

int linux_read_file_system_use(const char *path, struct linux_file_system_use *use) {
  struct statvfs found;
  if (statvfs(path, &found) < 0) return -1;
  use->block = found.f_frsize;
  use->blocks = found.f_blocks;
  use->free_blocks = found.f_bavail;
  use->inodes = found.f_files;
  use->free_inodes = found.f_favail;
  return 0;
}

int linux_fill_standard_descriptors(const char *path) {
  for (;;) {
    int number = open(path, O_RDWR | O_NOCTTY);
    if (number > 2) return close(number);
    if (number < 0) return -1;
  }
}
