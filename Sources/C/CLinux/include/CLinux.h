#pragma once
// What Swift cannot see of Linux: macros, variadic calls and structures with unions. One thin function each; only the
// module `Linux` calls them.

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

/// The calling thread's last error number.
static inline int linux_errno(void) { return errno; }

/// Embedded Swift seeds its hash tables with this (the BSDs' arc4random_buf(3), which musl lacks).
void arc4random_buf(void *buffer, size_t count);
