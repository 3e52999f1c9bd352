/* SPDX-License-Identifier: MIT */
/* hooks_mock.c: see hooks_mock.h. White-box: uses ouro__refops_install. */
#include "hooks_mock.h"
#include "small_stack.h"

#include <pthread.h>
#include <string.h>

OURO_STATIC_ASSERT(sizeof(struct mock) % 16 == 0, "objects are aligned to 16");

struct mock_world mock_world;
static struct mock *pending;
static bool draining;
static char text[1024];

static void unlink_mock(struct mock *m)
{
    if (m->before != NULL)
        m->before->next = m->next;
    else
        mock_world.all = m->next;
    if (m->next != NULL)
        m->next->before = m->before;
    mock_world.live--;
}

static void free_mock(struct mock *m)
{
    if (m->weak != NULL)
        m->weak->object = NULL;
    unlink_mock(m);
    ouro_free(m);
}

void *mock_incref(void *object)
{
    assert_true(mock_of(object)->count > 0);
    mock_of(object)->count++;
    return object;
}

static void incref(void *object)
{
    (void)mock_incref(object);
}

/* Iterative, as the real release is. */
void mock_drop(void *object)
{
    struct mock *m = mock_of(object);
    assert_true(m->count > 0);
    if (--m->count > 0)
        return;
    m->pending = pending;
    pending = m;
    if (draining)
        return;
    draining = true;
    while ((m = pending) != NULL) {
        pending = m->pending;
        mock_world.died++;
        ouro_destroy_value(m + 1, m->type);
        free_mock(m);
    }
    draining = false;
}

static const struct ouro_type *type_of(const void *object)
{
    return mock_world.untyped ? NULL : mock_of(object)->type;
}

static void *allocate(struct ouro_type *type, size_t size)
{
    struct mock *m = ouro_calloc(1, sizeof *m + size);
    if (m == NULL)
        return NULL;
    m->count = 1;
    m->type = type;
    m->size = size;
    m->next = mock_world.all;
    if (m->next != NULL)
        m->next->before = m;
    mock_world.all = m;
    mock_world.live++;
    mock_world.born++;
    return m + 1;
}

static void discard(void *object)
{
    assert_int_equal(mock_of(object)->count, 1);
    assert_true(mock_of(object)->weak == NULL || mock_of(object)->weak->count == 0);
    mock_world.discarded++;
    free_mock(mock_of(object));
}

static void settle(void *object)
{
    mock_world.settled++;
    mock_drop(object);
}

void *mock_new(struct ouro_type *type)
{
    assert_int_equal(ouro_type_register(type, NULL), OURO_OK);
    void *object = allocate(type, type->size);
    assert_non_null(object);
    return object;
}

int64_t mock_count(const void *object)
{
    return mock_of(object)->count;
}

static void weak_incref(void *weak)
{
    struct mock_weak *w = weak;
    assert_true(w->count > 0);
    w->count++;
}

void mock_weak_drop(void *weak)
{
    struct mock_weak *w = weak;
    assert_true(w->count > 0);
    if (--w->count > 0)
        return;
    if (w->object != NULL)
        w->object->weak = NULL;
    mock_world.weaks--;
    ouro_free(w);
}

static void *weak_new(void *object)
{
    struct mock *m = mock_of(object);
    if (m->weak == NULL) {
        m->weak = ouro_malloc(sizeof *m->weak);
        if (m->weak == NULL)
            return NULL;
        *m->weak = (struct mock_weak){0, m};
        mock_world.weaks++;
    }
    m->weak->count++;
    return m->weak;
}

static void *weak_upgrade(void *weak)
{
    struct mock *m = ((struct mock_weak *)weak)->object;
    return m != NULL && m->count > 0 ? mock_incref(m + 1) : NULL;
}

void *mock_weak_of(void *object)
{
    void *weak = weak_new(object);
    assert_non_null(weak);
    return weak;
}

int64_t mock_weak_count(const void *weak)
{
    return ((const struct mock_weak *)weak)->count;
}

/* -- payloads: raw blocks with a count in front ------------------------------------------------ */

struct mock_payload {
    int64_t count;
    int64_t unused; /* aligned to 16 */
};

static struct mock_payload *payload_of(const struct ouro_payload *payload)
{
    return (struct mock_payload *)(uintptr_t)payload - 1;
}

static struct ouro_payload *payload_new(size_t bytes, bool string, size_t *room)
{
    (void)string;
    struct mock_payload *m = ouro_malloc(sizeof *m + bytes);
    if (m == NULL)
        return NULL;
    m->count = 1;
    mock_world.payloads++;
    *room = ouro_usable_size(m) - sizeof *m;
    return (struct ouro_payload *)(void *)(m + 1);
}

static void payload_free(struct ouro_payload *payload)
{
    assert_int_equal(payload_of(payload)->count, 1);
    mock_world.payloads--;
    ouro_free(payload_of(payload));
}

static void payload_share(struct ouro_payload *payload)
{
    assert_int_equal(payload->capacity, 0); /* P1 */
    payload_of(payload)->count++;
}

static void payload_drop(struct ouro_payload *payload)
{
    if (payload_of(payload)->count == 1)
        payload_free(payload);
    else
        payload_of(payload)->count--;
}

static bool payload_is_unique(const struct ouro_payload *payload)
{
    return payload_of(payload)->count == 1;
}

static size_t payload_room(const struct ouro_payload *payload)
{
    return ouro_usable_size(payload_of(payload)) - sizeof(struct mock_payload);
}

int mock_setup(void **state)
{
    static const struct ouro_refops ops = {.incref = incref,
                                           .decref = mock_drop,
                                           .weak_incref = weak_incref,
                                           .weak_decref = mock_weak_drop,
                                           .type_of = type_of,
                                           .allocate = allocate,
                                           .discard = discard,
                                           .settle = settle,
                                           .weak_upgrade = weak_upgrade,
                                           .weak_new = weak_new,
                                           .payload_new = payload_new,
                                           .payload_free = payload_free,
                                           .payload_share = payload_share,
                                           .payload_drop = payload_drop,
                                           .payload_is_unique = payload_is_unique,
                                           .payload_room = payload_room};
    (void)state;
    ouro__refops_install(&ops);
    mock_world = (struct mock_world){0};
    text[0] = 0;
    return 0;
}

int mock_teardown(void **state)
{
    (void)state;
    ouro_fail_nth_alloc(0, false);
    return mock_world.live == 0 && mock_world.weaks == 0 && mock_world.payloads == 0 ? 0 : -1;
}

ouro_string mock_string(const char *literal)
{
    ouro_string s;
    assert_int_equal(ouro_string_make(&s, literal, strlen(literal)), OURO_OK);
    return s;
}

void mock_on_small_stack(void (*fn)(void *), void *arg)
{
    small_stack(fn, arg, OURO_ASAN || OURO_TSAN);
}

void mock_log(const char *name)
{
    assert_true(strlen(text) + strlen(name) + 2 < sizeof text);
    if (text[0] != 0)
        strcat(text, " ");
    strcat(text, name);
}

void assert_log(const char *expected)
{
    assert_string_equal(text, expected);
    text[0] = 0;
}

void mock_forget_log(void)
{
    text[0] = 0;
}

void mock_fail_everywhere(ouro_status (*attempt)(void *arg), void *arg)
{
    for (int for_good = 0; for_good < 2; for_good++) {
        ouro_status status = OURO_NO_MEMORY;
        for (size_t n = 1; status != OURO_OK; n++) {
            assert_true(n < 10000);
            ouro_fail_nth_alloc(n, for_good != 0);
            status = attempt(arg);
            ouro_fail_nth_alloc(0, false);
            assert_true(status == OURO_OK || status == OURO_NO_MEMORY);
        }
    }
}
