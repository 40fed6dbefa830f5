// The one call of glibc that Swift's Glibc module leaves out and an atomic exchange of two folders needs.
#pragma once

/// renameat2(2): with RENAME_EXCHANGE both paths change places in one step.
extern int renameat2(int old_folder, const char *old_path, int new_folder, const char *new_path, unsigned int flags);
