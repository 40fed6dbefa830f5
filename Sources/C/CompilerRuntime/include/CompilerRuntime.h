#pragma once
// The 64-bit arithmetic and the 8-byte atomics that a 32-bit compiler calls by name (GCC's libgcc manual, "Integer
// library routines"; LLVM's "Atomic Instructions and Concurrency Guide", libcalls __atomic_*). The distribution's
// libgcc.a is built for i686 with ENDBR32, so a drone brings its own. Nothing here is called by name from Swift.
