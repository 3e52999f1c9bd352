/* SPDX-License-Identifier: MIT */
/* profile.c: samples of the blocks that a program takes, by who calls malloc.
 *
 * Each byte that is asked for is looked at with the same chance, one in `rate` (option
 * profile_rate), independently of all others; a block of which a byte is looked at is a sample,
 * once. The distance from one such byte to the next has a geometric distribution, here the
 * exponential one; so a thread counts bytes down, and looks at nothing in between (gperftools and
 * Go do so). A block of s bytes is a sample with probability 1 - exp(-s / rate): by what it stands
 * for, s divided by that, the sums are right on average, whatever the sizes.
 *
 *  P1  A thread draws its distances itself, from profile_seed and its number: the first thread of a
 *      program that does the same each time has the same samples.
 *  P2  A sample is in the table from before its block is handed out until before that is given
 *      back: so an address is there once. One that was given to realloc and stayed keeps its size;
 *      one whose mapping the system moved is taken out before.
 *  P3  `filter` counts the samples whose addresses fall together: a free finds 0 there, and needs
 *      no lock. Who frees a block was handed it after it was counted: relaxed loads do.
 *  P4  Nothing is called with the lock held but what gives metadata, which is a leaf. So a free
 *      inside the unwinder, or a handler of others around a fork, comes through; a birth inside the
 *      unwinder is no sample (`busy`).
 *  P5  Sites are pushed with the lock and stay: they are read without it. */
#include "alloc/profile.h"
#include "alloc/arena.h"
#include "alloc/harden.h"

#define DEPTH_MOST   64
#define SITE_BUCKETS ((size_t)1 << 12)
#define FILTER_BITS  16

struct sample {
    struct sample *next;
    const void *block;
    struct ouro__site *site;
    size_t size, share;
};

bool ouro__profiled;
static int64_t rate;
static uint64_t seed;
static ouro_word threads;
static ouro_half filter[(size_t)1 << FILTER_BITS];
static ouro_word sites; /* struct ouro__site *: the list */

static struct {
    ouro__mutex lock;
    struct ouro__site *site_of[SITE_BUCKETS];
    struct sample **sample_of;
    size_t buckets, count;
} table = {.lock = OURO__MUTEX_INIT};
static struct ouro__pool samples = {NULL, sizeof(struct sample), offsetof(struct sample, next)};

static OURO_TLS struct {
    double left; /* bytes until the next sample */
    uint64_t random;
    bool busy, forks;
} mine;

static void before_fork(void)
{
    ouro__lock_for_fork(&mine.forks, &table.lock);
}
static void parent_after_fork(void)
{
    ouro__unlock_after_fork(&mine.forks, &table.lock, false);
}
static void child_after_fork(void)
{
    ouro__unlock_after_fork(&mine.forks, &table.lock, true);
}

void ouro__profile_begin(void)
{
    const char *name = ouro__option_text(OURO__TEXT_profile);
    if (!name || ouro__profiled)
        return;
    uint64_t secret[2];
    ouro__os_secret(secret);
    rate = ouro_option_get(OURO_OPTION_profile_rate);
    seed = (uint64_t)ouro_option_get(OURO_OPTION_profile_seed);
    seed = seed ? seed : secret[0];
    ouro__profiled = ouro__aside = true;
}

void ouro__profile_fork_handlers(void)
{
    if (ouro__profiled)
        ouro__os_at_fork(before_fork, parent_after_fork, child_after_fork);
}

struct ouro__site *ouro__profile_sites(void)
{
    return (struct ouro__site *)ouro__load_acquire(&sites); /* P5: pairs with site_make */
}
int64_t ouro__profile_rate(void)
{
    return rate;
}

/* -- chance ------------------------------------------------------------------------------------ */

static uint64_t next_random(void)
{
    return ouro__mix(mine.random += 0x9E3779B97F4A7C15u);
}

/* -ln of (n + 1/2) / 2^53, n < 2^53: the series of the inverse hyperbolic tangent, the mantissa
 * between sqrt(1/2) and sqrt(2), so that what is left out is less than 1e-9. */
static double minus_log(uint64_t n)
{
    const double ln2 = 0.693147180559945309;
    double x = (double)(2 * n + 1), square, sum = 0;
    int exponent = -54;
    for (; x >= 4294967296.0; x /= 4294967296.0)
        exponent += 32;
    for (; x > 1.4142135623730951; x /= 2)
        exponent++;
    x = (x - 1) / (x + 1);
    square = x * x;
    for (int i = 11; i > 0; i -= 2)
        sum = sum * square + 1.0 / i;
    return -(2 * x * sum + exponent * ln2);
}

/* 1 - exp(-x) for 0 <= x: of x / 2^k by its series, doubled k times. */
static double one_minus_exp(double x)
{
    if (x > 40)
        return 1;
    unsigned k = 0;
    for (; x > 1.0 / 16; x /= 2)
        k++;
    double y = x * (1 - x / 2 * (1 - x / 3 * (1 - x / 4 * (1 - x / 5))));
    while (k-- > 0)
        y = y * (2 - y);
    return y;
}

static double next_distance(void)
{
    return minus_log(next_random() >> 11) * (double)rate;
}

/* -- the table --------------------------------------------------------------------------------- */

static uint64_t hash_of(const void *block)
{
    return ouro__mix((uintptr_t)block);
}

static ouro_half *filter_of(const void *block)
{
    return &filter[hash_of(block) >> (64 - FILTER_BITS)];
}

static bool is_site(const struct ouro__site *site, uint64_t hash, void **callers, size_t depth)
{
    return site->hash == hash && site->depth == depth &&
           memcmp(site->callers, callers, depth * sizeof *callers) == 0;
}

static struct ouro__site *site_make(uint64_t hash, void **callers, size_t depth)
{
    struct ouro__site *site = ouro__meta_take(sizeof *site + depth * sizeof *callers);
    if (!site)
        return NULL;
    site->hash = hash;
    site->depth = depth;
    memcpy(site->callers, callers, depth * sizeof *callers);
    site->next = table.site_of[hash % SITE_BUCKETS];
    table.site_of[hash % SITE_BUCKETS] = site;
    site->next_site = (struct ouro__site *)ouro__load(&sites);
    ouro__store_release(&sites, (ouro_word)site); /* P5: pairs with ouro__profile_sites */
    return site;
}

static struct ouro__site *site_of(void **callers, size_t depth)
{
    uint64_t hash = depth;
    for (size_t i = 0; i < depth; i++)
        hash = ouro__mix(hash ^ (uintptr_t)callers[i]);
    struct ouro__site *site = table.site_of[hash % SITE_BUCKETS];
    while (site && !is_site(site, hash, callers, depth))
        site = site->next;
    return site ? site : site_make(hash, callers, depth);
}

/* Makes room for twice the samples. What there was is lost to the metadata: as much again, in all.
 * No memory: chains get longer. */
static void grow_table(void)
{
    size_t buckets = table.buckets ? 2 * table.buckets : 1024;
    struct sample **fresh = ouro__meta_take(buckets * sizeof *fresh);
    if (!fresh)
        return;
    for (size_t i = 0; i < table.buckets; i++) {
        for (struct sample *sample = table.sample_of[i], *next; sample; sample = next) {
            next = sample->next;
            struct sample **to = &fresh[hash_of(sample->block) % buckets];
            sample->next = *to;
            *to = sample;
        }
    }
    table.sample_of = fresh;
    table.buckets = buckets;
}

static void add(ouro_word *sum, size_t n)
{
    ouro__store(sum, ouro__load(sum) + n); /* with the lock; others load it */
}

static void link_sample(struct sample *sample)
{
    const void *block = sample->block;
    struct sample **to = &table.sample_of[hash_of(block) % table.buckets];
    sample->next = *to;
    *to = sample;
    table.count++;
    ouro__half_store(filter_of(block), ouro__half_load(filter_of(block)) + 1); /* P3 */
}

static void add_sample(const void *block, size_t size, void **callers, size_t depth)
{
    if (table.count >= table.buckets)
        grow_table();
    struct ouro__site *site = table.buckets ? site_of(callers, depth) : NULL;
    struct sample *sample = site ? ouro__pool_take(&samples) : NULL;
    if (!sample)
        return;
    size_t share = (size_t)((double)size / one_minus_exp((double)size / (double)rate) + 0.5);
    *sample = (struct sample){NULL, block, site, size, share};
    link_sample(sample);
    add(&site->live, 1);
    add(&site->all, 1);
    add(&site->live_bytes, size);
    add(&site->all_bytes, size);
    add(&site->live_share, share);
    add(&site->all_share, share);
}

static struct sample *unlink_sample(const void *block)
{
    struct sample **at = &table.sample_of[hash_of(block) % table.buckets], *sample;
    while ((sample = *at) != NULL && sample->block != block)
        at = &sample->next;
    if (!sample)
        return NULL;
    *at = sample->next;
    table.count--;
    ouro__half_store(filter_of(block), ouro__half_load(filter_of(block)) - 1);
    return sample;
}

static void drop_sample(struct sample *sample)
{
    add(&sample->site->live, (size_t)-1);
    add(&sample->site->live_bytes, -sample->size);
    add(&sample->site->live_share, -sample->share);
    ouro__pool_give(&samples, sample);
}

/* -- births and deaths ------------------------------------------------------------------------- */

static OURO_NOINLINE void look_at(const void *p, size_t size)
{
    void *callers[DEPTH_MOST];
    int was = ouro__os_errno();
    mine.busy = true; /* P4 */
    size_t depth = ouro__os_callers(callers, DEPTH_MOST);
    ouro__lock_unless(mine.forks, &table.lock);
    add_sample(p, size, callers, depth);
    ouro__unlock_unless(mine.forks, &table.lock);
    mine.busy = false;
    ouro__os_set_errno(was);
}

void ouro__profile_born(const void *p, size_t size)
{
    if (mine.busy)
        return;
    if (OURO_UNLIKELY(mine.random == 0)) { /* P1 */
        mine.random = ouro__mix(seed + ouro__fetch_add(&threads, 1) * 0xD1342543DE82EF95u) | 1;
        mine.left = next_distance();
    }
    mine.left -= (double)size;
    if (OURO_LIKELY(mine.left > 0))
        return;
    mine.left = next_distance();
    look_at(p, size);
}

void *ouro__profile_lift(const void *p)
{
    if (OURO_LIKELY(ouro__half_load(filter_of(p)) == 0)) /* P3 */
        return NULL;
    ouro__lock_unless(mine.forks, &table.lock);
    struct sample *sample = unlink_sample(p);
    ouro__unlock_unless(mine.forks, &table.lock);
    return sample;
}

static void land(struct sample *sample, void (*where)(struct sample *sample))
{
    ouro__lock_unless(mine.forks, &table.lock);
    where(sample);
    ouro__unlock_unless(mine.forks, &table.lock);
}

void ouro__profile_land(void *lifted, const void *to, size_t size)
{
    if (lifted)
        land(lifted, to ? drop_sample : link_sample);
    if (to)
        ouro__profile_born(to, size);
}

void ouro__profile_dead(const void *p)
{
    struct sample *sample = ouro__profile_lift(p);
    if (sample)
        land(sample, drop_sample);
}
