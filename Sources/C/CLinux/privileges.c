#define _GNU_SOURCE
#include "privileges.h"

#include <grp.h>
#include <sys/prctl.h>
#include <unistd.h>

int linux_drop_privileges(const char *empty, unsigned user) {
  if (chroot(empty) < 0 || chdir("/") < 0) return -1;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return -1;
  if (setgroups(0, NULL) < 0 || setresgid(user, user, user) < 0) return -1;
  return setresuid(user, user, user);
}
