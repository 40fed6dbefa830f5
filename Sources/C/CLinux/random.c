#include <sys/random.h>

#include "CLinux.h"

ssize_t linux_random(void *buffer, size_t count, int wait) {
  return getrandom(buffer, count, wait ? 0 : GRND_NONBLOCK);
}

#if !defined(__GLIBC__)
void arc4random_buf(void *buffer, size_t count) {
  unsigned char *next = buffer;
  while (count > 0) {
    // Never waits: a boot must not hang on entropy that only a hash table wants.
    ssize_t got = getrandom(next, count < 256 ? count : 256, GRND_NONBLOCK);
    if (got <= 0) return;
    next += got;
    count -= (size_t)got;
  }
}
#endif
