/* SPDX-License-Identifier: MIT */
/* isolate_kit.h: graphs that tests isolate, and how they look at them. White-box: includes
 * orc_kit.h. */
#ifndef OURO_TESTS_ISOLATE_KIT_H
#define OURO_TESTS_ISOLATE_KIT_H

#include "orc_kit.h"

#include "orc/state.h"

/* Objects that are counted locally are not for other threads. */
#define OTHERS_COUNT (OURO_THREADS && OURO_RC != OURO_RC_LOCAL)

/* With weak, borrowed and shared references. */
struct place {
    struct place *next;
    struct ouro_weak *weak;
    void *back;
    struct leaf *leaf;
    ouro_seq list; /* of references to places */
};
extern struct ouro_type place_type;
static const struct ouro_field place_fields[] = {
    OURO_REF(struct place, next, &place_type), OURO_WEAK(struct place, weak),
    OURO_BORROW(struct place, back), OURO_REF(struct place, leaf, &leaf_type),
    OURO_SEQ(struct place, list, &ouro_ref_type)};
struct ouro_type place_type = OURO_TYPE(struct place, place_fields);

static inline struct place *place_new(struct place *next)
{
    struct place *p = OURO_NEW(struct place, &place_type);
    KIT_CHECK(p != NULL);
    p->next = next;
    return p;
}

static inline struct ouro_isolated *isolated(void *root)
{
    struct ouro_isolated *handle = NULL;
    struct ouro_escape why = {.path = ""};
    ouro_status status = ouro_isolate(root, &handle, &why);
    if (status != OURO_OK)
        fprintf(stderr, "%s: %s\n", ouro_status_name(status), why.path);
    assert_int_equal(status, OURO_OK);
    assert_non_null(handle);
    return handle;
}

/* It is refused as that, and can be isolated as before. */
static inline struct ouro_escape refused(void *root, ouro_escape_kind kind)
{
    struct ouro_isolated *handle = (void *)root;
    struct ouro_escape why = {.kind = 0};
    assert_int_equal(ouro_isolate(root, &handle, &why), OURO_NOT_ISOLATED);
    assert_null(handle);
    assert_int_equal(why.kind, kind);
    assert_int_equal(ouro_isolate(root, &handle, NULL), OURO_NOT_ISOLATED);
    ouro_check_heap();
    return why;
}

/* A graph of n nodes, all reached from the first, with cycles and sharing. */
static inline struct node *random_graph(size_t n, uint64_t seed)
{
    struct node **all = calloc(n, sizeof *all);
    for (size_t i = 0; i < n; i++)
        all[i] = node_new((int64_t)i);
    for (size_t i = 1; i < n; i++) { /* a chain keeps all together */
        all[i - 1]->a = all[i];
        struct node *to = all[kit_random(&seed) % n];
        ouro_incref(to);
        all[i]->b = to;
    }
    struct node *root = all[0];
    free(all);
    return root;
}

static inline bool is_merged(const void *object)
{
    return (ouro__load(&ouro__header(object)->shared) & OURO__MERGED) != 0;
}

/* Whether each node is counted plainly by the calling thread, and no candidate. */
static inline void check_mine(struct node *root, size_t n)
{
    for (struct node *at = root; at; at = at->a, n--) {
        const struct ouro_header *h = ouro__header(at);
        ouro_word b = ouro__load(&h->shared);
        KIT_CHECK(is_merged(at) ? KIT_ATOMIC : (b & OURO__OWNER_MASK) == ouro__self->home);
        KIT_CHECK(ouro__half_load(&h->visited) == 0);
    }
    KIT_CHECK(n == 0);
}

#endif
