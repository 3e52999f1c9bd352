/* SPDX-License-Identifier: MIT */
/* still.pml: isolation without a second look at each object (isolate/isolate.c, D3): the owner adds
 * up, before its looks and after them, how often other threads counted on what they do not hold.
 * Two objects that refer to each other, the handle to the first, and a slot in each for more.
 * Whoever else has references takes others from slots, drops them, and moves them into slots and
 * out again. A note (`noted`) is a step of its own: after an increment, before a decrement, and
 * in a store into a slot: after the mark (S, and T and Q where T was clear; Q comes with a
 * reference), before the slot is written. Who stores has a reference to the container, or to what
 * keeps it. The owner looks at the counts and at the slots of each object in
 * separate steps, in either order of the objects, and compares sums. EARLY: the first object is
 * looked at before notes are added up, and once more in the end; drops and stores set T.
 * Build: spin -a -DFAULT=k -DCAP=n -DOTHERS=n -DEARLY=1 still.pml */
#ifndef FAULT
#define FAULT 0 /* 1 counts are not noted  2 increments are not, and decrements after  3 stores are not
                   4 notes are added up before the last scan  5 and after the first look
                   6 the early object is looked at once (EARLY)  7 stores do not set T (EARLY)
                   8 stores are noted before the mark */
#endif
#ifndef CAP
#define CAP 2 /* references of the others */
#endif
#ifndef OTHERS
#define OTHERS 1
#endif
#ifndef EARLY
#define EARLY 0
#endif
#ifndef NOTES
#define NOTES 6 /* the others stop after so many */
#endif
#ifndef WITNESS
#define WITNESS 0 /* 1 isolated  2 refused for the notes alone */
#endif
#define NONE 2
byte cnt[2], extra[2], noted = 0, held = 0; /* by the others */
bool T[2], S[2], Q[2], isolated = 0;

init {
  byte k;
  atomic {
    extra[0] = NONE; extra[1] = NONE;
    cnt[0] = 2; cnt[1] = 1; /* the handle and 1.next; 0.next */
    run Owner();
    for (k : 1 .. OTHERS) {
      if :: held < CAP -> held++; cnt[0]++; run Other(1, 0)
         :: held < CAP -> held++; cnt[1]++; run Other(0, 1)
         :: held + 1 < CAP -> held = held + 2; cnt[0]++; cnt[1]++; run Other(1, 1)
         :: skip
      fi }
  } }

inline look(o) {
  atomic { busy = busy || S[o] || Q[o]; T[o] = 0; first = cnt[o]; seen = seen + cnt[o] } }
inline scan(o) { atomic { edges++; if :: extra[o] != NONE -> edges++ :: else fi } }

proctype Owner() {
  byte seen = 0, edges = 1, before = 0, after = 0, a = 0, first = 0, early = 0; bool busy = 0;
end:
  do
  :: isolated -> break
  :: !isolated && Q[0] -> atomic { Q[0] = 0; cnt[0]-- } /* a drain */
  :: !isolated && Q[1] -> atomic { Q[1] = 0; cnt[1]-- }
  :: !isolated ->
     if :: a = 0 :: a = 1 fi;
#if EARLY
     look(a); early = first;
     if :: scan(a); before = noted; look(1 - a); scan(1 - a)
        :: before = noted; look(1 - a); scan(a); scan(1 - a)
        :: before = noted; scan(a); look(1 - a); scan(1 - a)
     fi;
     after = noted;
#else
#if FAULT == 5
     look(a); before = noted;
#else
     before = noted; look(a);
#endif
     if :: scan(a); look(1 - a) :: look(1 - a); scan(a) fi;
#if FAULT == 4
     after = noted; scan(1 - a);
#else
     scan(1 - a); after = noted;
#endif
#endif
     if :: seen == edges && !busy ->
#if EARLY && FAULT != 6
           atomic { if :: T[a] || S[a] || Q[a] || cnt[a] != early -> after = before + 1 :: else fi };
#endif
#if WITNESS == 2
           assert(before == after);
#endif
           if :: before == after -> isolated = 1;
                 assert(held == 0 && !Q[0] && !Q[1] && !S[0] && !S[1]);
#if WITNESS == 1
                 assert(0);
#endif
              :: else fi
        :: else fi;
     atomic { seen = 0; edges = 1; before = 0; after = 0; a = 0; first = 0; early = 0; busy = 0 }
  od }

#define ROOM   (held < CAP)
#define NOTE   noted++

inline take(o) { /* a reference to o was read from a slot: it is counted */
  held++;
  cnt[o]++;
#if FAULT != 1 && FAULT != 2
  NOTE;
#endif
  mine[o]++ }
inline drop(o) {
#if FAULT != 1 && FAULT != 2
  NOTE;
#endif
  atomic { cnt[o]--; mine[o]--; held--; T[o] = 1 }
#if FAULT == 2
  ; NOTE
#endif
  }
inline store_begins(o) {
#if FAULT == 8
  NOTE;
#endif
  atomic { !S[o] ->
    assert(!isolated); S[o] = 1;
#if FAULT != 7
    if :: !T[o] && !Q[o] -> Q[o] = 1; cnt[o]++ :: else fi;
    T[o] = 1
#endif
  }
#if FAULT != 8 && FAULT != 3
  NOTE
#else
  skip
#endif
}
inline move_in(o, t) { /* a reference to t, into the slot of o, which the other object keeps */
  atomic { mine[t] > 0 && extra[o] == NONE -> assert(!isolated) }
  store_begins(o);
  atomic { if :: extra[o] == NONE -> extra[o] = t; mine[t]--; held-- :: else fi };
  S[o] = 0 }
inline move_out(o) {
  atomic { (mine[0] > 0 || mine[1] > 0) && extra[o] != NONE -> assert(!isolated) }
  store_begins(o);
  atomic { if :: extra[o] != NONE -> held++; mine[extra[o]]++; extra[o] = NONE :: else fi };
  S[o] = 0 }

proctype Other(byte m0; byte m1) {
  byte i = 0, target = 0, mine[2];
  mine[0] = m0; mine[1] = m1;
end:
  do
  :: noted < NOTES ->
     if :: i = 0 :: i = 1 fi;
     if
     :: atomic { mine[i] > 0 && ROOM -> assert(!isolated) }; take(1 - i)
     :: atomic { mine[i] > 0 && ROOM && extra[i] != NONE -> assert(!isolated); target = extra[i] };
        take(target)
     :: atomic { mine[i] > 0 -> assert(!isolated) }; drop(i)
     :: move_in(i, 0)
     :: move_in(i, 1)
     :: move_out(i)
     :: else -> skip
     fi;
     i = 0; target = 0
  od }
