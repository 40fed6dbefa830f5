#pragma once

/// Gives up everything that makes root different: sees only an empty folder as its root, becomes the user and the group of this
/// number without others, and can gain nothing by executing a file (PR_SET_NO_NEW_PRIVS, prctl(2)). -1 with errno, and then
/// the process may be anything in between: it must end.
int linux_drop_privileges(const char *empty, unsigned user);
