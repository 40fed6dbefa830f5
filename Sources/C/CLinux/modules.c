#include <sys/syscall.h>

#include "CLinux.h"

int linux_load_module(int descriptor) { return (int)syscall(SYS_finit_module, descriptor, "", 0); }
