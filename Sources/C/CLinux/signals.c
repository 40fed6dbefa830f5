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
  if (descriptor >= 0) {
    struct signalfd_siginfo information;
    ssize_t got = read(descriptor, &information, sizeof information);
    return got == (ssize_t)sizeof information ? (int)information.ssi_signo : 0;
  }
  sigset_t all;
  sigfillset(&all);
  struct timespec at_once = {0, 0};
  int signal = sigtimedwait(&all, NULL, &at_once);
  return signal > 0 ? signal : 0;
}

void linux_unblock_signals(void) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

void linux_reset_signals(void) {
  // A signal must not meet a handler half way: defaults first, then unblock.
  struct sigaction standard = {.sa_handler = SIG_DFL};
  for (int number = 1; number < 65; number++) sigaction(number, &standard, NULL);
  linux_unblock_signals();
}

void linux_notice_children(void) {
  struct sigaction standard = {.sa_handler = SIG_DFL};
  sigaction(SIGCHLD, &standard, NULL);
}

void linux_ignore_broken_pipes(void) {
  struct sigaction ignored = {.sa_handler = SIG_IGN};
  sigaction(SIGPIPE, &ignored, NULL);
}

void linux_raise(int signal) {
  sigset_t one, before;
  sigemptyset(&one);
  sigaddset(&one, signal);
  struct sigaction standard = {.sa_handler = SIG_DFL};
  sigaction(signal, &standard, NULL);
  raise(signal);
  sigprocmask(SIG_UNBLOCK, &one, &before);
  sigprocmask(SIG_SETMASK, &before, NULL);
}
