/* SPDX-License-Identifier: MIT */
/* platform.h: the one place where the compiler, the build options and the sanitizers are asked.
 *
 * Everything above uses the macros below and has no `#if` of its own, but for what has to be
 * written once for each platform (atomic.h, os.h, valgrind.h), and for the mode that a program
 * chooses (orc/rc.h). Code that is for threads only says `if (OURO_THREADS)`. */
#ifndef OURO_ALLOC_PLATFORM_H
#define OURO_ALLOC_PLATFORM_H

#include "alloc/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define OURO_EXTERN_C_BEGIN extern "C" {
#define OURO_EXTERN_C_END   }
#define OURO_THREAD_LOCAL   thread_local
#define OURO_STATIC_ASSERT  static_assert
#else
#define OURO_EXTERN_C_BEGIN
#define OURO_EXTERN_C_END
#define OURO_THREAD_LOCAL  _Thread_local
#define OURO_STATIC_ASSERT _Static_assert
#endif

#if !defined(__GNUC__)
#error "Ouro needs a compiler with GNU C extensions (gcc or clang)"
#endif

#define OURO_API    __attribute__((visibility("default")))
#define OURO_INLINE static inline __attribute__((always_inline, unused))
/* At dlclose, or when the process ends. */
#define OURO_AT_UNLOAD __attribute__((destructor))
/* Before main and before what others begin with, or when it is loaded later. */
#define OURO_AT_LOAD  __attribute__((constructor(101)))
#define OURO_NOINLINE __attribute__((noinline))
/* Of a header, and rare: not inlined, and emitted only where it is called. */
#define OURO_HEADER_COLD static inline __attribute__((cold, unused))
#define OURO_COLD        __attribute__((cold, noinline))
#define OURO_NORETURN    __attribute__((noreturn))
#define OURO_MALLOC_LIKE __attribute__((malloc, warn_unused_result))
#define OURO_MUST_CHECK  __attribute__((warn_unused_result))
#define OURO_LIKELY(x)   __builtin_expect(!!(x), 1)
#define OURO_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define OURO_PREFETCH(p) __builtin_prefetch((p), 1, 3)
/* The structure whose `member` is at `p`. */
#define OURO_CONTAINER_OF(p, type, member)                                                         \
    ((type *)(void *)(((char *)(p)) - offsetof(type, member)))

/* Thread-local words; plain globals where the library is built without threads. */
#if OURO_THREADS
#define OURO_TLS OURO_THREAD_LOCAL __attribute__((tls_model(OURO_TLS_MODEL)))
#else
#define OURO_TLS
#endif

/* Whether this is the process's only thread, as one load tells; where libc does not keep that, no.
 * It is cleared before a second one exists. */
#if !OURO_THREADS
#define OURO_ONLY_THREAD() true
#elif defined(__has_include)
#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#define OURO_ONLY_THREAD() (__libc_single_threaded != 0)
#endif
#endif
#ifndef OURO_ONLY_THREAD
#define OURO_ONLY_THREAD() false
#endif

/* The file and line where it stands, as text in static storage. */
#define OURO_HERE            __FILE__ ":" OURO__AS_TEXT(__LINE__)
#define OURO__AS_TEXT(line)  OURO__AS_TEXT_(line)
#define OURO__AS_TEXT_(line) #line

/* What clang's -Wthread-safety is told; other compilers are told nothing. A lock is a struct
 * ouro_lock or a pointer to one. Of types and data: */
#if defined(__clang__)
#define OURO__THREAD_SAFETY(...) __attribute__((__VA_ARGS__))
#else
#define OURO__THREAD_SAFETY(...)
#endif
#define OURO_CAPABILITY(name)     OURO__THREAD_SAFETY(capability(name))
#define OURO_SCOPED_CAPABILITY    OURO__THREAD_SAFETY(scoped_lockable) /* C++: a lock_guard */
#define OURO_GUARDED_BY(lock)     OURO__THREAD_SAFETY(guarded_by(lock))
#define OURO_PT_GUARDED_BY(lock)  OURO__THREAD_SAFETY(pt_guarded_by(lock)) /* what it points to */
#define OURO_ACQUIRED_BEFORE(...) OURO__THREAD_SAFETY(acquired_before(__VA_ARGS__))
#define OURO_ACQUIRED_AFTER(...)  OURO__THREAD_SAFETY(acquired_after(__VA_ARGS__))
/* Of functions: */
#define OURO_ACQUIRES(...)      OURO__THREAD_SAFETY(acquire_capability(__VA_ARGS__))
#define OURO_RELEASES(...)      OURO__THREAD_SAFETY(release_capability(__VA_ARGS__))
#define OURO_TRY_ACQUIRES(...)  OURO__THREAD_SAFETY(try_acquire_capability(__VA_ARGS__))
#define OURO_REQUIRES(...)      OURO__THREAD_SAFETY(requires_capability(__VA_ARGS__))
#define OURO_EXCLUDES(...)      OURO__THREAD_SAFETY(locks_excluded(__VA_ARGS__))
#define OURO_ASSERTS_HELD(...)  OURO__THREAD_SAFETY(assert_capability(__VA_ARGS__))
#define OURO_RETURNS_LOCK(lock) OURO__THREAD_SAFETY(lock_returned(lock))
#define OURO_NO_THREAD_SAFETY   OURO__THREAD_SAFETY(no_thread_safety_analysis)

/* Sanitizers: an instrumented build sends every allocation out of line (see pool.h, "watched"). */
#if defined(__SANITIZE_ADDRESS__)
#define OURO_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define OURO_ASAN 1
#endif
#endif
#ifndef OURO_ASAN
#define OURO_ASAN 0
#endif

/* LeakSanitizer looks for pointers in what libc gave out; this makes it look here too. */
#if OURO_ASAN
#include <sanitizer/lsan_interface.h>
#define OURO__ROOTS(p, size) __lsan_register_root_region((p), (size))
#else
#define OURO__ROOTS(p, size) ((void)0)
#endif

#if defined(__SANITIZE_THREAD__)
#define OURO_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define OURO_TSAN 1
#endif
#endif
#ifndef OURO_TSAN
#define OURO_TSAN 0
#endif

/* Whether OURO_ONLY_THREAD can say yes: libc keeps it, and no tool has a thread of its own. */
#if !OURO_THREADS
#define OURO__TELLS_ONLY_THREAD 1
#elif defined(__has_include)
#if __has_include(<sys/single_threaded.h>) && !OURO_TSAN
#define OURO__TELLS_ONLY_THREAD 1
#endif
#endif
#ifndef OURO__TELLS_ONLY_THREAD
#define OURO__TELLS_ONLY_THREAD 0
#endif

/* ThreadSanitizer, where what orders two threads is not compiled for it: all that the one did
 * before it gives `p` comes before what the other does when it has taken it. */
#if OURO_TSAN
#include <sanitizer/tsan_interface.h>
#define OURO__TSAN_GIVES(p) __tsan_release(p)
#define OURO__TSAN_TAKES(p) __tsan_acquire(p)
#else
#define OURO__TSAN_GIVES(p) ((void)0)
#define OURO__TSAN_TAKES(p) ((void)0)
#endif

/* Built as libouro-malloc.so, to be the malloc of the process. */
#ifndef OURO_FRONT
#define OURO_FRONT 0
#endif

/* A condition that only that library asks. */
#if OURO_FRONT
#define OURO_IN_FRONT(x) (x)
#else
#define OURO_IN_FRONT(x) 0
#endif

/* Built to be tested under qemu-user, whose /proc/self/stat tells of no threads (os.h), and which
 * does not survive a fork beside running threads (tests). */
#ifndef OURO_EMULATED
#define OURO_EMULATED 0
#endif

/* Where the stack of the calling function's caller ends: below stands what that called. The address
 * of a frame does not tell: it is the frame's upper end on x86-64, and its lower end on 64-bit Arm,
 * where clang gives it for both; there a function that does nothing but pass this on has only its
 * record of 16 bytes. */
#if defined(__clang__) && defined(__aarch64__)
#define OURO__CALLERS_STACK() ((uintptr_t)__builtin_frame_address(0) + 16)
#else
#define OURO__CALLERS_STACK() ((uintptr_t)__builtin_dwarf_cfa())
#endif

/* A function that reads words which another thread may be writing, and says what that means. */
#if OURO_TSAN
#define OURO_READS_RACY __attribute__((no_sanitize("thread"), noinline))
#else
#define OURO_READS_RACY
#endif

/* What a loop does that waits for another thread's store. */
#if defined(__x86_64__)
#define OURO__PAUSE() __builtin_ia32_pause()
#else
#define OURO__PAUSE() __asm__ volatile("yield" ::: "memory")
#endif

/* Bits of the addresses that the system gives without being asked for more, and the largest page
 * that a kernel for this machine may have. */
#if defined(__x86_64__)
#define OURO__ADDRESS_BITS 47
#define OURO__PAGE_MOST    ((size_t)4 << 10)
#else /* aarch64: 4, 16 or 64 KiB */
#define OURO__ADDRESS_BITS 48
#define OURO__PAGE_MOST    ((size_t)64 << 10)
#endif

OURO_STATIC_ASSERT(sizeof(void *) == 8, "Ouro needs a 64-bit machine");

/* The number of the ABI: what inlined code of programs knows of headers, contexts, heaps, pages and
 * types (orc/abi.h, docs/abi.md). A program with another number does not go with this library. */
#ifndef OURO_ABI /* the test of that sets it */
#define OURO_ABI 1
#endif

/* Every unit that includes a header of Ouro refers to a symbol that is named after the number:
 * ouro_abi_1, without threads ouro_abi_1_single. So a library of another ABI is refused by whoever
 * links or loads the program, and the message has the name. The reference is a pointer in the
 * unit's data; `retain` keeps it where the linker collects unused sections. */
#define OURO__PASTE(a, b)  OURO__PASTE_(a, b)
#define OURO__PASTE_(a, b) a##b
#if OURO_THREADS
#define OURO__ABI_SYMBOL OURO__PASTE(ouro_abi_, OURO_ABI)
#else
#define OURO__ABI_SYMBOL OURO__PASTE(OURO__PASTE(ouro_abi_, OURO_ABI), _single)
#endif
#define OURO__RETAINED __attribute__((used))
#ifdef __has_attribute
#if __has_attribute(retain)
#undef OURO__RETAINED
#define OURO__RETAINED __attribute__((used, retain))
#endif
#endif

OURO_EXTERN_C_BEGIN
extern OURO_API const char OURO__ABI_SYMBOL;
OURO__RETAINED static const char *const ouro__abi_wanted = &OURO__ABI_SYMBOL;
OURO_EXTERN_C_END

/* A word whose bits all depend on all of `x` (the last steps of splitmix64, Steele, Lea, Flood
 * 2014). */
OURO_INLINE uint64_t ouro__mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

#endif
