#include "CompilerRuntime.h"

#if defined(__i386__)

typedef unsigned long long u64;
typedef long long s64;
typedef unsigned int u32;

// Halves of a 64-bit value, so that shifts by 32 and more never call the functions they implement.
typedef union {
  u64 all;
  struct {
    u32 low, high;
  } half;
} pair;

u64 __ashldi3(u64 value, int count) {
  pair in = {value}, out;
  if (count & 32) {
    out.half.high = in.half.low << (count & 31);
    out.half.low = 0;
  } else if (count == 0) {
    return value;
  } else {
    out.half.high = in.half.high << count | in.half.low >> (32 - count);
    out.half.low = in.half.low << count;
  }
  return out.all;
}

u64 __lshrdi3(u64 value, int count) {
  pair in = {value}, out;
  if (count & 32) {
    out.half.low = in.half.high >> (count & 31);
    out.half.high = 0;
  } else if (count == 0) {
    return value;
  } else {
    out.half.low = in.half.low >> count | in.half.high << (32 - count);
    out.half.high = in.half.high >> count;
  }
  return out.all;
}

s64 __ashrdi3(s64 value, int count) {
  pair in = {(u64)value}, out;
  int high = (int)in.half.high;
  if (count & 32) {
    out.half.low = (u32)(high >> (count & 31));
    out.half.high = (u32)(high >> 31);
  } else if (count == 0) {
    return value;
  } else {
    out.half.low = in.half.low >> count | in.half.high << (32 - count);
    out.half.high = (u32)(high >> count);
  }
  return (s64)out.all;
}

// One 64-by-32 division step of the processor: needs high < divisor.
static inline u32 divide(u32 high, u32 low, u32 divisor, u32 *remainder) {
  u32 quotient;
  __asm__("divl %4" : "=a"(quotient), "=d"(*remainder) : "0"(low), "1"(high), "r"(divisor) : "cc");
  return quotient;
}

// Division by zero traps in `divl`, as the processor's own 32-bit division does.
u64 __udivmoddi4(u64 dividend, u64 divisor, u64 *remainder) {
  pair n = {dividend}, d = {divisor}, q, r;
  if (d.half.high == 0) {
    u32 rest = n.half.high;
    q.half.high = 0;
    if (rest >= d.half.low) q.half.high = divide(0, rest, d.half.low, &rest);
    q.half.low = divide(rest, n.half.low, d.half.low, &r.half.low);
    r.half.high = 0;
  } else {
    // The divisor has a high half, so the quotient fits 32 bits: subtract and shift, at most 32 rounds.
    q.all = 0;
    r.all = n.half.high;
    for (int bit = 31; bit >= 0; bit--) {
      u32 carry = r.half.high >> 31;
      r.half.high = r.half.high << 1 | r.half.low >> 31;
      r.half.low = r.half.low << 1 | (n.half.low >> bit & 1);
      if (carry || r.all >= d.all) {
        r.all -= d.all;
        q.half.low |= 1u << bit;
      }
    }
  }
  if (remainder) *remainder = r.all;
  return q.all;
}

u64 __udivdi3(u64 dividend, u64 divisor) { return __udivmoddi4(dividend, divisor, 0); }

u64 __umoddi3(u64 dividend, u64 divisor) {
  u64 remainder;
  __udivmoddi4(dividend, divisor, &remainder);
  return remainder;
}

static u64 magnitude(s64 value) { return value < 0 ? 0 - (u64)value : (u64)value; }

s64 __divdi3(s64 dividend, s64 divisor) {
  u64 quotient = __udivdi3(magnitude(dividend), magnitude(divisor));
  return (dividend < 0) != (divisor < 0) ? (s64)(0 - quotient) : (s64)quotient;
}

s64 __moddi3(s64 dividend, s64 divisor) {
  u64 remainder = __umoddi3(magnitude(dividend), magnitude(divisor));
  return dividend < 0 ? (s64)(0 - remainder) : (s64)remainder;
}

s64 __divmoddi4(s64 dividend, s64 divisor, s64 *remainder) {
  *remainder = __moddi3(dividend, divisor);
  return __divdi3(dividend, divisor);
}

// Multiplication with overflow report (Swift's checked 64-bit `*`).
s64 __mulodi4(s64 a, s64 b, int *overflow) {
  u64 product = (u64)a * (u64)b;
  u64 x = magnitude(a), y = magnitude(b);
  u64 limit = (u64)1 << 63;
  int negative = (a < 0) != (b < 0);
  *overflow = x != 0 && y > (negative ? limit : limit - 1) / x;
  return (s64)product;
}

// 8-byte atomics: the Pentium's CMPXCHG8B is one instruction, and drone programs have one thread.
static u64 exchange_if(volatile u64 *where, u64 expected, u64 wanted) {
  pair e = {expected}, w = {wanted};
  __asm__ volatile("lock; cmpxchg8b %2"
                   : "+a"(e.half.low), "+d"(e.half.high), "+m"(*where)
                   : "b"(w.half.low), "c"(w.half.high)
                   : "cc", "memory");
  return e.all;
}

// clang treats __atomic_* as builtins and refuses definitions under those names: named by assembler label.
#define LIBCALL(name) __asm__(#name)

u64 load8(volatile u64 *where, int order) LIBCALL(__atomic_load_8);
u64 load8(volatile u64 *where, int order) { return exchange_if(where, 0, 0); }

#define UPDATE(function, label, wanted)                                                 \
  u64 function(volatile u64 *where, u64 value, int order) LIBCALL(label);               \
  u64 function(volatile u64 *where, u64 value, int order) {                             \
    u64 seen = load8(where, 0);                                                         \
    for (;;) {                                                                          \
      u64 before = exchange_if(where, seen, (wanted));                                  \
      if (before == seen) return seen;                                                  \
      seen = before;                                                                    \
    }                                                                                   \
  }

UPDATE(exchange8, __atomic_exchange_8, value)
UPDATE(fetch_add8, __atomic_fetch_add_8, seen + value)
UPDATE(fetch_sub8, __atomic_fetch_sub_8, seen - value)
UPDATE(fetch_and8, __atomic_fetch_and_8, seen & value)
UPDATE(fetch_or8, __atomic_fetch_or_8, seen | value)
UPDATE(fetch_xor8, __atomic_fetch_xor_8, seen ^ value)

void store8(volatile u64 *where, u64 value, int order) LIBCALL(__atomic_store_8);
void store8(volatile u64 *where, u64 value, int order) { exchange8(where, value, order); }

_Bool compare_exchange8(volatile u64 *where, u64 *expected, u64 wanted, int success, int failure)
    LIBCALL(__atomic_compare_exchange_8);
_Bool compare_exchange8(volatile u64 *where, u64 *expected, u64 wanted, int success, int failure) {
  u64 before = exchange_if(where, *expected, wanted);
  if (before == *expected) return 1;
  *expected = before;
  return 0;
}

#endif
