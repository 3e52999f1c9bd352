/* SPDX-License-Identifier: MIT */
/* type.h: type descriptors.
 *
 * A descriptor tells how large a value is, where its references are, and which hooks it wrote
 * itself. It is a static variable of the program, filled with designated initializers; the second
 * part is written when it is registered, which the first birth does if the program did not. A
 * descriptor describes objects (behind a reference) and plain values (inside others) alike.
 *
 *     struct node { struct node *next; ouro_string name; };
 *     extern struct ouro_type node_type;
 *     static const struct ouro_field node_fields[] = {
 *         OURO_REF(struct node, next, &node_type),
 *         OURO_STRING(struct node, name),
 *     };
 *     struct ouro_type node_type = OURO_TYPE(struct node, node_fields);
 */
#ifndef OURO_HOOKS_TYPE_H
#define OURO_HOOKS_TYPE_H

#include "hooks/filter.h"

OURO_EXTERN_C_BEGIN

struct ouro_type;
struct ouro_visitor;
struct ouro_memo;

/* What stands in a field. */
enum ouro_field_kind {
    OURO_FIELD_REF = 1,  /* a strong, counted reference: void *, may be NULL */
    OURO_FIELD_WEAK,     /* an owned weak handle: struct ouro_weak *, may be NULL */
    OURO_FIELD_BORROW,   /* a back pointer that counts nothing: void *; never followed */
    OURO_FIELD_VALUE,    /* a nested value of `type` */
    OURO_FIELD_ARRAY,    /* `count` values of `type`, one after the other */
    OURO_FIELD_SEQ,      /* an ouro_seq of values of `type` */
    OURO_FIELD_STRING,   /* an ouro_string */
    OURO_FIELD_OPTION,   /* a value of `type`, present when the tag is not 0 */
    OURO_FIELD_UNION,    /* the fields of the case that the tag selects */
    OURO_FIELD_FILTERED, /* a word that is a strong reference if `filter` says so */
    OURO_FIELD_CLOSURE,  /* an ouro_closure: code, and a strong reference to its environment */
    OURO_FIELD_INTERIOR, /* an ouro_interior: an address, and a strong reference to its object */
    OURO_FIELD_TAIL      /* values of `type` up to the object's end, as many as the counter says */
};

/* One case of a tagged union: its fields stand when first <= tag <= last. Where no case has the
 * tag, there are only bytes. */
struct ouro_case {
    const char *name;
    int64_t first, last;
    const struct ouro_field *fields; /* offsets count from the start of the whole value */
    uint32_t field_count;
};

struct ouro_field {
    const char *name;
    enum ouro_field_kind kind;
    uint32_t tag_size;      /* OPTION, UNION, TAIL: 1, 2, 4 or 8 bytes, read as signed */
    size_t offset;          /* of the field in the value */
    size_t count;           /* ARRAY: elements; UNION: cases */
    size_t tag_offset;      /* OPTION, UNION: of the tag in the value; TAIL: of the counter */
    struct ouro_type *type; /* REF, FILTERED, INTERIOR: of the target, NULL if unknown; VALUE ..
                             * OPTION, TAIL: of the value */
    const struct ouro_case *cases;    /* UNION */
    const struct ouro_filter *filter; /* FILTERED */
    uint64_t closed; /* UNION: not 0: a tag but 0 that no case has is a programmer's error */
};

enum ouro_type_flags {
    OURO_ACYCLIC = 1u << 0,   /* can be part of no cycle: never a candidate, never traced */
    OURO_PROMPT = 1u << 1,    /* born counted atomically; whoever drops it last destroys it */
    OURO_IMMUTABLE = 1u << 2, /* never written after birth; deepCopy shares it */
    OURO_SHARED = 1u << 3,    /* deepCopy stops here and counts: SharedPtr roots and the like */
    OURO_EXACT = 1u << 4,     /* no object is larger than `size`: environments of closures, say */
    OURO_BARE = 1u << 5,      /* of bare objects alone, which callers destroy (orc/bare.h) */
    OURO_TYPE_FLAGS = (1u << 6) - 1
};

/* Hooks. `value` is the object or the nested value; for a hook left NULL the lifted one acts, made
 * from the field table. A hook that is written replaces the lifted one entirely: it ends with
 * ouro_lifted_destroy and so on if the fields are still to be acted on. Hooks may allocate, count,
 * make and drop objects, but was_moved and trace only write the value and call the visitor, and
 * must return; what becomes of others that leave by longjmp or a C++ exception: orc/frame.h. Those
 * that return a status may refuse (OURO_NO_MEMORY, or any other); then nothing has changed. `fresh`
 * is uninitialized, and so it stays when they refuse; values move by memcpy, so `fresh` and `value`
 * may be a place in passing. dup and copy stand in for each other, and for deepcopy, where one is
 * written and the other not. Which hook is called when, and in what order: docs/hooks.md. */
struct ouro_hooks {
    void (*destroy)(void *value, const struct ouro_type *type);
    void (*was_moved)(void *value, const struct ouro_type *type);
    void (*sink)(void *to, void *from, const struct ouro_type *type);
    ouro_status (*copy)(void *to, const void *from, const struct ouro_type *type);
    ouro_status (*dup)(void *fresh, const void *from, const struct ouro_type *type);
    void (*trace)(void *value, const struct ouro_type *type, struct ouro_visitor *visitor);
    ouro_status (*deepcopy)(void *fresh, const void *from, const struct ouro_type *type,
                            struct ouro_memo *memo);
};

struct ouro_type {
    /* Written by registration, read by the inlined paths; the program leaves them zero. */
    uint64_t birth;       /* the type's part of the shared word; 0: births go out of line */
    uint64_t counts;      /* 1, and above it the visited word: all ones if acyclic */
    const uint32_t *refs; /* offsets of the strong references, if all are at fixed places */
    uint32_t ref_count;
    uint32_t id;                            /* number of the type; 0: not registered */
    uint32_t state;                         /* bits of hooks/registry.h: flat, plain, .. */
    uint32_t depth;                         /* how many bases it has */
    const struct ouro_type *const *display; /* these, from the root to `base` */
    const struct ouro_filter *filter;       /* of those `refs` that have bit 0 set */
    const struct ouro_field *tail;          /* the field that is one, or NULL */
    /* Written by the program. */
    uint32_t flags;                  /* enum ouro_type_flags */
    uint32_t users;                  /* Ouro's: fields of other registered types that nest it */
    size_t size;                     /* bytes of a value */
    size_t align;                    /* power of two; 0: 16 for objects, 8 in values */
    const char *name;                /* static or as long-lived as the type */
    const struct ouro_field *fields; /* may be NULL if field_count is 0 */
    uint32_t field_count;
    struct ouro_hooks hooks;
    void *user;             /* the program's own; never read by Ouro */
    struct ouro_type *base; /* of a subtype: its first field, at offset 0, is a VALUE of it */
};

/* Registers `type` (borrowed until it is unregistered), and all types nested in it, or none of
 * them; what references point to is not looked at. Checks them: fields inside the value, not
 * overlapping (cases of one union may overlap each other), kinds known, references aligned, tags of
 * 1, 2, 4 or 8 bytes and not inside fields, cases without tags in common, nested types given, of a
 * size above 0, and not containing themselves but in sequences; bases first fields, and none its
 * own base; tails last and in no other value. Registering twice is OURO_OK.
 *
 * OURO_BAD_TYPE: refused, and *why (`why` may be NULL) says "type.field: reason", in static storage
 * that the eighth refusal after this one reuses. OURO_NO_MEMORY: there is none for the offsets of
 * references. OURO_BAD_ARGUMENT: `type` is NULL. *why says these too; it is NULL after OURO_OK.
 *
 * Any thread; not async-signal-safe. May allocate; runs no hook. O(fields), and references in
 * arrays; O(fields^2) where fields are not in order of their offsets. */
OURO_API ouro_status ouro_type_register(struct ouro_type *type, const char **why);

/* Takes back the registration of `type`, whose descriptor, with all that it names, may go away
 * after that (dlclose), or be changed, or registered again. Its number goes to another type one
 * day.
 *
 * OURO_BUSY: an object of it is alive, in whatever runtime (one that waits for its destruction, an
 * immortal one or a cell to be reused counts), or another registered type nests it, or has it for a
 * base; OURO_BAD_ARGUMENT: it is NULL or not registered. *why (`why` may be NULL) says so, with the
 * type's name, in static storage that the eighth refusal after this one reuses; it is NULL after
 * OURO_OK. Nothing has changed then. With the `system` supply objects of the default runtime cannot
 * be looked for: the caller's word is taken for these.
 *
 * From the call on nobody may make objects or values of it. Any thread, but not in a hook of trace;
 * runs no hook; waits for collections that are under way to have read; O(bytes of objects of all
 * runtimes). */
OURO_API ouro_status ouro_type_unregister(struct ouro_type *type, const char **why);
/* The same of `count` types (borrowed, with their array) at once, all or none: they may nest each
 * other. For plug-ins: one look at the objects for all of them. */
OURO_API ouro_status ouro_types_unregister(struct ouro_type *const *types, size_t count,
                                           const char **why);

/* Whether values of `type` begin with one of `of`: it is that type, or a base of it (Cohen 1991, a
 * display of all bases). Both borrowed, not NULL; `type` registered. Any thread; O(1). */
OURO_INLINE bool ouro_is_subtype(const struct ouro_type *type, const struct ouro_type *of)
{
    return type == of || (of->depth < type->depth && type->display[of->depth] == of);
}

/* A value that is one strong reference, for arrays and sequences of references. */
extern OURO_API struct ouro_type ouro_ref_type;
/* A value that is one ouro_string. */
extern OURO_API struct ouro_type ouro_string_type;
/* Values that are one ouro_closure, one ouro_interior (hooks/closure.h). */
extern OURO_API struct ouro_type ouro_closure_type, ouro_interior_type;

/* Initializers, for C and for C++: each member in its place, so that no compiler warns of any.
 * The "" keeps clang-format from taking '#member' for a directive. */
#define OURO_COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define OURO__NO_HOOKS                                                                             \
    {                                                                                              \
        NULL, NULL, NULL, NULL, NULL, NULL, NULL                                                   \
    }
#define OURO__UNREGISTERED 0, 0, NULL, 0, 0, 0, 0, NULL, NULL, NULL
#define OURO_SUBTYPE(T, table, base_type)                                                          \
    {                                                                                              \
        OURO__UNREGISTERED, 0, 0, sizeof(T), __alignof__(T), #T, (table), OURO_COUNT_OF(table),    \
            OURO__NO_HOOKS, NULL, (base_type)                                                      \
    }
#define OURO_TYPE(T, table) OURO_SUBTYPE(T, table, NULL)
#define OURO_PLAIN_TYPE(T)                                                                         \
    {                                                                                              \
        OURO__UNREGISTERED, OURO_ACYCLIC, 0, sizeof(T), __alignof__(T), #T, NULL, 0,               \
            OURO__NO_HOOKS, NULL, NULL                                                             \
    }

#define OURO__TAG_SIZE(T, tag) (sizeof(((T *)0)->tag))
#define OURO__FIELD(T, kind, member, tag_size, count, tag_at, type, cases, filter, closed)         \
    {                                                                                              \
        "" #member, kind, tag_size, offsetof(T, member), count, tag_at, type, cases, filter,       \
            closed                                                                                 \
    }
#define OURO__BARE(T, kind, member, type) OURO__FIELD(T, kind, member, 0, 0, 0, type, NULL, NULL, 0)
#define OURO__TAGGED(T, kind, member, tag, count, type, cases, closed)                             \
    OURO__FIELD(T, kind, member, OURO__TAG_SIZE(T, tag), count, offsetof(T, tag), type, cases,     \
                NULL, closed)
#define OURO_REF(T, member, target)      OURO__BARE(T, OURO_FIELD_REF, member, target)
#define OURO_WEAK(T, member)             OURO__BARE(T, OURO_FIELD_WEAK, member, NULL)
#define OURO_BORROW(T, member)           OURO__BARE(T, OURO_FIELD_BORROW, member, NULL)
#define OURO_VALUE(T, member, of)        OURO__BARE(T, OURO_FIELD_VALUE, member, of)
#define OURO_SEQ(T, member, of)          OURO__BARE(T, OURO_FIELD_SEQ, member, of)
#define OURO_STRING(T, member)           OURO__BARE(T, OURO_FIELD_STRING, member, NULL)
#define OURO_CLOSURE(T, member)          OURO__BARE(T, OURO_FIELD_CLOSURE, member, NULL)
#define OURO_INTERIOR(T, member, target) OURO__BARE(T, OURO_FIELD_INTERIOR, member, target)
#define OURO_ARRAY(T, member, elements, of)                                                        \
    OURO__FIELD(T, OURO_FIELD_ARRAY, member, 0, elements, 0, of, NULL, NULL, 0)
#define OURO_FILTERED(T, member, filter, target)                                                   \
    OURO__FIELD(T, OURO_FIELD_FILTERED, member, 0, 0, 0, target, NULL, filter, 0)
#define OURO_OPTION(T, member, tag, of)                                                            \
    OURO__TAGGED(T, OURO_FIELD_OPTION, member, tag, 0, of, NULL, 0)
#define OURO_UNION(T, member, tag, table)                                                          \
    OURO__TAGGED(T, OURO_FIELD_UNION, member, tag, OURO_COUNT_OF(table), NULL, table, 0)
#define OURO_CLOSED_UNION(T, member, tag, table)                                                   \
    OURO__TAGGED(T, OURO_FIELD_UNION, member, tag, OURO_COUNT_OF(table), NULL, table, 1)
/* `member` may be a flexible array. */
#define OURO_TAIL(T, member, counter, of)                                                          \
    OURO__TAGGED(T, OURO_FIELD_TAIL, member, counter, 0, of, NULL, 0)

OURO_EXTERN_C_END

#endif
