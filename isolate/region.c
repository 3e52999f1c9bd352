/* SPDX-License-Identifier: MIT */
/* region.c: regions: a heap apart (alloc/apart.c), with a record of counts of its own, in hand.
 *
 * To all others the record is a thread that is parked while nobody is in the region, so the
 * protocol of the counts covers it (docs/adr/0019); which OS thread runs as it changes by `inside`
 * of the heap alone.
 *
 *  R1  A region is isolated (its handle is given out), or it is not. An isolated one is entered by
 *      nobody but its end.
 *  R2  The handle stands in the region: isolating and extracting allocate nothing, and move
 *      nothing but the pointer. */
#include "isolate/region.h"
#include "alloc/fail.h"
#include "alloc/text.h"
#include "isolate/home.h"
#include "isolate/region_state.h"
#include "orc/apart.h"
#include "orc/cycle.h"
#include "orc/rc.h"

static ouro_status begin(struct ouro_region *region)
{
    ouro_status status = ouro__apart_enter(region->heap);
    if (status != OURO_OK)
        return status;
    const struct ouro__thread *record = ouro__me();
    bool has_token = record && record->home != OURO__NO_TOKEN;
    region->heap->of = region;
    ouro__apart_leave(region->heap);
    return has_token ? OURO_OK : OURO_NO_MEMORY;
}

/* Without a record there is nothing in it. */
static void give_up(struct ouro_region *region)
{
    if (ouro__apart_enter(region->heap) == OURO_OK)
        ouro__apart_end(region->heap);
    ouro_free(region);
}

ouro_status ouro_region_new(struct ouro_region **region)
{
    if (!region)
        return OURO_BAD_ARGUMENT;
    *region = NULL;
    if (!ouro__me())
        return OURO_NO_MEMORY;
    struct ouro_region *fresh = ouro__home_alloc(16, sizeof *fresh);
    if (!fresh)
        return OURO_NO_MEMORY;
    *fresh = (struct ouro_region){.heap = ouro__apart_new()};
    if (!fresh->heap) {
        ouro_free(fresh);
        return OURO_NO_MEMORY;
    }
    ouro_status status = begin(fresh);
    if (status == OURO_OK)
        *region = fresh;
    else
        give_up(fresh);
    return status;
}

/* R1; and it has not ended, as long as that shows. */
static void check_usable(const struct ouro_region *region, const char *if_isolated)
{
    if (OURO_UNLIKELY(region->handle.state == OURO__HANDLE_REGION))
        ouro_fail(OURO_FAIL_MISUSE, NULL, NULL, if_isolated);
    if (OURO_UNLIKELY(!region->heap || region->handle.state != 0))
        ouro_fail(OURO_FAIL_MISUSE, NULL, NULL, "a region was used after its end");
}

ouro_status ouro_region_enter(struct ouro_region *region)
{
    if (!region)
        return OURO_BAD_ARGUMENT;
    check_usable(region, "a region was entered, but it is isolated");
    return ouro__apart_enter(region->heap);
}

/* A hook leaves what it did not enter. */
static bool is_kept(const struct ouro_region *region)
{
    const struct ouro__thread *me = ouro__self;
    return region->heap->depth == 1 && ouro__apart_here() == region->heap &&
           (region->working || (me && (me->releasing || me->visited.collecting)));
}

void ouro_region_leave(struct ouro_region *region)
{
    if (OURO_UNLIKELY(!region || !region->heap || is_kept(region) ||
                      !ouro__apart_leave(region->heap)))
        ouro_fail(OURO_FAIL_MISUSE, NULL, NULL,
                  "a region was left that is not what was entered last");
}

struct ouro_region *ouro_region_current(void)
{
    const struct ouro__heap *heap = ouro__apart_here();
    return heap ? heap->of : NULL;
}

/* Enters it where nobody is in it, the calling thread neither. */
static ouro_status enter_alone(struct ouro_region *region)
{
    ouro_status status = ouro__apart_enter(region->heap);
    if (status == OURO_OK && region->heap->depth > 1) {
        ouro__apart_leave(region->heap);
        status = OURO_BUSY;
    }
    region->working |= status == OURO_OK;
    return status;
}

static void leave_alone(struct ouro_region *region)
{
    region->working = false;
    ouro__apart_leave(region->heap);
}

/* -- isolated ---------------------------------------------------------------------------------- */

static void seal(struct ouro_region *region, void *root, size_t objects,
                 struct ouro_isolated **handle)
{
    region->root = root;
    region->handle.state = OURO__HANDLE_REGION;
    region->handle.count = objects;
    ouro__half_store(&region->heap->sealed, 1);
    *handle = &region->handle;
}

static void unseal(struct ouro_region *region)
{
    ouro__half_store(&region->heap->sealed, 0);
    region->handle.state = 0;
}

/* What wants to die in it goes first. */
static ouro_status prove(struct ouro_region *region, void *root, size_t *objects,
                         struct ouro_escape *why)
{
    ouro_status status = enter_alone(region);
    if (status != OURO_OK)
        return status;
    ouro_collect(NULL);
    status = ouro__isolate_region(root, region->heap, objects, why);
    leave_alone(region);
    return status;
}

ouro_status ouro_region_isolate(struct ouro_region *region, void *root,
                                struct ouro_isolated **handle, struct ouro_escape *why)
{
    if (!handle)
        return OURO_BAD_ARGUMENT;
    *handle = NULL;
    if (!region || !root)
        return OURO_BAD_ARGUMENT;
    check_usable(region, "a region was isolated, but it is so already");
    size_t objects = 0;
    ouro_status status = prove(region, root, &objects, why);
    if (status == OURO_OK)
        seal(region, root, objects, handle);
    return status;
}

ouro_status ouro_region_isolate_unchecked(struct ouro_region *region, void *root,
                                          struct ouro_isolated **handle)
{
    if (!handle)
        return OURO_BAD_ARGUMENT;
    *handle = NULL;
    if (!region || !root)
        return OURO_BAD_ARGUMENT;
    check_usable(region, "a region was isolated, but it is so already");
    if (!ouro__apart_is_free(region->heap))
        return OURO_BUSY;
    struct ouro_escape why;
    size_t objects;
    ouro_status status = OURO_CHECKED ? prove(region, root, &objects, &why) : OURO_OK;
    if (status == OURO_NOT_ISOLATED)
        ouro__not_isolated(&why);
    if (status == OURO_OK)
        seal(region, root, 0, handle); /* in either library */
    return status;
}

struct ouro_region *ouro_region_extract(struct ouro_isolated *handle, void **root)
{
    if (!handle || handle->state != OURO__HANDLE_REGION)
        return NULL;
    struct ouro_region *region = ouro__region_of(handle);
    unseal(region);
    if (root)
        *root = region->root;
    return region;
}

/* -- the end ----------------------------------------------------------------------------------- */

/* The thread is in it, alone. */
static void end(struct ouro_region *region)
{
    ouro__apart_end(region->heap);
    region->handle.state = OURO__HANDLE_GONE; /* as long as its memory is not used again */
    region->heap = NULL;
    ouro_free(region);
}

ouro_status ouro_region_end(struct ouro_region *region)
{
    if (!region)
        return OURO_BAD_ARGUMENT;
    check_usable(region, "a region was ended, but it is isolated");
    ouro_status status = enter_alone(region);
    if (status == OURO_OK)
        end(region);
    return status;
}

void ouro__region_drop(struct ouro_region *region)
{
    if (enter_alone(region) != OURO_OK)
        return;
    unseal(region);
    if (!ouro__apart_drop(ouro__self, region->heap))
        ouro_decref(region->root);
    ouro_collect(NULL);
    end(region);
}

/* Its objects are taken over as those of any graph are, and its pages with them. In its runtime the
 * thread has a record by then, so that the last step cannot fail. */
static void *dissolve(struct ouro_region *region)
{
    struct ouro_isolated *handle;
    if (!ouro__me() || enter_alone(region) != OURO_OK)
        return NULL;
    ouro__half_store(&region->heap->sealed, 0);
    ouro_status status = ouro_isolate_unchecked(region->root, &handle);
    if (status != OURO_OK) {
        ouro__half_store(&region->heap->sealed, 1);
        leave_alone(region);
        return NULL;
    }
    end(region);
    return ouro_extract(handle);
}

void *ouro__region_dissolve(struct ouro_region *region)
{
    struct ouro_runtime *there = region->heap->runtime;
    bool away = ouro_runtime_current() != there;
    if (away && ouro_runtime_enter(there) != OURO_OK)
        return NULL;
    void *root = dissolve(region);
    if (away)
        ouro_runtime_leave(there);
    return root;
}
