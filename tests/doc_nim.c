/* SPDX-License-Identifier: MIT */
/* doc_nim.c: the C code of docs/nim.md, literally, run. */
/* clang-format off */
/* [bare] */
#include <ouro.h>
#include <stdio.h>

struct node { struct node *next; };

static void destroy(void *value, const struct ouro_type *type);
static void trace(void *value, const struct ouro_type *type, struct ouro_visitor *visitor);
static struct ouro_type node_type = {.name = "node", .flags = OURO_BARE, .size = sizeof(struct node),
                                     .hooks = {.destroy = destroy, .trace = trace}};

static void drop(struct node *n)
{
    if (ouro_decref_is_last_of(n, &node_type)) {
        destroy(n, &node_type);
        ouro_dispose(n, _Alignof(struct node));
    }
}

static void destroy(void *value, const struct ouro_type *type)
{
    (void)type;
    drop(((struct node *)value)->next);
}

static void trace(void *value, const struct ouro_type *type, struct ouro_visitor *visitor)
{
    struct node *n = value;
    if (n->next)
        visitor->visit(visitor, (void **)(void *)&n->next, type);
}

int main(void)
{
    struct node *a = ouro_new_bare(sizeof *a, _Alignof(struct node));
    struct node *b = ouro_new_bare(sizeof *b, _Alignof(struct node));
    if (!a || !b)
        return 1;
    a->next = b; /* moved */
    b->next = a;
    ouro_incref(a);
    drop(a); /* the cycle keeps it */
    printf("collected: %zu\n", ouro_collect(NULL));
    return ouro_report_leaks() != 0;
}
/* [bare] */
