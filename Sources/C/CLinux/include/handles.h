#pragma once
// Objects by descriptors that stand for a place and open nothing (O_PATH, open(2)): names are one step from a folder, and
// no link is ever followed. Each function gives -1 with errno when it fails.

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// What statx(2) says, in numbers of one width everywhere. Times are seconds since 1970 and nanoseconds; `born` is 0 where
/// the file system does not know it.
struct linux_attributes {
  uint32_t mode, links, owner, group, major, minor;
  uint64_t size, used, device, inode;
  int64_t accessed, modified, changed, born;
  uint32_t accessed_part, modified_part, changed_part, born_part;
};
/// Of a name in a folder, or with an empty name of the descriptor's own object.
int linux_read_attributes(int folder, const char *name, struct linux_attributes *found);

/// A place: a name in a folder, or a path with its links followed.
int linux_step(int folder, const char *name);
int linux_place(const char *path);
/// The place of what is open.
int linux_place_of(int descriptor);

/// Opens what a place stands for; `flags` as for open(2).
int linux_reopen(int place, int flags);

/// Makes a file that is not there yet, open for reading and writing.
int linux_create(int folder, const char *name, uint32_t mode);
int linux_make_folder(int folder, const char *name, uint32_t mode);
int linux_make_symbolic_link(int folder, const char *name, const char *target);
int linux_make_fifo(int folder, const char *name, uint32_t mode);
int linux_make_socket(int folder, const char *name, uint32_t mode);

int linux_remove(int folder, const char *name, int is_folder);
int linux_rename(int folder, const char *name, int new_folder, const char *new_name);
int linux_link(int place, int folder, const char *name);

/// A symbolic link's text: how many bytes.
ssize_t linux_link_text(int place, void *buffer, size_t room);

int linux_change_mode(int place, uint32_t mode);
/// UINT32_MAX keeps.
int linux_change_owner(int place, uint32_t owner, uint32_t group);
/// A part of -1 keeps, one of -2 is the present; otherwise nanoseconds.
int linux_change_times(int place, int64_t accessed, int32_t accessed_part, int64_t modified, int32_t modified_part);
int linux_change_size(int descriptor, int64_t size);

/// Whether the process may use the object so (R_OK, W_OK, X_OK together).
int linux_may(int place, int mode);

/// What fstatvfs(3) says, in bytes and files.
struct linux_use {
  uint64_t bytes, free_bytes, available_bytes, files, free_files, available_files;
};
int linux_read_use(int place, struct linux_use *use);

/// Records of a folder from where it stands on (getdents64(2)): how many bytes, 0 at the end.
long linux_read_names(int folder, void *buffer, size_t room);
struct linux_name {
  uint64_t inode, next;
  /// Where the name is in the buffer.
  size_t start, length;
};
/// The record at a place of the buffer; where the next one is, 0 when there is none.
size_t linux_name_at(const void *buffer, size_t length, size_t place, struct linux_name *found);
/// Puts a folder to where a name's `next` says.
int linux_go_to_name(int folder, uint64_t next);

ssize_t linux_read_at(int descriptor, void *buffer, size_t room, int64_t offset);
ssize_t linux_write_at(int descriptor, const void *buffer, size_t count, int64_t offset);

/// How many descriptors the process may have (RLIMIT_NOFILE).
uint64_t linux_descriptor_limit(void);
/// Sets it to so many, or to as many as are allowed.
void linux_set_descriptor_limit(uint64_t count);
/// A second descriptor of what is open, close-on-exec.
int linux_duplicate(int descriptor);
