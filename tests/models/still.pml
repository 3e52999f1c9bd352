/* SPDX-License-Identifier: MIT */
/* still.pml: isolation without a second look at each object (isolate/isolate.c, D3): the owner adds
 * up, before its looks and after them, how often other threads counted on what they do not hold.
 * Two objects that refer to each other, the handle to the first, and a slot in each for more.
 * Whoever else has references takes others from slots, drops them, and moves them into slots and
 * out again. A note (`noted`) is a step of its own: after an increment, before a decrement, and
 * before a store into a slot. The owner looks at the counts and at the slots of each object in
 * separate steps, in either order of the objects, and compares sums. EARLY: the first object is
 * looked at before notes are added up, and once more in the end; drops and stores set T.
 * Build: spin -a -DFAULT=k -DCAP=n -DOTHERS=n -DEARLY=1 still.pml */
#ifndef FAULT
#define FAULT 0 /* 1 decrements are noted after  2 decrements are not noted  3 stores are not noted
                   4 notes are added up before the last scan  5 and after the first look
                   6 the early object is looked at once (EARLY)  7 stores do not set T (EARLY) */
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
bool T[2], isolated = 0;

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

inline look(o) { atomic { T[o] = 0; first = cnt[o]; seen = seen + cnt[o] } }
inline scan(o) { atomic { edges++; if :: extra[o] != NONE -> edges++ :: else fi } }

proctype Owner() {
  byte seen = 0, edges = 1, before = 0, after = 0, a = 0, first = 0, early = 0;
end:
  do
  :: isolated -> break
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
     if :: seen == edges ->
#if EARLY && FAULT != 6
           atomic { if :: T[a] || cnt[a] != early -> after = before + 1 :: else fi };
#endif
#if WITNESS == 2
           assert(before == after);
#endif
           if :: before == after -> isolated = 1;
                 assert(held == 0);
#if WITNESS == 1
                 assert(0);
#endif
              :: else fi
        :: else fi;
     atomic { seen = 0; edges = 1; before = 0; after = 0; a = 0; first = 0; early = 0 }
  od }

#define ROOM   (held < CAP)
#define NOTE   noted++

inline take(o) { /* a reference to o was read from a slot: it is counted */
  held++;
  cnt[o]++;
  NOTE;
  mine[o]++ }
inline drop(o) {
#if FAULT != 1 && FAULT != 2
  NOTE;
#endif
  atomic { cnt[o]--; mine[o]--; held--; T[o] = 1 }
#if FAULT == 1
  ; NOTE
#endif
  }
inline move_in(o, t) { /* a reference to t, into the slot of o, to which there is another */
  atomic { mine[o] > 0 && mine[t] > (o == t) && extra[o] == NONE -> assert(!isolated) }
#if FAULT != 3
  NOTE;
#endif
  if :: atomic { extra[o] == NONE -> extra[o] = t; mine[t]--; held--;
#if FAULT != 7
                 T[o] = 1
#endif
               } :: else fi }
inline move_out(o) {
  atomic { mine[o] > 0 && extra[o] != NONE ->
           assert(!isolated); held++; mine[extra[o]]++; extra[o] = NONE;
#if FAULT != 7
           T[o] = 1
#endif
         } }

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
