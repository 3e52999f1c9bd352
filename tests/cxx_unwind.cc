// SPDX-License-Identifier: MIT
// Exceptions of C++: through frames that own references, through C, out of hooks, the memory
// callback and handlers of failures. Its exit status tells; each line that fails is printed.
#include "ouro.h"
#include "orc/leak.h"

#include <stdio.h>

extern "C" {
void middle_owned(void *object, void (*next)(void *), void *arg);
void middle_frame(void *object, void (*next)(void *), void *arg);
}

static int failures;
#define CHECK(truth)                                                                               \
    ((truth) ? (void)0                                                                             \
             : (void)(failures++, fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #truth)))

namespace
{
struct thing {
    thing *a, *b;
    int id;
};
struct left {
    int why;
};

extern ouro_type thing_type;
const ouro_field thing_fields[] = {OURO_REF(thing, a, &thing_type),
                                   OURO_REF(thing, b, &thing_type)};
ouro_type thing_type = OURO_TYPE(thing, thing_fields);

int destroyed;
bool copies_throw;

void destroy(void *value, const ouro_type *type)
{
    destroyed++;
    int id = static_cast<thing *>(value)->id;
    ouro_lifted_destroy(value, type);
    if (id == 13)
        throw left{id};
}

ouro_status dup(void *fresh, const void *from, const ouro_type *type)
{
    if (copies_throw)
        throw left{2};
    return ouro_lifted_dup(fresh, from, type);
}

thing *make(int id)
{
    thing *t = OURO_NEW(thing, &thing_type);
    t->id = id;
    return t;
}

void raise(void *arg)
{
    throw left{*static_cast<int *>(arg)};
}

// Runs act within a scope that unwinds; what it threw, or 0.
template <typename Act> int thrown_by(Act act)
{
    try {
        ouro::unwinding scope;
        act();
    } catch (const left &l) {
        return l.why;
    }
    return 0;
}

void scopes_drop_what_they_own()
{
    int why = 7;
    destroyed = 0;
    CHECK(thrown_by([&] {
              ouro::owned<thing> one(make(1)), two(make(2)), same(one);
              CHECK(one->id == 1 && ouro_count(one.get()) == 2);
              two = same;
              CHECK(destroyed == 1);
              raise(&why);
          }) == 7);
    CHECK(destroyed == 2);
    {
        ouro::owned<thing> one(make(1)), moved(static_cast<ouro::owned<thing> &&>(one));
        CHECK(!one && moved);
        ouro_decref(moved.release());
    }
    CHECK(destroyed == 3);
}

void exceptions_pass_c()
{
    int why = 8;
    destroyed = 0;
    try {
        middle_owned(make(1), raise, &why);
        CHECK(false);
    } catch (const left &l) {
        CHECK(l.why == 8);
    }
    CHECK(destroyed == 1);
    CHECK(thrown_by([&] { middle_frame(make(2), raise, &why); }) == 8);
    CHECK(destroyed == 2);
}

void hooks_may_throw()
{
    destroyed = 0;
    CHECK(thrown_by([] {
              thing *root = make(1);
              root->a = make(13);
              root->a->a = make(2);
              root->b = make(3);
              ouro_decref(root);
          }) == 13);
    CHECK(destroyed == 4);
    ouro_reuse none = {nullptr};
    CHECK(thrown_by([&] { none = ouro_drop_reuse(make(13)); }) == 13);
    CHECK(none.cell == nullptr && destroyed == 5);
}

void hooks_may_throw_in_collections()
{
    destroyed = 0;
    CHECK(thrown_by([] {
              thing *ring = make(1);
              ring->a = make(13);
              ring->a->a = make(2);
              ring->a->a->a = ring;
              ouro_incref(ring);
              ouro_decref(ring);
              ouro_collect(nullptr);
          }) == 13);
    CHECK(destroyed == 3);
    thing *ring = make(1); // and the next one is as ever
    ouro_slot_copy(ring, reinterpret_cast<void **>(&ring->a), ring);
    ouro_decref(ring);
    CHECK(ouro_collect(nullptr) == 1);
}

void copies_may_throw()
{
    thing *original = make(1);
    void *copy = nullptr;
    copies_throw = true;
    thing on_stack = {nullptr, nullptr, 0};
    CHECK(thrown_by([&] { (void)ouro_dup(&on_stack, original, &thing_type); }) == 2);
    copies_throw = false;
    CHECK(copy == nullptr && ouro_count(original) == 1);
    ouro_decref(original);
}

bool no_memory(size_t, void *)
{
    throw left{3};
}

void the_memory_callback_may_throw()
{
    ouro_set_limit(static_cast<size_t>(1) << 29, no_memory, nullptr);
    CHECK(thrown_by([] { ouro_free(ouro_malloc(static_cast<size_t>(1) << 30)); }) == 3);
    CHECK(thrown_by([] { ouro_free(ouro_malloc(static_cast<size_t>(1) << 30)); }) == 3);
    ouro_set_limit(0, nullptr, nullptr);
}

void on_failure(const ouro_failure *, void *)
{
    throw left{4};
}

void handlers_of_failures_may_throw()
{
    ouro_set_fail_handler(on_failure, nullptr);
    CHECK(thrown_by([] { ouro_handle_close(12345); }) == 4);
    ouro_set_fail_handler(nullptr, nullptr);
}
} // namespace

int main()
{
    thing_type.hooks.destroy = destroy;
    thing_type.hooks.dup = dup;
    scopes_drop_what_they_own();
    exceptions_pass_c();
    hooks_may_throw();
    hooks_may_throw_in_collections();
    copies_may_throw();
    the_memory_callback_may_throw();
    handlers_of_failures_may_throw();
    CHECK(ouro_report_leaks() == 0);
    return failures > 0;
}
