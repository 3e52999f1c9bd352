/* SPDX-License-Identifier: MIT */
/* doc_values.c: the code of docs/values.md, literally, run. */
#include <ouro.h>

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

/* clang-format off */
/* [tail] */
struct tuple {
    uint32_t len;
    void *items[]; /* counted references */
};

static const struct ouro_field tuple_fields[] = {
    OURO_TAIL(struct tuple, items, len, &ouro_ref_type),
};
static struct ouro_type tuple_type = OURO_TYPE(struct tuple, tuple_fields);
/* [tail] */

/* [closure] */
struct adder {
    int64_t sum;
    ouro_closure then; /* called with each sum; may hold this very environment */
};

static const struct ouro_field adder_fields[] = {OURO_CLOSURE(struct adder, then)};
static struct ouro_type adder_type = OURO_TYPE(struct adder, adder_fields);

static int64_t add(struct adder *env, int64_t n)
{
    return env->sum += n;
}
/* [closure] */

/* [assign] */
static void set_then(struct adder *env, int64_t (*code)(struct adder *, int64_t), void *of)
{
    env->then.code = (ouro_code *)code;
    ouro_slot_store(env, &env->then.env, of); /* `of` owned; drops what was there */
}
/* [assign] */

/* [filter] */
/* A value: a double, or a reference in a NaN whose top bits are 0xFFFC. */
typedef uint64_t value;

static const struct ouro_filter value_filter = OURO_FILTER_BOX(0xFFFC);
#define BOXED(object) ((value)0xFFFC << 48 | (value)(uintptr_t)(object))

struct pair {
    value car, cdr;
};
static const struct ouro_field pair_fields[] = {
    OURO_FILTERED(struct pair, car, &value_filter, NULL),
    OURO_FILTERED(struct pair, cdr, &value_filter, NULL),
};
static struct ouro_type pair_type = OURO_TYPE(struct pair, pair_fields);

static struct pair *cons(value car, value cdr) /* both owned */
{
    struct pair *p = OURO_NEW(struct pair, &pair_type);
    if (p) {
        p->car = car; /* a constructor: nobody else knows p */
        p->cdr = cdr;
    }
    return p;
}

static void set_cdr(struct pair *p, value cdr) /* owned */
{
    ouro_slot_store_word(p, &p->cdr, cdr, &value_filter);
}
/* [filter] */

/* [subtype] */
struct shape {
    struct tuple *tags;
};
static const struct ouro_field shape_fields[] = {OURO_REF(struct shape, tags, &tuple_type)};
static struct ouro_type shape_type = OURO_TYPE(struct shape, shape_fields);

struct circle {
    struct shape shape;
    double radius;
};
static const struct ouro_field circle_fields[] = {OURO_VALUE(struct circle, shape, &shape_type)};
static struct ouro_type circle_type = OURO_SUBTYPE(struct circle, circle_fields, &shape_type);
/* [subtype] */
/* clang-format on */

static void tails(void **state)
{
    (void)state;
    /* [birth] */
    struct tuple *t = ouro_new_tail(&tuple_type, 3); /* len is 3, the items are NULL */
    ouro_slot_store(t, &t->items[0], ouro_new_tail(&tuple_type, 0));
    /* [birth] */
    assert_int_equal(t->len, 3);
    assert_int_equal(ouro_object_size(t), 8 + 3 * 8);
    /* [interior] */
    ouro_interior second = ouro_interior_of(t, &t->items[1]); /* t's reference moves into it */
    ouro_slot_store(second.object, second.at, ouro_new_tail(&tuple_type, 0));
    ouro_destroy_value(&second, &ouro_interior_type); /* the last reference: all of it dies */
    /* [interior] */
    assert_null(second.object);
}

static void closures(void **state)
{
    (void)state;
    /* [call] */
    struct adder *env = OURO_NEW(struct adder, &adder_type);
    ouro_closure c = {(ouro_code *)add, env}, copy;
    ouro_status made = ouro_deepcopy_value(&copy, &c, &ouro_closure_type); /* the same code, */
    ((int64_t(*)(struct adder *, int64_t))c.code)(c.env, 5); /* an environment of its own */
    /* [call] */
    assert_int_equal(made, OURO_OK);
    assert_int_equal(env->sum, 5);
    assert_int_equal(((struct adder *)copy.env)->sum, 0);
    ouro_destroy_value(&copy, &ouro_closure_type);
    ouro_incref(env);
    set_then(env, add, env);
    assert_ptr_equal(env->then.env, env);
    ouro_destroy_value(&c, &ouro_closure_type);
    assert_int_equal(ouro_collect(NULL), 1);
}

static void filters(void **state)
{
    (void)state;
    /* [ring] */
    struct pair *p = cons(0, 0);
    double half = 0.5;
    memcpy(&p->car, &half, sizeof half); /* data: no reference was there */
    ouro_incref(p);
    set_cdr(p, BOXED(p)); /* a ring of one */
    ouro_decref(p);
    size_t freed = ouro_collect(NULL); /* 1 */
    /* [ring] */
    assert_int_equal(freed, 1);
}

static void subtypes(void **state)
{
    (void)state;
    /* [is_a] */
    struct circle *c = OURO_NEW(struct circle, &circle_type);
    bool yes = ouro_is_a(c, &shape_type), no = ouro_is_a(c, &pair_type);
    /* [is_a] */
    assert_true(yes && !no);
    ouro_decref(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tails), cmocka_unit_test(closures),
                                       cmocka_unit_test(filters), cmocka_unit_test(subtypes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
