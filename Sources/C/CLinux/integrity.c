#define _GNU_SOURCE
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "CLinux.h"

int linux_observe(const char *path, struct linux_observation *found) {
  struct stat look;
  if (lstat(path, &look) < 0) return -1;
  *found = (struct linux_observation){
      .mode = look.st_mode,
      .owner = look.st_uid,
      .group = look.st_gid,
      .links = (uint32_t)look.st_nlink,
      .major = (uint32_t)major(look.st_rdev),
      .minor = (uint32_t)minor(look.st_rdev),
      .size = (uint64_t)look.st_size,
      .filesystem = look.st_dev,
      .inode = look.st_ino,
      .modified = (int64_t)look.st_mtim.tv_sec * 1000000000 + look.st_mtim.tv_nsec,
      .changed = (int64_t)look.st_ctim.tv_sec * 1000000000 + look.st_ctim.tv_nsec,
  };
  return 0;
}

int linux_open_file(const char *path) {
  // Non-blocking: a named pipe in the file's place must not hold anybody up.
  int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  int descriptor = open(path, flags | O_NOATIME);
  // Only a file's owner and root may leave its access time alone.
  return descriptor < 0 && errno == EPERM ? open(path, flags) : descriptor;
}

int linux_open_directory(const char *path) {
  return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/// struct linux_dirent64 (getdents(2)).
struct directory_record {
  uint64_t inode;
  int64_t offset;
  unsigned short length;
  unsigned char type;
  char name[];
};

int linux_count_names(int directory, void *buffer, size_t room) {
  int count = 0;
  for (;;) {
    long got = syscall(SYS_getdents64, directory, buffer, room);
    if (got < 0) return -1;
    if (got == 0) return count;
    for (long place = 0; place < got;) {
      const struct directory_record *record = (const void *)((const char *)buffer + place);
      const char *name = record->name;
      if (!(name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0)))) count++;
      if (record->length == 0) break;
      place += record->length;
    }
  }
}

int linux_set_process_name(const char *name) { return prctl(PR_SET_NAME, name, 0, 0, 0); }

int linux_lock(int descriptor) { return flock(descriptor, LOCK_EX | LOCK_NB); }
