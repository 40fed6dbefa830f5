#include <sys/signalfd.h>

#include "CLinux.h"

void linux_block_signals(void) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
}

int linux_signal_descriptor(void) {
  sigset_t all;
  sigfillset(&all);
  return signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
}

int linux_next_signal(int descriptor) {
  struct signalfd_siginfo information;
  ssize_t got = read(descriptor, &information, sizeof information);
  if (got == (ssize_t)sizeof information) return (int)information.ssi_signo;
  return got < 0 && errno != EAGAIN && errno != EINTR ? -1 : 0;
}
