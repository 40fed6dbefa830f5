#pragma once
// What a process needs to make a room of its own for others' work, and to hand open files to its neighbours.

#include <stdint.h>
#include <sys/types.h>

/// Makes the calling process leave the mount, IPC and host name namespaces that it is in for new ones, that of the network unless it
/// keeps it, and its next children the process namespace (unshare(2)).
int linux_leave_namespaces(int keeps_network);
/// Leaves the mount namespace alone.
int linux_leave_mounts(void);

/// Makes the mounted folder the root, and lets the former root go (pivot_root(2)), or puts it out of reach (mount(2), MS_MOVE).
int linux_change_root(const char *folder);

/// Who a process becomes.
struct linux_identity {
  uint32_t user, group;
  const uint32_t *groups;
  int group_count;
};
/// Becomes that user for good: no new privileges and no capabilities, root's neither (capabilities(7), prctl(2)).
int linux_become(const struct linux_identity *identity);

/// Sends bytes over a local socket, with an open descriptor if it is not negative (SCM_RIGHTS); how many, or -1.
ssize_t linux_send_with_descriptor(int socket, const void *bytes, size_t count, int descriptor);
/// Receives bytes and perhaps a descriptor, -1 if none came along; how many bytes, or -1.
ssize_t linux_receive_with_descriptor(int socket, void *bytes, size_t room, int *descriptor);
/// Two connected local sockets, on which each message stays one (SOCK_SEQPACKET).
int linux_socket_pair(int ends[2]);
/// The supplementary groups of whoever connected (SO_PEERGROUPS, Linux 4.13); how many, or -1.
int linux_peer_groups(int socket, uint32_t *groups, int room);
/// Listens at a path to which everybody may connect.
int linux_local_listen_to_all(const char *path, int backlog);

/// A new pseudo terminal from the multiplexer at the path: its master, with its slave opened as `slave`; -1 with errno.
int linux_open_terminal_pair(const char *multiplexer, int *slave);
/// Gives an open file to a user, with these mode bits (fchown(2), fchmod(2)).
int linux_give(int descriptor, uint32_t user, unsigned mode);
int linux_set_terminal_size(int terminal, int columns, int rows);
/// Hands every byte of a terminal on as it comes, keys for signals too; `linux_terminal_restore` brings back what was before.
int linux_terminal_transparent(int terminal);

/// Soft and hard limit of a resource, both ways (getrlimit(2)); UINT64_MAX for none. -1 past the last resource.
int linux_get_limit(int resource, uint64_t *soft, uint64_t *hard);
int linux_set_limit(int resource, uint64_t soft, uint64_t hard);

/// The number by which the kernel knows a control group (cgroup v2), given its folder: what name_to_handle_at(2) says of one. -1 with
/// errno, EOPNOTSUPP for a folder that is none.
int linux_group_number(const char *folder, uint64_t *number);

/// How a job's first process begins.
struct linux_job {
  const char *directory;
  char *const *arguments;
  char *const *environment;
  struct linux_identity identity;
  unsigned mask;
  /// What become 0, 1 and 2.
  int descriptors[3];
  /// Not 0: the first of them is the terminal of the caller's session, and the job comes into its foreground. 0: a session of its own.
  int has_terminal;
  /// Pairs of soft and hard limits, from resource 0 on.
  const uint64_t *limits;
  int limit_count;
  /// The file `cgroup.procs` of the group that it runs in, open for writing; -1 for none.
  int group;
  /// Where it failed.
  int stage;
};
enum { linux_job_preparation, linux_job_directory, linux_job_execution };

/// Starts it as the leader of a process group, looking for the command in the environment's PATH. The process id, or -1 with errno, also when
/// the child could not execute it.
pid_t linux_start_job(struct linux_job *job);

/// Replaces the calling process by a program, looked for in PATH (execvp(3)). Returns only when that fails, with errno.
void linux_execute(char *const *arguments, char *const *environment);

/// umount2(2)'s MNT_FORCE: calls to a server that is gone fail.
enum { linux_unmount_forcibly = 1 };

/// Sends a signal to a process group.
int linux_signal_group(int group, int signal);

/// Whether the caller may execute this file, which is no folder.
int linux_is_executable(const char *path);

/// The environment, a list that ends with NULL.
char **linux_environment(void);

/// Closes every descriptor from 3 on but these.
void linux_close_others(const int *kept, int count);
/// Has the calling process killed when its parent ends (PR_SET_PDEATHSIG).
int linux_die_with_parent(void);
/// Begins a session whose controlling terminal is this one.
int linux_lead_session(int terminal);

/// Lets reads and writes of a descriptor wait, or not (O_NONBLOCK).
int linux_set_waiting(int descriptor, int waits);

/// Gives the working directory's path (getcwd(2)); how long it is, or -1.
ssize_t linux_working_directory(void *buffer, size_t room);
/// Reads the mask by which new files lose mode bits (umask(2)).
unsigned linux_creation_mask(void);

/// Switches the loopback interface on (SIOCSIFFLAGS).
int linux_loopback_up(void);
