#define _GNU_SOURCE
#include "work.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "CLinux.h"

// One number on every processor (Linux 5.9), and older C libraries do not name it.
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

int linux_leave_mounts(void) {
  if (unshare(CLONE_NEWNS) < 0) return -1;
  // What is mounted for all later is seen here, too, where the mounts of the machine are shared.
  return mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL);
}

int linux_leave_namespaces(int keeps_network) {
  int network = keeps_network ? 0 : CLONE_NEWNET;
  if (unshare(CLONE_NEWIPC | CLONE_NEWUTS | network | CLONE_NEWPID | CLONE_NEWNS) < 0) return -1;
  return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

int linux_change_root(const char *folder) {
  if (chdir(folder) < 0) return -1;
  // pivot_root(".", "."): the former root comes to lie over the new one (pivot_root(2), NOTES).
  if (syscall(SYS_pivot_root, ".", ".") == 0) return umount2(".", MNT_DETACH) < 0 ? -1 : chdir("/");
  // The root that the kernel unpacked cannot be moved: the new one comes over it, as in switch_root(8). Below it is out of reach for
  // whoever may not call chroot(2). Of a /proc that may be written to nothing stays even there: with one in its namespace a user may
  // mount another (fs/namespace.c, mount_too_revealing).
  if (errno != EINVAL || umount2("/proc", MNT_DETACH) < 0 || umount2("/sys", MNT_DETACH) < 0) return -1;
  if (mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0) return -1;
  return chdir("/");
}

int linux_become(const struct linux_identity *identity) {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return -1;
  for (int capability = 0; capability < 64; capability++) {
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0 && errno != EINVAL) return -1;
  }
  if (setgroups((size_t)identity->group_count, (const gid_t *)identity->groups) < 0) return -1;
  if (setresgid(identity->group, identity->group, identity->group) < 0) return -1;
  if (setresuid(identity->user, identity->user, identity->user) < 0) return -1;
  // root keeps them otherwise.
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct none[2] = {{0}};
  return (int)syscall(SYS_capset, &header, none);
}

ssize_t linux_send_with_descriptor(int socket, const void *bytes, size_t count, int descriptor) {
  struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int))];
  } control = {0};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (descriptor >= 0) {
    message.msg_control = control.room;
    message.msg_controllen = sizeof control.room;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  }
  ssize_t went;
  do {
    went = sendmsg(socket, &message, MSG_NOSIGNAL);
  } while (went < 0 && errno == EINTR);
  return went;
}

ssize_t linux_receive_with_descriptor(int socket, void *bytes, size_t room, int *descriptor) {
  *descriptor = -1;
  struct iovec part = {.iov_base = bytes, .iov_len = room};
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int))];
  } control = {0};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
  ssize_t got;
  do {
    got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return -1;
  for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(sizeof(int)))
      memcpy(descriptor, CMSG_DATA(header), sizeof(int));
  }
  return got;
}

int linux_socket_pair(int ends[2]) { return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends); }

int linux_peer_groups(int socket, uint32_t *groups, int room) {
  socklen_t size = (socklen_t)room * sizeof(uint32_t);
  // include/uapi/asm-generic/socket.h; older C libraries do not name it.
  if (getsockopt(socket, SOL_SOCKET, 59, groups, &size) < 0) return -1;
  return (int)(size / sizeof(uint32_t));
}

int linux_local_listen_to_all(const char *path, int backlog) {
  int descriptor = linux_local_listen(path, backlog);
  if (descriptor < 0) return -1;
  if (chmod(path, 0666) < 0) {
    int number = errno;
    close(descriptor);
    errno = number;
    return -1;
  }
  return descriptor;
}

int linux_open_terminal_pair(const char *multiplexer, int *slave) {
  int master = open(multiplexer, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (master < 0) return -1;
  int locked = 0;
  *slave = -1;
  if (ioctl(master, TIOCSPTLCK, &locked) == 0) *slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (*slave < 0) {
    int number = errno;
    close(master);
    errno = number;
    return -1;
  }
  linux_terminal_defaults(*slave);
  return master;
}

int linux_give(int descriptor, uint32_t user, unsigned mode) {
  return fchown(descriptor, user, (gid_t)-1) < 0 ? -1 : fchmod(descriptor, mode);
}

int linux_set_terminal_size(int terminal, int columns, int rows) {
  struct winsize size = {.ws_col = (unsigned short)columns, .ws_row = (unsigned short)rows};
  return ioctl(terminal, TIOCSWINSZ, &size);
}

int linux_get_limit(int resource, uint64_t *soft, uint64_t *hard) {
  if (resource < 0 || resource >= RLIM_NLIMITS) return -1;
  struct rlimit limit;
  if (getrlimit(resource, &limit) < 0) return -1;
  *soft = limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : limit.rlim_cur;
  *hard = limit.rlim_max == RLIM_INFINITY ? UINT64_MAX : limit.rlim_max;
  return 0;
}

int linux_set_limit(int resource, uint64_t soft, uint64_t hard) {
  struct rlimit limit = {
      .rlim_cur = soft == UINT64_MAX ? RLIM_INFINITY : (rlim_t)soft,
      .rlim_max = hard == UINT64_MAX ? RLIM_INFINITY : (rlim_t)hard};
  return setrlimit(resource, &limit);
}

int linux_group_number(const char *folder, uint64_t *number) {
  // struct file_handle with the kernel's FILEID_KERNFS, which is that number alone (fs/kernfs/mount.c, kernfs_encode_fh). The inode
  // number has half of it on 32 bits.
  struct {
    uint32_t bytes;
    int32_t type;
    uint64_t number;
  } handle = {.bytes = sizeof(uint64_t)};
  int mount;
  if (syscall(SYS_name_to_handle_at, AT_FDCWD, folder, &handle, &mount, 0) < 0) return -1;
  if (handle.type != 0xFE || handle.bytes != sizeof(uint64_t)) {
    errno = EOPNOTSUPP;
    return -1;
  }
  *number = handle.number;
  return 0;
}

/// execvp(3) with the job's own environment, whose PATH counts. What was found and may not be executed is told before what is missing.
static void execute(const struct linux_job *job) {
  const char *command = job->arguments[0];
  if (strchr(command, '/')) {
    execve(command, job->arguments, job->environment);
    return;
  }
  const char *path = "/usr/local/bin:/usr/bin:/bin";
  for (char *const *variable = job->environment; *variable; variable++) {
    if (strncmp(*variable, "PATH=", 5) == 0) path = *variable + 5;
  }
  int denied = 0;
  while (1) {
    size_t length = strcspn(path, ":");
    char file[PATH_MAX];
    int count = snprintf(file, sizeof file, "%.*s%s%s", (int)length, path, length ? "/" : "", command);
    if (count > 0 && count < (int)sizeof file) {
      execve(file, job->arguments, job->environment);
      if (errno == EACCES) denied = 1;
      else if (errno != ENOENT && errno != ENOTDIR) return;
    }
    if (path[length] == 0) break;
    path += length + 1;
  }
  errno = denied ? EACCES : ENOENT;
}

static void begin(struct linux_job *job) {
  if (job->group >= 0 && write(job->group, "0", 1) != 1) return;
  if (job->has_terminal) {
    // In the session of the caller, which is its parent: so a key may stop it, which it may not in a group that is orphaned.
    setpgid(0, 0);
  } else {
    setsid();
  }
  int numbers[3];
  for (int index = 0; index < 3; index++) {
    numbers[index] = fcntl(job->descriptors[index], F_DUPFD_CLOEXEC, 3);
    if (numbers[index] < 0) return;
  }
  for (int index = 0; index < 3; index++) {
    if (dup2(numbers[index], index) < 0) return;
  }
  // SIGTTOU is blocked still.
  if (job->has_terminal && tcsetpgrp(0, getpid()) < 0) return;
  // Most of all a limit of processes must not count before the job is somebody else's.
  for (int resource = 0; resource < job->limit_count; resource++) {
    (void)linux_set_limit(resource, job->limits[2 * resource], job->limits[2 * resource + 1]);
  }
  if (linux_become(&job->identity) < 0) return;
  umask(job->mask);
  // As the user, who need not be allowed in.
  job->stage = linux_job_directory;
  if (chdir(job->directory) < 0) return;
  job->stage = linux_job_execution;
  linux_reset_signals();
  execute(job);
}

pid_t linux_start_job(struct linux_job *job) {
  job->stage = linux_job_preparation;
  int ends[2];
  if (linux_pipe(ends) < 0) return -1;
  pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    errno = 0;
    begin(job);
    int failure[2] = {errno ? errno : ENOEXEC, job->stage};
    (void)!write(ends[1], failure, sizeof failure);
    _exit(127);
  }
  int number = errno;
  close(ends[1]);
  if (child > 0) {
    int failure[2];
    ssize_t got;
    do {
      got = read(ends[0], failure, sizeof failure);
    } while (got < 0 && errno == EINTR);
    if (got == (ssize_t)sizeof failure) {
      while (waitpid(child, NULL, 0) < 0 && errno == EINTR) continue;
      child = -1;
      number = failure[0];
      job->stage = failure[1];
    }
  }
  close(ends[0]);
  errno = number;
  return child;
}

void linux_execute(char *const *arguments, char *const *environment) {
  struct linux_job job = {.arguments = arguments, .environment = environment};
  linux_reset_signals();
  execute(&job);
}

int linux_signal_group(int group, int signal) { return kill(-group, signal); }

int linux_is_executable(const char *path) {
  struct stat about;
  return stat(path, &about) == 0 && S_ISREG(about.st_mode) && access(path, X_OK) == 0;
}

char **linux_environment(void) { return environ; }

/// close_range(2), and one by one before Linux 5.9.
static void close_range_of(unsigned first, unsigned last) {
  if (first > last || syscall(SYS_close_range, first, last, 0) == 0) return;
  for (unsigned number = first; number <= last && number < 65536; number++) close((int)number);
}

void linux_close_others(const int *kept, int count) {
  unsigned first = 3;
  while (1) {
    // The lowest of those that are kept from here on.
    unsigned next = ~0U;
    for (int index = 0; index < count; index++) {
      if (kept[index] >= (int)first && (unsigned)kept[index] < next) next = (unsigned)kept[index];
    }
    if (next == ~0U) break;
    if (next > first) close_range_of(first, next - 1);
    first = next + 1;
  }
  close_range_of(first, ~0U);
}

int linux_die_with_parent(void) { return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); }

int linux_lead_session(int terminal) {
  if (setsid() < 0) return -1;
  return ioctl(terminal, TIOCSCTTY, 1);
}

int linux_set_waiting(int descriptor, int waits) {
  int flags = fcntl(descriptor, F_GETFL);
  if (flags < 0) return -1;
  return fcntl(descriptor, F_SETFL, waits ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
}

ssize_t linux_working_directory(void *buffer, size_t room) {
  return getcwd(buffer, room) ? (ssize_t)strlen(buffer) : -1;
}

unsigned linux_creation_mask(void) {
  mode_t mask = umask(0);
  umask(mask);
  return mask;
}

int linux_loopback_up(void) {
  int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -1;
  struct ifreq request = {.ifr_name = "lo"};
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  int result = ioctl(descriptor, SIOCSIFFLAGS, &request);
  close(descriptor);
  return result;
}
