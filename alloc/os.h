/* SPDX-License-Identifier: MIT */
/* os.h: Internal to alloc, hooks, orc and isolate. Every call of the operating system, and nothing
 * else.
 *
 * Nothing above this header names an OS. What is here for POSIX with Linux' madvise, futex and
 * eventfd would be written once more, with the same signatures, for another system. Nothing here
 * allocates but ouro__os_thread_start. */
#ifndef OURO_ALLOC_OS_H
#define OURO_ALLOC_OS_H

#include "alloc/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#if OURO_THREADS
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#endif
#if OURO_EMULATED
#include <sys/stat.h>
#endif

/* Mappings begin and end at multiples of it: what begins elsewhere, munmap refuses. */
#define OURO__OS_PAGE OURO__PAGE_MOST

/* Reserves and commits `size` bytes of zeroes aligned to `align` (a power of two, at least a page);
 * NULL: refused. `hint` may be NULL. Without MAP_NORESERVE, so that the system refuses at once what
 * it could never give. */
static inline void *ouro__os_map(void *hint, size_t size, size_t align)
{
    const int prot = PROT_READ | PROT_WRITE;
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    void *p = mmap(hint, size, prot, flags, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    if (((uintptr_t)p & (align - 1)) == 0)
        return p;
    munmap(p, size);
    if (size + align < size)
        return NULL;
    p = mmap(NULL, size + align, prot, flags, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    uintptr_t start = ((uintptr_t)p + align - 1) & ~(uintptr_t)(align - 1);
    size_t before = start - (uintptr_t)p;
    if (before)
        munmap(p, before);
    if (align - before)
        munmap((void *)(start + size), align - before);
    return (void *)start;
}
/* Both keep errno: they are what a free comes to. */
static inline void ouro__os_unmap(void *p, size_t size)
{
    int was = errno;
    munmap(p, size);
    errno = was;
}
/* Linux' own: libc declares it, and names MREMAP_MAYMOVE | MREMAP_FIXED, for _GNU_SOURCE alone. */
extern void *mremap(void *p, size_t size, size_t larger, int how, ...);
#define OURO__REMAP_THERE 3

/* Makes a mapping of ouro__os_map larger where it is; false: something lies behind it. What is new
 * reads as zeroes. */
static inline bool ouro__os_enlarge(void *p, size_t size, size_t larger)
{
    int was = errno;
    bool done = mremap(p, size, larger, 0) != MAP_FAILED;
    errno = was;
    return done;
}
/* Puts a mapping into the place of another one of `room` bytes, which is no smaller, and makes it
 * as large: nothing is copied, its old addresses are nobody's, and the system has one mapping, not
 * two side by side, which some do not move again. False: it is where it was, and what `to` had in
 * its place may be there or not. */
static inline bool ouro__os_move(void *from, size_t size, void *to, size_t room)
{
    int was = errno;
    bool done = mremap(from, size, room, OURO__REMAP_THERE, to) != MAP_FAILED;
    errno = was;
    return done;
}
/* Linux' own, too. */
extern ssize_t process_vm_readv(pid_t, const struct iovec *, unsigned long, const struct iovec *,
                                unsigned long, unsigned long);
/* Whether the word at `p`, which may be mapped no more, or be another's by now, is `word`. False
 * too where the system does not say. */
static inline bool ouro__os_holds(void *p, uint64_t word)
{
    uint64_t found = ~word;
    struct iovec to = {&found, sizeof found}, from = {p, sizeof found};
    int was = errno;
    bool read = process_vm_readv(getpid(), &to, 1, &from, 1, 0) == (ssize_t)sizeof found;
    errno = was;
    return read && found == word;
}
/* Whether what is mapped now gets its memory at once (mlockall, MCL_FUTURE): nothing tells but a
 * page that was never touched. No flag of mmap leaves a mapping out of that. */
static inline bool ouro__os_fills_maps(void)
{
    unsigned char present = 1;
    int was = errno;
    void *p = mmap(NULL, OURO__OS_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool fills = p == MAP_FAILED || mincore(p, 1, &present) != 0 || (present & 1) != 0;
    if (p != MAP_FAILED)
        munmap(p, OURO__OS_PAGE);
    errno = was;
    return fills;
}
/* The size of a page, as the system has it: at most OURO__OS_PAGE. */
static inline size_t ouro__os_page(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}
/* Whether the process may have only so much address space (ulimit -v). */
static inline bool ouro__os_space_is_limited(void)
{
    struct rlimit space;
    int was = errno;
    bool limited = getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY;
    errno = was;
    return limited;
}
/* Gives the memory back; whether it reads as zeroes now. Locked pages (mlock) are refused. */
static inline bool ouro__os_purge(void *p, size_t size)
{
    int was = errno;
    bool gone = madvise(p, size, MADV_DONTNEED) == 0;
    errno = was;
    return gone;
}
/* How many bytes of that there is memory for: whole pages, at most OURO__OS_MOST of them. */
#define OURO__OS_MOST 32
static inline size_t ouro__os_present(void *p, size_t size)
{
    unsigned char present[OURO__OS_MOST];
    size_t page = ouro__os_page(), count = 0;
    int was = errno;
    if (mincore(p, size, present) != 0)
        memset(present, 1, sizeof present);
    errno = was;
    for (size_t i = 0; i < size / page; i++)
        count += present[i] & 1;
    return count * page;
}
/* Nobody may touch it: whoever does is stopped; everybody may again. False: refused. */
static inline bool ouro__os_forbid(void *p, size_t size)
{
    int was = errno;
    bool done = mprotect(p, size, PROT_NONE) == 0;
    errno = was;
    return done;
}
static inline bool ouro__os_allow(void *p, size_t size)
{
    int was = errno;
    bool done = mprotect(p, size, PROT_READ | PROT_WRITE) == 0;
    errno = was;
    return done;
}
/* Milliseconds of a clock that never goes back; cheap and coarse. */
static inline int64_t ouro__os_milliseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
static inline uint64_t ouro__os_nanoseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}
/* Writes to the standard error, whole or in part; async-signal-safe. */
static inline void ouro__os_say(const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = write(2, text, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        text += n;
        len -= (size_t)n;
    }
}
/* Declared for _GNU_SOURCE alone. */
extern char *secure_getenv(const char *name);
/* NULL too in a program that has more rights than who started it, and what is in its
 * environment. */
static inline const char *ouro__os_getenv(const char *name)
{
    return secure_getenv(name);
}
static inline void ouro__os_no_memory(void)
{
    errno = ENOMEM;
}
static inline void ouro__os_bad_argument(void)
{
    errno = EINVAL;
}
static inline int ouro__os_errno(void)
{
    return errno;
}
static inline void ouro__os_set_errno(int number)
{
    errno = number;
}
/* A function without arguments that the system calls when the program has returned from main or
 * called exit, after all that was registered by atexit. */
#define OURO__OS_AT_EXIT __attribute__((destructor(101)))
/* How many threads the process has now; 0: cannot tell. Some microseconds. */
static inline unsigned ouro__os_threads(void)
{
#if OURO_EMULATED
    struct stat tasks; /* a folder has two links, and one for each task; one is the emulator's */
    return stat("/proc/self/task", &tasks) == 0 ? (unsigned)tasks.st_nlink - 3 : 0;
#elif OURO_THREADS
    char text[512];
    int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    const char *s = strrchr(text, ')'); /* then: state, and num_threads is the 18th field */
    for (unsigned field = 0; s && field < 18; field++)
        s = strchr(s + 1, ' ');
    unsigned count = s ? (unsigned)strtoul(s, NULL, 10) : 0;
    return count > OURO_TSAN ? count - OURO_TSAN : count; /* ThreadSanitizer has one of its own */
#else
    return 1;
#endif
}
/* A number that a fork's child does not share with its parent. */
static inline uint64_t ouro__os_process(void)
{
    return (uint64_t)getpid();
}
OURO_NORETURN static inline void ouro__os_abort(void)
{
    abort();
}
/* Where the stack lies that the calling thread was started on; false: cannot tell (libc wants
 * memory for it; of a first thread without a limit it asks /proc). With glibc the thread-local data
 * of modules that were there from the start is a part of a later thread's. Some microseconds; both
 * in stack.c. */
bool ouro__os_stack(uintptr_t *low, uintptr_t *high);
/* The file of the module that `code` lies in ("": the program's, or not known), and where in it, as
 * addr2line takes it. O(loaded modules). */
const char *ouro__os_module_of(const void *code, uintptr_t *offset);
/* -- what libouro-malloc.so alone asks: symbol.c, files.c -- */
/* What a library that is loaded already calls `name`; library NULL: the first that has it after
 * this one. NULL: there is none. It may allocate. */
void *ouro__os_symbol(const char *library, const char *name);
/* Who called, who called that, .., at most `most` of them, from the first that is not of this
 * library on; returns how many. It may allocate, in theory. */
size_t ouro__os_callers(void **callers, size_t most);
/* The name of the function that `code` lies in; NULL: it is in no module's table of symbols. Static
 * storage of the module. */
const char *ouro__os_function_of(const void *code);
/* The name by which the program was started, without folders. Static storage. */
const char *ouro__os_program(void);
/* Two words that nobody outside the process can tell. */
void ouro__os_secret(uint64_t secret[2]);
/* Has `report` called by quick_exit, after what was registered later. */
void ouro__os_at_quick_exit(void (*report)(void));
/* Files, by descriptor. create: of that name, empty; read: what was read, 0 at the end; -1: no. */
int ouro__os_create(const char *name);
int ouro__os_open(const char *name);
void ouro__os_close(int file);
bool ouro__os_write(int file, const char *text, size_t len);
size_t ouro__os_read(int file, char *room, size_t size);
/* Remembers what the standard error is now; programs close it before they end. Then: a descriptor
 * of that, to be written to and left open; -1: it is gone. */
void ouro__os_keep_errors(void);
int ouro__os_kept_errors(void);

/* How many processors there are for the process to run on; 1: cannot tell. It may read files. */
static inline unsigned ouro__os_processors(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 1 ? (unsigned)n : 1;
}
/* Sleep by address, as Linux' futex has it (its numbers, for not every libc comes with them). None
 * of it, nor of the events below, is a cancellation point: whoever holds a lock, or stands in a
 * list, is not taken out of it. All keep errno.
 *
 * wait: sleeps while *word is `value`; until somebody wakes it, the time of ouro__os_nanoseconds is
 * `until` (0: never), or for no reason. False: it is that late. */
static inline bool ouro__os_wait(const unsigned *word, unsigned value, uint64_t until)
{
    enum { WAIT_BITSET_PRIVATE = 9 | 128 };
    struct timespec t = {(time_t)(until / 1000000000u), (long)(until % 1000000000u)};
    int was = errno;
    bool late =
        syscall(SYS_futex, word, WAIT_BITSET_PRIVATE, value, until ? &t : NULL, NULL, ~0u) != 0 &&
        errno == ETIMEDOUT;
    errno = was;
    return !late;
}
/* Wakes one that sleeps there. The word is not looked at, and may be gone: what has its address
 * now is woken for no reason. */
static inline void ouro__os_wake(const unsigned *word)
{
    enum { WAKE_PRIVATE = 1 | 128 };
    int was = errno;
    (void)syscall(SYS_futex, word, WAKE_PRIVATE, 1, NULL, NULL, 0);
    errno = was;
}
/* A descriptor that poll and its kin find readable while it is raised; -1: there is none. */
static inline int ouro__os_event(void)
{
    int was = errno, event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    errno = was;
    return event;
}
static inline void ouro__os_event_raise(int event)
{
    uint64_t one = 1;
    int was = errno;
    (void)syscall(SYS_write, event, &one, sizeof one);
    errno = was;
}
static inline void ouro__os_event_lower(int event)
{
    uint64_t count;
    int was = errno;
    (void)syscall(SYS_read, event, &count, sizeof count);
    errno = was;
}
static inline void ouro__os_event_end(int event)
{
    int was = errno;
    (void)syscall(SYS_close, event);
    errno = was;
}
/* In the child of a fork: under the same number one of its own, lowered; false: it is closed. */
static inline bool ouro__os_event_renew(int event)
{
    int fresh = ouro__os_event(), was = errno;
    bool done = fresh >= 0 && syscall(SYS_dup3, fresh, event, O_CLOEXEC) == event;
    if (fresh >= 0)
        ouro__os_event_end(fresh);
    if (!done)
        ouro__os_event_end(event);
    errno = was;
    return done;
}

/* Whether `p` points into thread-local data of the calling thread. O(loaded modules). */
bool ouro__os_is_thread_local(void *p);

#if OURO_THREADS
typedef pthread_mutex_t ouro__mutex;
#define OURO__MUTEX_INIT PTHREAD_MUTEX_INITIALIZER
static inline void ouro__lock(ouro__mutex *m)
{
    pthread_mutex_lock(m);
}
static inline void ouro__unlock(ouro__mutex *m)
{
    pthread_mutex_unlock(m);
}
/* In the child of a fork, where another thread may have held it. */
static inline void ouro__mutex_reset(ouro__mutex *m)
{
    pthread_mutex_init(m, NULL);
}
static inline void ouro__os_doze(void) /* a millisecond */
{
    struct timespec t = {0, 1000000};
    int was = errno;
    nanosleep(&t, NULL);
    errno = was;
}
static inline void ouro__os_yield(void)
{
    sched_yield();
}
static inline bool ouro__try_lock(ouro__mutex *m)
{
    return pthread_mutex_trylock(m) == 0;
}
static inline void ouro__mutex_end(ouro__mutex *m)
{
    pthread_mutex_destroy(m);
}
#define OURO__OS_LONGEST ((uint64_t)100 * 365 * 86400 * 1000000000u) /* a hundred years */
/* POSIX' timed calls go by the time of day, which is set now and then: what it shows when the clock
 * of ouro__os_nanoseconds shows `until`, if nobody sets it. */
static inline struct timespec ouro__os_time_of_day_at(uint64_t until)
{
    struct timespec t;
    uint64_t now = ouro__os_nanoseconds(), left = until > now ? until - now : 0;
    clock_gettime(CLOCK_REALTIME, &t);
    left = (left < OURO__OS_LONGEST ? left : OURO__OS_LONGEST) + (uint64_t)t.tv_nsec;
    t.tv_sec += (time_t)(left / 1000000000u);
    t.tv_nsec = (long)(left % 1000000000u);
    return t;
}
/* false: the clock of ouro__os_nanoseconds shows `until`, and it is not taken. */
static inline bool ouro__lock_until(ouro__mutex *m, uint64_t until)
{
    do {
        struct timespec t = ouro__os_time_of_day_at(until);
        if (pthread_mutex_timedlock(m, &t) == 0)
            return true;
    } while (ouro__os_nanoseconds() < until);
    return false;
}
typedef pthread_cond_t ouro__condition;
#define OURO__CONDITION_INIT PTHREAD_COND_INITIALIZER
static inline void ouro__condition_reset(ouro__condition *c)
{
    pthread_cond_init(c, NULL);
}
static inline void ouro__condition_end(ouro__condition *c)
{
    pthread_cond_destroy(c);
}
/* May return early, as POSIX says. */
static inline void ouro__condition_wait(ouro__condition *c, ouro__mutex *m)
{
    pthread_cond_wait(c, m);
}
/* false: the clock of ouro__os_nanoseconds shows `until`. */
static inline bool ouro__condition_wait_until(ouro__condition *c, ouro__mutex *m, uint64_t until)
{
    do {
        struct timespec t = ouro__os_time_of_day_at(until);
        if (pthread_cond_timedwait(c, m, &t) == 0)
            return true;
    } while (ouro__os_nanoseconds() < until);
    return false;
}
static inline void ouro__condition_signal(ouro__condition *c)
{
    pthread_cond_signal(c);
}
static inline void ouro__condition_broadcast(ouro__condition *c)
{
    pthread_cond_broadcast(c);
}
/* A word per thread whose change to non-NULL has `at_exit` called when the thread ends. */
typedef pthread_key_t ouro__exit_key;
static inline bool ouro__exit_key_make(ouro__exit_key *key, void (*at_exit)(void *))
{
    return pthread_key_create(key, at_exit) == 0;
}
static inline void ouro__exit_key_forget(ouro__exit_key key)
{
    pthread_key_delete(key);
}
/* false: no memory; the thread's end will not be told. */
static inline bool ouro__exit_key_arm(ouro__exit_key key, void *value)
{
    return pthread_setspecific(key, value) == 0;
}
static inline void ouro__os_at_fork(void (*before)(void), void (*parent)(void), void (*child)(void))
{
    pthread_atfork(before, parent, child);
}
/* A thread of the library's own, to be joined or left: the program's signals do not go to it.
 * False: the system has none. */
typedef pthread_t ouro__os_thread;
static inline bool ouro__os_thread_start(ouro__os_thread *thread, void *(*run)(void *), void *arg)
{
    sigset_t every, were;
    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, &were);
    bool started = pthread_create(thread, NULL, run, arg) == 0;
    pthread_sigmask(SIG_SETMASK, &were, NULL);
    return started;
}
static inline void ouro__os_thread_join(ouro__os_thread thread)
{
    pthread_join(thread, NULL);
}
/* From now on the calling thread is not cancelled; what is to be given back. */
static inline int ouro__os_cancel_off(void)
{
    int was = PTHREAD_CANCEL_ENABLE;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &was);
    return was;
}
static inline void ouro__os_cancel_back(int was)
{
    pthread_setcancelstate(was, &was);
}
/* It ends by itself, when it will. */
static inline void ouro__os_thread_leave(ouro__os_thread thread)
{
    pthread_detach(thread);
}
#else
typedef int ouro__mutex;
#define OURO__MUTEX_INIT     0
static inline void ouro__lock(ouro__mutex *m)
{
    (void)m;
}
static inline void ouro__unlock(ouro__mutex *m)
{
    (void)m;
}
static inline void ouro__mutex_reset(ouro__mutex *m)
{
    (void)m;
}
static inline void ouro__os_doze(void) /* a millisecond */
{
    struct timespec t = {0, 1000000};
    int was = errno;
    nanosleep(&t, NULL);
    errno = was;
}
static inline void ouro__os_yield(void)
{
}
static inline bool ouro__try_lock(ouro__mutex *m)
{
    (void)m;
    return true;
}
static inline void ouro__mutex_end(ouro__mutex *m)
{
    (void)m;
}
static inline bool ouro__lock_until(ouro__mutex *m, uint64_t until)
{
    (void)m;
    (void)until;
    return true;
}
typedef int ouro__condition;
#define OURO__CONDITION_INIT 0
static inline void ouro__condition_reset(ouro__condition *c)
{
    (void)c;
}
static inline void ouro__condition_end(ouro__condition *c)
{
    (void)c;
}
static inline void ouro__condition_wait(ouro__condition *c, ouro__mutex *m)
{
    (void)c;
    (void)m;
}
/* Nobody signals: the time passes. */
static inline bool ouro__condition_wait_until(ouro__condition *c, ouro__mutex *m, uint64_t until)
{
    (void)c;
    (void)m;
    while (ouro__os_nanoseconds() < until)
        ouro__os_doze();
    return false;
}
static inline void ouro__condition_signal(ouro__condition *c)
{
    (void)c;
}
static inline void ouro__condition_broadcast(ouro__condition *c)
{
    (void)c;
}
typedef int ouro__exit_key;
static inline bool ouro__exit_key_make(ouro__exit_key *key, void (*at_exit)(void *))
{
    (void)key;
    (void)at_exit;
    return true;
}
static inline void ouro__exit_key_forget(ouro__exit_key key)
{
    (void)key;
}
static inline bool ouro__exit_key_arm(ouro__exit_key key, void *value)
{
    (void)key;
    (void)value;
    return true;
}
static inline void ouro__os_at_fork(void (*before)(void), void (*parent)(void), void (*child)(void))
{
    (void)before;
    (void)parent;
    (void)child;
}
typedef int ouro__os_thread;
static inline bool ouro__os_thread_start(ouro__os_thread *thread, void *(*run)(void *), void *arg)
{
    (void)thread;
    (void)run;
    (void)arg;
    return false;
}
static inline void ouro__os_thread_join(ouro__os_thread thread)
{
    (void)thread;
}
static inline int ouro__os_cancel_off(void)
{
    return 0;
}
static inline void ouro__os_cancel_back(int was)
{
    (void)was;
}
static inline void ouro__os_thread_leave(ouro__os_thread thread)
{
    (void)thread;
}
#endif

#endif
