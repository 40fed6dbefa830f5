#pragma once
// What Swift cannot see of Linux: macros, variadic calls and structures with unions. One thin function each; only the
// module `Linux` calls them.

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "handles.h"
#include "internet.h"
#include "privileges.h"
#include "sockets.h"
#include "work.h"

/// The calling thread's last error number.
static inline int linux_errno(void) { return errno; }
static inline void linux_set_errno(int number) { errno = number; }

/// open(2) with a mode, always close-on-exec.
int linux_open(const char *path, int flags, unsigned mode);

/// pipe2(2), both ends close-on-exec.
int linux_pipe(int ends[2]);

/// Opens the file as each of the descriptors 0, 1 and 2 that is closed; -1 with errno.
int linux_fill_standard_descriptors(const char *path);

/// readlink(2), gethostname(2) and sethostname(2) on bytes.
/// What statvfs(3) says of a file system, in its blocks.
struct linux_file_system_use {
  uint64_t block, blocks, free_blocks, inodes, free_inodes;
};
int linux_read_file_system_use(const char *path, struct linux_file_system_use *use);

ssize_t linux_read_link(const char *path, void *buffer, size_t room);
int linux_host_name(void *buffer, size_t room);
int linux_set_host_name(const void *name, size_t count);

/// umount2(2)'s MNT_DETACH.
enum { linux_unmount_lazily = MNT_DETACH };

/// The length and the bytes of a directory entry's name.
static inline size_t linux_entry_name_length(const struct dirent *entry) { return strlen(entry->d_name); }
static inline const char *linux_entry_name(const struct dirent *entry) { return entry->d_name; }

/// Embedded Swift seeds its hash tables with this (the BSDs' arc4random_buf(3), which musl lacks).
void arc4random_buf(void *buffer, size_t count);

/// Bytes from getrandom(2): how many, or -1 with errno. Waits for the kernel's generator only if `wait` is not 0.
ssize_t linux_random(void *buffer, size_t count, int wait);

/// How a program is to be started; see linux_spawn.
struct linux_program {
  /// The file to execute, its arguments and its environment; the lists end with NULL.
  const char *path;
  char *const *arguments;
  char *const *environment;
  /// Working directory, or NULL to keep the caller's.
  const char *directory;
  /// A terminal to become the controlling one of a new session and the child's descriptors 0–2, or NULL.
  const char *terminal;
  /// What become the child's descriptors 0, 1, 2 and 3; -1 leaves 0–2 as they are and 3 closed. Not used for 0–2 with a
  /// terminal.
  int descriptors[4];
  /// Not 0: a session of its own (a terminal implies it).
  int new_session;
};

/// Starts a program with all signals at their defaults and unblocked. Gives its process id, or -1 with errno, also when
/// the child could not open its terminal or execute the file: then no child remains to be reaped.
pid_t linux_spawn(const struct linux_program *program);

/// What waitpid(2) said about a child.
static inline int linux_exited(int status) { return WIFEXITED(status); }
static inline int linux_exit_status(int status) { return WEXITSTATUS(status); }
static inline int linux_signalled(int status) { return WIFSIGNALED(status); }
static inline int linux_stopped(int status) { return WIFSTOPPED(status); }
static inline int linux_stop_signal(int status) { return WSTOPSIG(status); }
static inline int linux_termination_signal(int status) { return WTERMSIG(status); }

/// Blocks every signal for the calling process.
void linux_block_signals(void);
/// A descriptor that can be read when a blocked signal is pending, or -1 with errno.
int linux_signal_descriptor(void);
/// Takes the next pending signal, from a signal descriptor or with -1 from the process itself; 0 if there is none. Never
/// waits.
int linux_next_signal(int descriptor);

/// Undoes linux_block_signals.
void linux_unblock_signals(void);

/// Gives every signal its default and unblocks all: before the calling process executes another program.
void linux_reset_signals(void);
/// From now on children that end can be waited for, also where the parent's SIGCHLD was ignored (wait(2)).
void linux_notice_children(void);

/// From now on a write to a pipe that nobody reads gives EPIPE and does not end the calling process.
void linux_ignore_broken_pipes(void);
/// Does to the calling process what a signal that is blocked does to one that does not care: a stop returns when the
/// process goes on, an end does not return.
void linux_raise(int signal);

/// Tells the kernel that Ctrl-Alt-Del should send SIGINT to process 1 instead of restarting at once.
static inline int linux_catch_ctrl_alt_del(void) { return reboot(RB_DISABLE_CAD); }
static inline int linux_restart(void) { return reboot(RB_AUTOBOOT); }
static inline int linux_halt(void) { return reboot(RB_HALT_SYSTEM); }
static inline int linux_power_off(void) { return reboot(RB_POWER_OFF); }

/// The serial hardware type behind a terminal (TIOCGSERIAL): 0 unknown, so no port; -1 with errno.
int linux_serial_type(int terminal);
/// Readies a terminal for a shell: line mode with echo, local (no carrier needed), sane control characters, speed kept.
int linux_terminal_defaults(int terminal);
/// Sets a serial line's speed in baud; -1 with errno EINVAL for one that it cannot have.
int linux_terminal_speed(int terminal, unsigned baud);

/// Whether a descriptor is a terminal.
int linux_is_terminal(int descriptor);
/// Gives a terminal's keys one by one and without echo; signals by key stay. With `keep`, linux_terminal_restore brings
/// back what was before. -1 with errno.
int linux_terminal_raw(int terminal, int keep);
int linux_terminal_restore(int terminal);
/// How many characters a terminal shows (TIOCGWINSZ), 0 when the kernel does not know; -1 with errno.
int linux_terminal_size(int terminal, int *columns, int *rows);
/// Bytes that were written and have not gone out yet (TIOCOUTQ); -1 with errno.
int linux_terminal_backlog(int terminal);
/// Whether the calling process is in a terminal's foreground.
int linux_terminal_is_ours(int terminal);

/// Opens the tray of a CD drive after unlocking it (CDROM_LOCKDOOR, CDROMEJECT); -1 with errno.
int linux_eject(int drive);

/// Whether a CD drive has a disc that can be read (CDROM_DRIVE_STATUS); 1 also when the drive cannot tell.
int linux_disc_present(int drive);

/// The IPv4 addresses of all interfaces that are up, loopback left out, in network order; gives how many, at most
/// `room`, or -1 with errno (SIOCGIFCONF, netdevice(7)).
int linux_addresses(uint32_t *addresses, int room);

/// Major and minor number of a device.
unsigned linux_device_major(uint64_t device);
unsigned linux_device_minor(uint64_t device);

/// What lstat(2) says, in numbers of one width everywhere; see `Observation`.
struct linux_observation {
  uint32_t mode, owner, group, links, major, minor;
  uint64_t size, filesystem, inode;
  int64_t modified, changed;
};
int linux_observe(const char *path, struct linux_observation *found);

/// Opens a regular file for reading without following a link or changing its access time, or a directory; close-on-exec.
int linux_open_file(const char *path);
int linux_open_directory(const char *path);

/// Counts the names of an open directory, `.` and `..` left out, reading its records into `buffer`; -1 with errno.
int linux_count_names(int directory, void *buffer, size_t room);

/// Sets the name that ps(1) and killall(1) know the process by; at most 15 bytes of it (PR_SET_NAME, prctl(2)).
int linux_set_process_name(const char *name);

/// Takes the lock of an open file for as long as that stays open; -1 with errno EWOULDBLOCK when another process has it.
int linux_lock(int descriptor);

/// A watchdog's identity (at most 32 bytes and a zero), whether it stops when its file is closed after a `V`, and its
/// time-out in seconds set to what the device allows (Documentation/watchdog/watchdog-api.rst); -1 with errno.
int linux_watchdog_identity(int device, char identity[33], int *stops);
int linux_watchdog_set_timeout(int device, int *seconds);
int linux_watchdog_keep_alive(int device);

/// Loads the kernel module in a file, without parameters (finit_module(2)); -1 with errno.
int linux_load_module(int descriptor);

/// fork(2), which Swift does not show.
int linux_fork(void);
/// Makes descriptors 0, 1 and 2 the file.
int linux_redirect_standard_descriptors(const char *path);

/// The clock that shows the time of day, in seconds since 1970.
int64_t linux_clock_get(void);
