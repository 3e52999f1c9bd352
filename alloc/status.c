/* SPDX-License-Identifier: MIT */
#include "alloc/status.h"

const char *ouro_status_name(ouro_status status)
{
    static const char *const names[OURO_STATUS_COUNT] = {
        [OURO_OK] = "ok",
        [OURO_NO_MEMORY] = "no memory",
        [OURO_BAD_ARGUMENT] = "bad argument",
        [OURO_BAD_TYPE] = "bad type",
        [OURO_TOO_LATE] = "too late",
        [OURO_BUSY] = "busy",
        [OURO_UNKNOWN_NAME] = "unknown name",
        [OURO_WRONG_ABI] = "wrong ABI",
        [OURO_NOT_ISOLATED] = "not isolated",
        [OURO_CLOSED] = "closed",
        [OURO_TIMED_OUT] = "timed out",
        [OURO_WOULD_BLOCK] = "would block",
        [OURO_CANCELLED] = "cancelled",
    };
    return (unsigned)status < OURO_STATUS_COUNT ? names[status] : "unknown status";
}
