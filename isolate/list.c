/* SPDX-License-Identifier: MIT */
/* list.c: the objects of a graph, and what was seen of them (handle.h). */
#include "alloc/pool.h"
#include "isolate/handle.h"
#include "orc/state.h"

#include <string.h>

static bool first_grows(struct ouro__list *list)
{
    uint32_t room = 2 * list->room;
    bool few = list->first == list->few;
    ouro_word *first = ouro__realloc_alone(few ? NULL : list->first, room * sizeof *first);
    if (!first)
        return false;
    if (few)
        memcpy(first, list->few, OURO__FEW * sizeof *first);
    list->first = first;
    list->room = room;
    return true;
}

bool ouro__list_grow(struct ouro__list *list)
{
    if (list->room < OURO__PART)
        return first_grows(list);
    uint32_t count = list->room / OURO__PART;
    if ((count & (count - 1)) == 0) { /* room for 2, 4, 8 ... parts */
        bool one = list->parts == &list->first;
        ouro_word **parts =
            ouro__realloc_alone(one ? NULL : list->parts, 2 * count * sizeof *parts);
        if (!parts)
            return false;
        if (one)
            parts[0] = list->first;
        list->parts = parts;
    }
    ouro_word *part = ouro__realloc_alone(NULL, OURO__PART * sizeof *part);
    if (!part)
        return false;
    list->parts[count] = part;
    list->room += OURO__PART;
    return true;
}

void ouro__list_fit(struct ouro__list *list, uint32_t count)
{
    if (list->room > OURO__PART || list->room / 2 < count || list->first == list->few)
        return;
    ouro_word *first = ouro__realloc_alone(list->first, count * sizeof *first);
    if (!first)
        return;
    list->first = first;
    list->room = count;
}

void ouro__list_end(struct ouro__list *list)
{
    uint32_t parts = list->room / OURO__PART;
    for (uint32_t i = 1; i < parts; i++)
        ouro_free(list->parts[i]);
    if (list->parts != &list->first)
        ouro_free(list->parts);
    if (list->first != list->few)
        ouro_free(list->first);
}

void ouro__handle_free(struct ouro_isolated *handle)
{
    ouro__list_end(&handle->objects);
    handle->state = 0;
    ouro_free(handle);
}
