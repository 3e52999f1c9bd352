/* SPDX-License-Identifier: MIT */
/* ouro.h: the usual headers of Ouro in one. Each can also be included alone. */
#ifndef OURO_H
#define OURO_H

#include "alloc/context.h"
#include "alloc/fail.h"
#include "alloc/options.h"
#include "alloc/pool.h"
#include "alloc/runtime.h"
#include "alloc/stats.h"
#include "alloc/status.h"
#include "alloc/supply.h"
#include "alloc/version.h"
#include "hooks/closure.h"
#include "hooks/filter.h"
#include "hooks/payload.h"
#include "hooks/seq.h"
#include "hooks/strings.h"
#include "hooks/type.h"
#include "hooks/value.h"
#include "isolate/isolated.h"
#include "orc/bare.h"
#include "orc/context.h"
#include "orc/cycle.h"
#include "orc/foreign.h"
#include "orc/frame.h"
#include "orc/handle.h"
#include "orc/leak.h"
#include "orc/literal.h"
#include "orc/object.h"
#include "orc/rc.h"
#include "orc/release.h"
#include "orc/slot.h"
#include "orc/thread.h"
#include "orc/unshare.h"
#include "orc/weak.h"

#endif
