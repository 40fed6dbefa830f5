#define _GNU_SOURCE
#include <sys/ioctl.h>

#include "CLinux.h"

/// The child's side: whatever fails is left in `errno` of the memory that it shares with its parent until it executes.
static void become(const struct linux_program *program) {
  if (program->terminal || program->new_session) setsid();
  int numbers[4] = {program->descriptors[0], program->descriptors[1], program->descriptors[2], program->descriptors[3]};
  if (program->terminal) {
    // Non-blocking, or a serial port without carrier would hold up the child, and with it the parent.
    int terminal = open(program->terminal, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (terminal < 0) return;
    linux_terminal_defaults(terminal);
    if (fcntl(terminal, F_SETFL, O_RDWR) < 0) return;
    // Takes the terminal from a session that was left behind on it.
    if (ioctl(terminal, TIOCSCTTY, 1) < 0) return;
    numbers[0] = numbers[1] = numbers[2] = terminal;
  }
  // First out of the way of the numbers that are about to be filled.
  for (int index = 0; index < 4; index++) {
    if (numbers[index] < 0) continue;
    numbers[index] = fcntl(numbers[index], F_DUPFD_CLOEXEC, 4);
    if (numbers[index] < 0) return;
  }
  for (int index = 0; index < 4; index++) {
    if (numbers[index] >= 0 && dup2(numbers[index], index) < 0) return;
  }
  if (program->directory && chdir(program->directory) < 0) return;
  linux_reset_signals();
  execve(program->path, program->arguments, program->environment);
}

pid_t linux_spawn(const struct linux_program *program) {
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  // vfork shares the memory until the child executes: nothing is copied, so it works when memory is short, and the
  // child's reason for failing arrives in this variable.
  volatile int failure = 0;
  pid_t child = vfork();
  if (child == 0) {
    errno = 0;
    become(program);
    failure = errno ? errno : ENOEXEC;
    _exit(127);
  }
  int number = child < 0 ? errno : failure;
  if (child > 0 && number != 0) {
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) continue;
    child = -1;
  }
  sigprocmask(SIG_SETMASK, &before, NULL);
  errno = number;
  return child;
}
