#define _GNU_SOURCE
#include "handles.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/// struct statx (statx(2)), which musl does not have.
struct moment {
  int64_t seconds;
  uint32_t part;
  int32_t reserved;
};
struct extended {
  uint32_t mask, block;
  uint64_t flags;
  uint32_t links, owner, group;
  uint16_t mode, spare;
  uint64_t inode, size, blocks, known_flags;
  struct moment accessed, born, changed, modified;
  uint32_t major, minor, device_major, device_minor;
  uint64_t more[14];
};
_Static_assert(sizeof(struct extended) == 256, "as long as the kernel's");

enum { basic = 0x7FF, birth = 0x800, no_automount = 0x800, empty_path = 0x1000 };

int linux_read_attributes(int folder, const char *name, struct linux_attributes *found) {
  struct extended look;
  memset(&look, 0, sizeof look);
  if (syscall(SYS_statx, folder, name, AT_SYMLINK_NOFOLLOW | no_automount | empty_path, basic | birth, &look) < 0) {
    return -1;
  }
  int has_birth = (look.mask & birth) != 0;
  *found = (struct linux_attributes){
      .mode = look.mode,
      .links = look.links,
      .owner = look.owner,
      .group = look.group,
      .major = look.major,
      .minor = look.minor,
      .size = look.size,
      .used = look.blocks * 512,
      .device = makedev(look.device_major, look.device_minor),
      .inode = look.inode,
      .accessed = look.accessed.seconds,
      .modified = look.modified.seconds,
      .changed = look.changed.seconds,
      .born = has_birth ? look.born.seconds : 0,
      .accessed_part = look.accessed.part,
      .modified_part = look.modified.part,
      .changed_part = look.changed.part,
      .born_part = has_birth ? look.born.part : 0,
  };
  return 0;
}

/// The path by which the kernel goes from a descriptor to its object (proc(5)).
struct link {
  char path[40];
};
static struct link link_of(int descriptor) {
  struct link out;
  snprintf(out.path, sizeof out.path, "/proc/self/fd/%d", descriptor);
  return out;
}

int linux_step(int folder, const char *name) { return openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC); }
int linux_place(const char *path) { return open(path, O_PATH | O_CLOEXEC); }
int linux_place_of(int descriptor) { return open(link_of(descriptor).path, O_PATH | O_CLOEXEC); }

int linux_reopen(int place, int flags) {
  return open(link_of(place).path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

int linux_create(int folder, const char *name, uint32_t mode) {
  return openat(folder, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, (mode_t)mode);
}
int linux_make_folder(int folder, const char *name, uint32_t mode) { return mkdirat(folder, name, (mode_t)mode); }
int linux_make_symbolic_link(int folder, const char *name, const char *target) {
  return symlinkat(target, folder, name);
}
int linux_make_fifo(int folder, const char *name, uint32_t mode) {
  return mknodat(folder, name, S_IFIFO | (mode_t)mode, 0);
}
int linux_make_socket(int folder, const char *name, uint32_t mode) {
  return mknodat(folder, name, S_IFSOCK | (mode_t)mode, 0);
}

int linux_remove(int folder, const char *name, int is_folder) {
  return unlinkat(folder, name, is_folder ? AT_REMOVEDIR : 0);
}
int linux_rename(int folder, const char *name, int new_folder, const char *new_name) {
  return renameat(folder, name, new_folder, new_name);
}
int linux_link(int place, int folder, const char *name) {
  return linkat(AT_FDCWD, link_of(place).path, folder, name, AT_SYMLINK_FOLLOW);
}

ssize_t linux_link_text(int place, void *buffer, size_t room) { return readlinkat(place, "", buffer, room); }

int linux_change_mode(int place, uint32_t mode) { return chmod(link_of(place).path, (mode_t)mode); }
int linux_change_owner(int place, uint32_t owner, uint32_t group) {
  return fchownat(place, "", (uid_t)owner, (gid_t)group, empty_path);
}

static struct timespec time_of(int64_t seconds, int32_t part) {
  return (struct timespec){
      .tv_sec = (time_t)seconds,
      .tv_nsec = part == -1 ? UTIME_OMIT : part == -2 ? UTIME_NOW : part,
  };
}
int linux_change_times(int place, int64_t accessed, int32_t accessed_part, int64_t modified, int32_t modified_part) {
  struct timespec times[2] = {time_of(accessed, accessed_part), time_of(modified, modified_part)};
  return utimensat(AT_FDCWD, link_of(place).path, times, 0);
}
int linux_change_size(int descriptor, int64_t size) { return ftruncate(descriptor, (off_t)size); }

int linux_may(int place, int mode) { return access(link_of(place).path, mode); }

int linux_read_use(int place, struct linux_use *use) {
  struct statvfs found;
  if (fstatvfs(place, &found) < 0) return -1;
  uint64_t block = found.f_frsize;
  *use = (struct linux_use){
      .bytes = block * found.f_blocks,
      .free_bytes = block * found.f_bfree,
      .available_bytes = block * found.f_bavail,
      .files = found.f_files,
      .free_files = found.f_ffree,
      .available_files = found.f_favail,
  };
  return 0;
}

/// struct linux_dirent64 (getdents(2)).
struct name_record {
  uint64_t inode;
  int64_t next;
  unsigned short length;
  unsigned char type;
  char name[];
};

long linux_read_names(int folder, void *buffer, size_t room) { return syscall(SYS_getdents64, folder, buffer, room); }

size_t linux_name_at(const void *buffer, size_t length, size_t place, struct linux_name *found) {
  size_t head = offsetof(struct name_record, name);
  if (place >= length || length - place <= head) return 0;
  struct name_record record;
  const char *start = (const char *)buffer + place;
  memcpy(&record, start, head);
  if (record.length <= head || record.length > length - place) return 0;
  *found = (struct linux_name){
      .inode = record.inode,
      .next = (uint64_t)record.next,
      .start = place + head,
      .length = strnlen(start + head, record.length - head),
  };
  return place + record.length;
}

int linux_go_to_name(int folder, uint64_t next) { return lseek(folder, (off_t)next, SEEK_SET) < 0 ? -1 : 0; }

ssize_t linux_read_at(int descriptor, void *buffer, size_t room, int64_t offset) {
  return pread(descriptor, buffer, room, (off_t)offset);
}
ssize_t linux_write_at(int descriptor, const void *buffer, size_t count, int64_t offset) {
  return pwrite(descriptor, buffer, count, (off_t)offset);
}

uint64_t linux_descriptor_limit(void) {
  struct rlimit limit;
  return getrlimit(RLIMIT_NOFILE, &limit) < 0 ? 0 : limit.rlim_cur;
}

void linux_set_descriptor_limit(uint64_t count) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return;
  limit.rlim_cur = count < limit.rlim_max ? (rlim_t)count : limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
}

int linux_duplicate(int descriptor) { return fcntl(descriptor, F_DUPFD_CLOEXEC, 3); }
