/* SPDX-License-Identifier: MIT */
/* fork.pml: the child of fork has one thread; all others vanish in the middle of what they did.
 *
 * counts.md 5 (fork): in the child every token of a vanished thread is FROZEN: its queue is neither
 * pushed to with effect nor drained, nothing that carries it is merged, judged or adopted.  Objects
 * may leak there.  The survivor goes on with what it owns; an entry that a vanished thread had not
 * pushed yet stays away for ever, so does Q, so the object leaks.
 * One object.  VICTIM 0: its owner vanishes, the foreign thread calls fork; 1: the other way round,
 * and the owner may have been parked while the foreign thread merged for it; it unparks before it
 * forks.  fork is called between two operations of the caller; the victim may be anywhere.
 * S: a foreign store is under way (notice.pml).  Its thread notes the object before, and takes the note
 * off after; the child clears S where a note says so, for whoever finds S set waits.
 * FOLD: the object can be in a cycle and keeps its owner (counts.pml).
 * UNTYPED: all drops are answered at once (counts.md, without any descriptor) under a program's lock;
 * in the child the one thread needs none.  Without UNTYPED, drops are typed before the fork and may be
 * of either kind after it.
 *
 * Asserted: nothing is destroyed while a reference to it exists (those of the vanished count), nor
 * twice, nor used afterwards.  Leaks in the child are allowed, so nothing is asserted of them.
 * Search without partial order reduction (the victim's steps are `provided` that it lives).
 * Build: spin -a -DFAULT=k -DVICTIM=n -DUNTYPED=n fork.pml; cc -DNOREDUCE */
#ifndef FAULT
#define FAULT 0
#endif
/* 1 the child adopts and drains the token    2 an untyped answer in the child ignores Q (merges may
 *   be half done)                            3 the child takes the objects over as their holder
 * 4 a parked owner forks as it is (VICTIM 1)
 * 5 the child does not clear S             6 S is set before the note */
#ifndef VICTIM
#define VICTIM 0
#endif
#ifndef UNTYPED
#define UNTYPED 0
#endif
#ifndef CAP
#define CAP 4
#endif
#define LCAP 4
#ifndef WITNESS
#define WITNESS 0 /* 1 something dies in the child  2 a vanished thread left a drain half done */
#endif
mtype = { RUN, PARK, MERGE };
mtype st = RUN;
short lc = 1, cnt = 0; bool M = 0, Q = 0, mine = 1, freed = 0, forked = 0, lk = 0;
bool draining = 0;                        /* ghost: an entry is taken and not yet settled */
byte ghost = 1, inq = 0, busy = 0, held[2];
bool S = 0, note = 0;                     /* the note is of the foreign thread */
#ifdef FOLD
#define KEEPS true
#else
#define KEEPS false
#endif
#define lives(i) (!forked || i != VICTIM)

inline touch() { assert(!freed) }
inline destroy() { atomic { assert(ghost == 0 && !freed); freed = 1;
#if WITNESS == 1
                            assert(!forked)
#endif
                          } }
inline done() { atomic { busy--;
  if :: busy == 0 && !forked && !freed && st == RUN ->
        assert(!M -> lc + cnt == ghost + inq && inq == Q : cnt == ghost && cnt > 0 && inq == 0);
        assert(ghost > 0 || inq > 0)
     :: else fi } }
inline enter() { if :: UNTYPED && !forked -> atomic { !lk -> lk = 1 } :: else fi }
inline leave() { if :: UNTYPED && !forked -> lk = 0 :: else fi }

inline drain_one() {                      /* by the owner, or under MERGING */
  atomic { touch(); assert(!M && mine); l = lc };
  do :: atomic { touch(); c = cnt; n = l + c - 1; assert(n >= 0) };
        if :: n == 0 -> destroy(); break
           :: n > 0 && (c <= 0 || KEEPS && l == 0) -> lc = n;
              atomic { if :: cnt == c -> cnt = 0; Q = 0; ok = 1 :: else fi };
              if :: ok -> break :: else fi
           :: n > 0 && c > 0 && l > 0 -> lc = l;
              atomic { if :: cnt == c -> cnt = c - 1; Q = 0; ok = 1 :: else fi };
              if :: ok -> break :: else fi
           :: n > 0 && c > 0 && !KEEPS -> lc = 0;
              atomic { if :: cnt == c -> cnt = n; M = 1; Q = 0; mine = 0; ok = 1 :: else fi };
              if :: ok -> break :: else fi
        fi
  od;
  atomic { draining = 0; ok = 0; l = 0; c = 0; n = 0 } }
inline shared_dec() {
  atomic { touch();
    if :: M -> cnt--; if :: cnt == 0 -> act = 1 :: else fi
       :: !M && cnt <= 0 && !Q -> Q = 1; act = 2
       :: !M && (cnt > 0 || Q) -> cnt-- fi };
  if :: act == 1 -> destroy()
     :: act == 2 -> atomic { inq++ }      /* in the child of VICTIM 0: for nobody */
     :: else fi;
  act = 0 }
/* the typed drop of the owner */
inline owner_drop() {
  touch();
  if :: mine && lc == 0 -> shared_dec()
     :: mine && lc != 0 -> l = lc; lc = l - 1;
        if :: l - 1 == 0 ->
              do :: atomic { touch(); c = cnt; ok = Q };
                    if :: ok -> ok = 0; break
                       :: !ok && c == 0 -> destroy(); break
                       :: !ok && c != 0 && KEEPS -> lc = c;
                          atomic { touch(); if :: cnt == c && !Q -> cnt = 0; ok = 1 :: else fi };
                          if :: ok -> break :: else -> lc = 0 fi
                       :: !ok && c != 0 && !KEEPS -> atomic { touch();
                            if :: cnt == c && !Q -> M = 1; mine = 0; ok = 1 :: else fi };
                          if :: ok -> break :: else fi fi
              od
           :: else fi
     :: !mine -> shared_dec()
  fi;
  atomic { l = 0; c = 0; ok = 0; act = 0 } }
/* the untyped drops */
inline owner_untyped() {
  touch();
  if :: mine ->
        l = lc - 1; lc = l;
        do :: atomic { touch(); c = cnt; ok = Q };
              if :: ok -> ok = 0; break                               /* the drain decides */
                 :: !ok && c == 0 && l > 0 -> lc = l; break
                 :: !ok && l + c == 0 -> destroy(); break
                 :: !ok && c != 0 && l + c > 0 -> lc = 0;             /* merge on the spot */
                    atomic { touch(); if :: cnt == c && !Q -> cnt = l + c; M = 1; mine = 0; ok = 1
                                         :: else fi };
                    if :: ok -> break :: else fi
                 :: else -> assert(0) fi
        od
     :: !mine -> atomic { touch(); cnt--; ok = (cnt == 0) }; if :: ok -> destroy() :: else fi
  fi;
  atomic { l = 0; c = 0; ok = 0 } }
inline other_untyped() {
  atomic { touch(); cnt--; c = cnt; m = M; ok = Q };
#if FAULT == 2
  ok = 0;
#endif
  if :: m -> if :: c == 0 -> destroy() :: else fi
     :: !m && (ok || c >= 0) -> skip
     :: !m && !ok && c < 0 -> touch(); l = lc; if :: l + c == 0 -> destroy() :: else fi
  fi;
  atomic { l = 0; c = 0; m = 0; ok = 0 } }

active proctype Owner() provided (lives(0)) {
  short l = 0, c = 0, n = 0; bool ok = 0; byte act = 0;
  held[0] = 1;
end:
  do
  :: atomic { held[0] > 0 && ghost < CAP && lc < LCAP && cnt < LCAP -> busy++; ghost++ };
     touch();
     if :: mine -> l = lc; lc = l + 1 :: else -> atomic { touch(); cnt++ } fi;
     atomic { held[0]++; l = 0 }; done()
  :: atomic { held[0] > 0 && cnt > -LCAP && !UNTYPED -> held[0]--; ghost--; busy++ };
     owner_drop(); done()
  :: atomic { held[0] > 0 && cnt > -LCAP && UNTYPED -> held[0]--; ghost--; busy++ };
     enter(); owner_untyped(); leave(); done()
  :: atomic { inq > 0 && Q -> inq--; busy++; draining = 1 };
     drain_one(); done()
  :: atomic { held[0] > 0 -> held[0]--; held[1]++ }
#if VICTIM == 1
  :: atomic { !forked -> forked = 1;
#if FAULT != 5
              if :: note -> S = 0 :: else fi;         /* no thread is there that would */
#endif
              assert(!S); note = 0 }                  /* or it would be waited for, for ever */
  :: atomic { st == RUN && !UNTYPED -> st = PARK };                    /* parked; may fork there */
#if FAULT == 4
     if :: atomic { !forked -> forked = 1; assert(st != MERGE) } :: forked -> skip :: skip fi;
#endif
     atomic { st == PARK -> st = RUN }                                 /* waits while MERGING */
#endif
  :: forked -> skip
  od }

active proctype Other() provided (lives(1)) {
  short l = 0, c = 0, n = 0; bool ok = 0, m = 0; byte act = 0;
end:
  do
  :: atomic { held[1] > 0 && ghost < CAP && cnt < LCAP -> busy++; ghost++ };
     atomic { touch(); cnt++ }; atomic { held[1]++ }; done()
  :: atomic { held[1] > 0 && cnt > -LCAP && !UNTYPED -> held[1]--; ghost--; busy++ };
     shared_dec(); done()
  :: atomic { held[1] > 0 && cnt > -LCAP && (UNTYPED || forked) -> held[1]--; ghost--; busy++ };
     enter(); other_untyped(); leave(); done()
  :: atomic { held[1] > 0 && !forked -> held[1]--; held[0]++ }
#if VICTIM == 1
  :: atomic { held[1] > 0 && !M -> busy++ };           /* a store into a slot */
#if FAULT == 6
     S = 1; note = 1;
#else
     note = 1; S = 1;
#endif
     touch(); S = 0; note = 0; done()
  :: atomic { st == PARK && inq > 0 -> st = MERGE; inq--; busy++; draining = 1 };
     drain_one(); st = PARK; done()
#else
  :: atomic { !forked -> forked = 1;
#if WITNESS == 2
              assert(!(draining && lc == 0 && cnt > 0 && Q))
#endif
            }
#endif
#if FAULT == 1
  :: atomic { forked && (inq > 0 || draining) && Q && !freed -> inq = 0; draining = 1 };
     drain_one()
#elif FAULT == 3
  :: atomic { forked && held[1] > 0 && cnt > -LCAP -> held[1]--; ghost--; busy++ };
     if :: UNTYPED -> owner_untyped() :: !UNTYPED -> owner_drop() fi; done()
#endif
  :: forked -> skip
  od }
