/* SPDX-License-Identifier: MIT */
/* weak.pml: weak references.  W is a sticky bit beside the shared count; a side-table cell holds the
 * object's address and is read and cleared under the cell's lock; dead means M set and count zero.
 * Thread 0 owns the object; 1..NF are foreign; every thread has the weak handle once it is made.
 * FOLD: an object that can be in a cycle, which is never merged (counts.pml).
 * Build: spin -a -DFAULT=k -DNF=n weak.pml */
#ifndef FAULT
#define FAULT 0 /* 1 owner's zero drop ignores W  2 upgrade does not test for dead */
#endif          /* 3 W lost when counts merge     4 cell not cleared before the free
                   5 the drain's last reference ignores W */
#ifndef NF
#define NF 1
#endif
#ifndef CAP
#define CAP 3
#endif
#define LCAP 4
short lc = 1, cnt = 0; bool M = 0, Q = 0, W = 0, mine = 1, freed = 0;
bool cell = 0, lock = 0;
byte ghost = 1, inq = 0, busy = 0, held[NF + 1];

inline touch() { assert(!freed) }
inline destroy() {                        /* death is decided; unlink weak cells, then free */
  assert(ghost == 0);
  if :: W ->
        atomic { !lock -> lock = 1 };
#if FAULT != 4
        cell = 0;
#endif
        lock = 0
     :: else fi;
  atomic { assert(ghost == 0 && !freed && inq == 0); freed = 1 } }
inline done() { atomic { busy--;
  if :: busy == 0 && !freed ->
        assert(!M -> (lc + cnt == ghost + inq && inq == Q) : (cnt == ghost && cnt > 0 && inq == 0));
        assert(ghost > 0 || inq > 0); assert(!cell || W)
     :: else fi } }
inline shared_dec() {
  atomic { touch();
    if :: M -> cnt--; if :: cnt == 0 -> act = 1 :: else fi
       :: !M && cnt <= 0 && !Q -> Q = 1; act = 2
       :: !M && (cnt > 0 || Q) -> cnt-- fi };
  if :: act == 1 -> destroy() :: act == 2 -> atomic { inq++ } :: else fi;
  act = 0 }
inline make_weak(i) {                     /* by a thread that holds a strong reference */
  atomic { touch(); W = 1 };              /* fetch_or, before the cell can be found */
  atomic { !lock -> lock = 1 }; cell = 1; lock = 0 }
inline upgrade(i) {
  atomic { !lock -> lock = 1 };
  if :: !cell -> skip
     :: cell && i == 0 && mine -> touch();            /* the owner counts plainly */
        l = lc; lc = l + 1; atomic { ghost++; held[i]++; l = 0 }
     :: cell && !(i == 0 && mine) ->
        atomic { touch();
#if FAULT == 2
          cnt++; ghost++; held[i]++
#else
          if :: M && cnt == 0 -> skip                 /* dead */
             :: else -> cnt++; ghost++; held[i]++ fi
#endif
        }
  fi;
  lock = 0 }

active proctype Owner() {
  short l = 0, c = 0, n = 0; bool q = 0, w = 0, ok = 0; byte act = 0;
  held[0] = 1;
end:
  do
  :: atomic { held[0] > 0 && ghost < CAP && lc < LCAP && cnt < LCAP -> busy++; ghost++ };
     touch();
     if :: mine -> l = lc; lc = l + 1
        :: else -> atomic { touch(); cnt++ } fi;
     atomic { held[0]++; l = 0 }; done()
  :: atomic { held[0] > 0 -> held[0]--; ghost--; busy++ };
     touch();
     if :: mine -> l = lc; lc = l - 1;
           if :: l - 1 == 0 ->
                 do :: atomic { touch(); c = cnt; q = Q; w = W };
#if FAULT == 1
                       w = 0;
#endif
                       if :: q -> break
                          :: !q && !w && c == 0 -> destroy(); break
#ifdef FOLD
                          :: !q && c > 0 -> lc = c;
                             atomic { touch();
                               if :: cnt == c && !Q -> cnt = 0; ok = 1 :: else -> ok = 0 fi };
                             if :: ok -> break :: else -> lc = 0 fi
#endif
                          :: else -> atomic { touch();        /* W set or count above zero */
                               if :: cnt == c && !Q && W == w -> M = 1; mine = 0; ok = 1
#if FAULT == 3
                                     ; W = 0
#endif
                                  :: else -> ok = 0 fi };
                               if :: ok -> if :: c == 0 -> destroy() :: else fi; break
                                  :: else fi
                       fi
                 od
              :: else fi
        :: else -> shared_dec() fi;
     atomic { l = 0; c = 0; q = 0; w = 0; ok = 0 }; done()
  :: atomic { inq > 0 -> inq--; busy++ };
     atomic { touch(); assert(Q && !M && mine); l = lc };
     do :: atomic { touch(); c = cnt; w = W; n = l + c - 1; assert(n >= 0) };
#if FAULT == 5
           w = 0;
#endif
           if :: n == 0 && !w -> destroy(); break    /* the entry's was the last: no RMW */
              :: n == 0 && w -> lc = 0;
                 atomic { if :: cnt == c -> cnt = 0; M = 1; Q = 0; mine = 0; ok = 1 :: else fi };
                 if :: ok -> destroy(); break :: else fi
#ifdef FOLD
              :: n > 0 -> lc = n;
#else
              :: n > 0 && c <= 0 -> lc = n;
#endif
                 atomic { if :: cnt == c -> cnt = 0; Q = 0; ok = 1 :: else fi };
                 if :: ok -> break :: else fi
#ifndef FOLD
              :: n > 0 -> lc = 0;
                 atomic { if :: cnt == c -> cnt = n; M = 1; Q = 0; mine = 0; ok = 1
#if FAULT == 3
                                            ; W = 0
#endif
                             :: else fi };
                 if :: ok -> break :: else fi
#endif
           fi
     od;
     atomic { l = 0; c = 0; n = 0; w = 0; ok = 0 }; done()
  :: atomic { held[0] > 0 && !W -> busy++ }; make_weak(0); done()
  :: atomic { W && cell && ghost < CAP && lc < LCAP && cnt < LCAP -> busy++ }; upgrade(0); done()
  :: atomic { held[0] > 0 -> held[0]--; held[1]++ }
  od }

proctype Foreign(byte me) {
  short l = 0; byte act = 0;
end:
  do
  :: atomic { held[me] > 0 && ghost < CAP && cnt < LCAP -> busy++; ghost++ };
     atomic { touch(); cnt++ }; atomic { held[me]++ }; done()
  :: atomic { held[me] > 0 && cnt > -LCAP -> held[me]--; ghost--; busy++ }; shared_dec(); done()
  :: atomic { held[me] > 0 && !W -> busy++ }; make_weak(me); done()
  :: atomic { W && cell && ghost < CAP && cnt < LCAP -> busy++ }; upgrade(me); done()
  :: atomic { held[me] > 0 -> held[me]--; held[0]++ }
#if NF > 1
  :: atomic { held[me] > 0 -> held[me]--; held[3 - me]++ }
#endif
  od }
init { atomic { run Foreign(1);
#if NF > 1
  run Foreign(2)
#endif
} }
