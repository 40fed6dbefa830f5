#define _GNU_SOURCE
#include "CLinux.h"

int linux_fork(void) { return (int)fork(); }

int linux_redirect_standard_descriptors(const char *path) {
  int number = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (number < 0) return -1;
  int result = 0;
  for (int standard = 0; standard < 3; standard++) {
    if (number != standard && dup2(number, standard) < 0) result = -1;
  }
  if (number > 2) close(number);
  return result;
}

int64_t linux_clock_get(void) {
  struct timespec now;
  return clock_gettime(CLOCK_REALTIME, &now) < 0 ? 0 : (int64_t)now.tv_sec;
}
