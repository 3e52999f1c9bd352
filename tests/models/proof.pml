/* SPDX-License-Identifier: MIT */
/* proof.pml: isolation beside a thread that is in the graph (isolate/isolate.c, D1 to D3).
 * Two objects that refer to each other, and the handle to the first. Whoever else has a reference
 * takes others from slots, and drops those that it has: at once, which sets T, or through the
 * owner's queue (Q; notices, rule 1). The owner looks at each object twice, T cleared at the first
 * look, all first looks before all second ones, each look one step.
 * MERGED: of objects that all count atomically, inlined. The first look puts a mark where an owner
 * would stand, so that counts go out of line, where a drop sets T if it finds the mark then. An
 * inlined count looks for the mark in one step, and counts in another.
 * Build: spin -a -DFAULT=k -DCAP=n -DMERGED=1 proof.pml */
#ifndef FAULT
#define FAULT 0 /* 1 no second look  2 T is left as it is  3 each second look right after its first
                   4 what waits in a queue is not looked at  5 drops of one object leave T alone
                   6 no mark (MERGED) */
#endif
#ifndef CAP
#define CAP 3 /* references of the other thread */
#endif
#ifndef MERGED
#define MERGED 0
#endif
#ifndef WITNESS
#define WITNESS 0 /* 1 isolated  2 refused at the second look alone */
#endif
#define EXPLAINED(i) (2 - i) /* the handle and 1.next; 0.next */
byte cnt[2], hold[2];
bool T[2], Q[2], marked[2], isolated = 0;

init {
  atomic {
    cnt[0] = EXPLAINED(0); cnt[1] = EXPLAINED(1);
    if :: hold[0] = 1; cnt[0]++ :: hold[1] = 1; cnt[1]++ :: skip fi;
    if :: T[0] = 1 :: skip fi;
    if :: T[1] = 1 :: skip fi;
    run Owner(); run Other()
  } }

inline first(i) {
  atomic {
#if FAULT != 2
    T[i] = 0;
#endif
#if FAULT != 6
    marked[i] = 1;
#endif
    seen[i] = cnt[i]; queued = queued || Q[i]; touched[i] = T[i] } }
inline second(i) {
  atomic {
    if :: cnt[i] != seen[i] || T[i] != touched[i] || Q[i] -> changed = 1 :: else fi } }

proctype Owner() {
  byte seen[2], a = 0; bool touched[2], queued = 0, changed = 0;
end:
  do
  :: isolated -> break
  :: !isolated && Q[0] -> atomic { Q[0] = 0; cnt[0]-- }                 /* a drain */
  :: !isolated && Q[1] -> atomic { Q[1] = 0; cnt[1]-- }
  :: !isolated ->
     if :: a = 0 :: a = 1 fi;                                          /* in either order */
     first(a);
#if FAULT == 3
     second(a);
#endif
     first(1 - a);
#if FAULT == 3
     second(1 - a);
#elif FAULT != 1
     if :: a = 0 :: a = 1 fi;
     second(a); second(1 - a);
#endif
#if FAULT == 4
     queued = 0; changed = 0;
     seen[0] = seen[0] - Q[0]; seen[1] = seen[1] - Q[1];
#endif
     if :: seen[0] == EXPLAINED(0) && seen[1] == EXPLAINED(1) && !queued ->
#if WITNESS == 2
           assert(!changed);
#endif
           if :: !changed -> isolated = 1;
                 assert(hold[0] + hold[1] == 0 && !Q[0] && !Q[1]);
#if WITNESS == 1
                 assert(0);
#endif
              :: else fi
        :: else fi;
     atomic { seen[0] = 0; seen[1] = 0; touched[0] = 0; touched[1] = 0; queued = 0; changed = 0;
              marked[0] = 0; marked[1] = 0 }
  od }

#if MERGED
inline take(i) { quick = !marked[i]; atomic { cnt[i]++; hold[i]++; quick = 0 } }
inline drop(i) {
  quick = !marked[i];
  atomic { hold[i]--; cnt[i]--; if :: !quick && marked[i] -> T[i] = 1 :: else fi; quick = 0 } }
#else
inline take(i) { atomic { cnt[i]++; hold[i]++ } }
inline drop(i) {
  atomic {
    hold[i]--;
#if FAULT == 5
    if :: i == 1 -> cnt[i]-- :: else ->
#endif
    if :: !Q[i] && !T[i] -> Q[i] = 1; T[i] = 1
       :: else -> cnt[i]--; T[i] = 1
    fi
#if FAULT == 5
    fi
#endif
    } }
#endif

proctype Other() {
  bool quick = 0;
end:
  do
  :: hold[0] > 0 && hold[0] + hold[1] < CAP -> assert(!isolated); take(1)
  :: hold[1] > 0 && hold[0] + hold[1] < CAP -> assert(!isolated); take(0)
  :: hold[0] > 0 -> assert(!isolated); drop(0)
  :: hold[1] > 0 -> assert(!isolated); drop(1)
  od }
