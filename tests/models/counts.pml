/* SPDX-License-Identifier: MIT */
/* counts.pml: biased counts, queueing to a running owner, merge or fold by the owner's drain.
 * Thread 0 owns every object; threads 1..NF are foreign.  One step = one access to a shared word.
 * A compare-and-swap loop whose iterations write nothing is one atomic step (a failed turn of the
 * loop changes nothing, so only the successful turn can be observed).
 * FLOOR (departure): `local` never falls below zero.  The word has no room for less, but
 * with Q set the owner may drop references that B counts; with local 0 it does so on B.
 * FOLD (departure): an object that can be in a cycle is never merged.  What a zero drop, or a drain,
 * finds in the shared count becomes local: the object stays with its owner, and so does its garbage.
 * Build: spin -a -DFAULT=k -DNF=n -DNO=n -DCAP=n counts.pml */
#ifndef FAULT
#define FAULT 0  /* 1 Q ignored: queued twice  2 local/owner written after the merge is published */
#endif           /* 3 negative count not queued 4 queue holds no reference 5 zero drop skips B */
                 /* 6 a foreign thread calls sum 1 unique, B read first  7 the same, local read first
                    8 queued only where the sum becomes zero, as read by the foreign thread */
#ifndef NF
#define NF 1
#endif
#ifndef NO
#define NO 1
#endif
#ifndef CAP
#define CAP 3
#endif
#ifndef LCAP
#define LCAP 4
#endif
typedef Obj {
  short lc; short cnt; bool M; bool Q; bool mine;  /* mine: owner token is thread 0's */
  bool freed; byte ghost; byte inq; byte held[NF + 1]
}
Obj x[NO];
byte busy = 0;                                        /* operations in flight */

inline touch(o) { assert(!x[o].freed) }
inline destroy(o) { atomic { assert(x[o].ghost == 0); assert(!x[o].freed); x[o].freed = 1;
                             assert(x[o].inq == 0) } }
inline check(o) {                                     /* no operation in flight */
  if :: x[o].freed -> skip
     :: else ->
        if :: x[o].M -> assert(x[o].cnt == x[o].ghost && x[o].cnt > 0 && x[o].inq == 0)
           :: else -> assert(x[o].lc + x[o].cnt == x[o].ghost + x[o].inq);
                      assert(x[o].inq == x[o].Q);
                      assert(x[o].lc >= 1 || x[o].Q)
        fi;
        assert(x[o].ghost > 0 || x[o].inq > 0)        /* no leak */
  fi }
inline done() { atomic { busy--;
  if :: busy == 0 -> k = 0; do :: k < NO -> check(k); k++ :: else -> break od; k = 0
     :: else fi } }

inline shared_inc(o) { atomic { touch(o); x[o].cnt++ } }
inline shared_dec(o) {                                /* any thread that is not the owner */
  act = 0;
  atomic { touch(o);
    if :: x[o].M -> x[o].cnt--; if :: x[o].cnt == 0 -> act = 1 :: else fi
#if FAULT == 1
       :: !x[o].M && x[o].cnt <= 0 -> x[o].Q = 1; act = 2
       :: !x[o].M && x[o].cnt > 0 -> x[o].cnt--
#elif FAULT == 3
       :: !x[o].M -> x[o].cnt--
#elif FAULT == 8
       :: !x[o].M && x[o].lc + x[o].cnt == 1 && !x[o].Q -> x[o].Q = 1; act = 2
       :: !x[o].M && (x[o].lc + x[o].cnt != 1 || x[o].Q) -> x[o].cnt--
#elif FAULT == 4
       :: !x[o].M && x[o].cnt <= 0 && !x[o].Q -> x[o].Q = 1; x[o].cnt--; act = 2
       :: !x[o].M && (x[o].cnt > 0 || x[o].Q) -> x[o].cnt--
#else
       :: !x[o].M && x[o].cnt <= 0 && !x[o].Q -> x[o].Q = 1; act = 2   /* my reference: the queue's */
       :: !x[o].M && (x[o].cnt > 0 || x[o].Q) -> x[o].cnt--
#endif
    fi };
  if :: act == 1 -> destroy(o)
     :: act == 2 -> atomic { x[o].inq++; act = 0 }
     :: else fi }

active proctype Owner() {
  byte o = 0, k = 0, act = 0; short l = 0, c = 0, n = 0; bool q = 0, ok = 0;
  atomic { do :: o < NO -> x[o].lc = 1; x[o].mine = 1; x[o].ghost = 1; x[o].held[0] = 1; o++
              :: else -> o = 0; break od }
end:
  do
  :: o = (o + 1) % NO
  :: atomic { x[o].held[0] > 0 && x[o].ghost < CAP && x[o].lc < LCAP && x[o].cnt < LCAP ->
              busy++; x[o].ghost++ };                 /* dup */
     touch(o);
     if :: x[o].mine -> l = x[o].lc; x[o].lc = l + 1
        :: else -> shared_inc(o) fi;
     atomic { x[o].held[0]++; l = 0 }; done()
  :: atomic { x[o].held[0] > 0 -> x[o].held[0]--; x[o].ghost--; busy++ };   /* drop */
     touch(o);
     if
#ifdef FLOOR
        :: x[o].mine && x[o].lc == 0 -> assert(x[o].Q); shared_dec(o)
        :: x[o].mine && x[o].lc != 0 -> assert(x[o].lc > 0);
#else
        :: x[o].mine ->
#endif
           l = x[o].lc; x[o].lc = l - 1;
           if :: l - 1 == 0 ->                        /* zero: look at B once */
                 do :: atomic { touch(o); c = x[o].cnt; q = x[o].Q }
#if FAULT == 5
                       c = 0; q = 0;
#endif
                       if :: q -> break               /* the drain decides */
                          :: !q && c == 0 -> destroy(o); break          /* no atomic at all */
#ifdef FOLD
                          :: else -> assert(c > 0);   /* all foreign references become local ones */
                             x[o].lc = c;
                             atomic { touch(o);
                               if :: x[o].cnt == c && !x[o].Q ->
                                     x[o].cnt = 0; ok = 1
                                  :: else -> ok = 0 fi };
                             if :: ok -> break
                                :: else -> x[o].lc = 0 fi
#else
                          :: else -> atomic {         /* compare-and-swap */
                               touch(o); assert(c > 0);
                               if :: x[o].cnt == c && !x[o].Q -> x[o].M = 1; x[o].mine = 0; ok = 1
                                  :: else -> ok = 0 fi };
                               if :: ok -> break :: else fi
#endif
                       fi
                 od
              :: else fi
        :: else -> shared_dec(o) fi;
     atomic { l = 0; c = 0; q = 0; ok = 0; act = 0 }; done()
  :: atomic { x[o].inq > 0 -> x[o].inq--; busy++ };   /* drain one entry */
     atomic { touch(o); assert(x[o].Q && !x[o].M && x[o].mine); l = x[o].lc };
     do :: atomic { touch(o); c = x[o].cnt; n = l + c - 1;
#if FAULT == 4
                    n = l + c;
#endif
                    assert(n >= 0) };
           if :: n == 0 -> destroy(o); break       /* the entry's was the last: no RMW */
#ifdef FOLD
              :: n > 0 -> x[o].lc = n;             /* fold, whatever c is */
#else
              :: n > 0 && c <= 0 -> x[o].lc = n;   /* fold: the bias stays */
#endif
                 atomic { if :: x[o].cnt == c -> x[o].cnt = 0; x[o].Q = 0; ok = 1 :: else fi };
                 if :: ok -> break :: else fi
#ifndef FOLD
              :: n > 0 ->                             /* give up: the count becomes shared */
#if FAULT == 2
                 atomic { if :: x[o].cnt == c -> x[o].cnt = n; x[o].M = 1; x[o].Q = 0; ok = 1
                             :: else fi };
                 if :: ok -> atomic { touch(o); x[o].lc = 0; x[o].mine = 0 }; break :: else fi
#else
                 x[o].lc = 0;
                 atomic { if :: x[o].cnt == c -> x[o].cnt = n; x[o].M = 1; x[o].Q = 0;
                                                 x[o].mine = 0; ok = 1
                             :: else fi };
                 if :: ok -> break :: else fi
#endif
#endif
           fi
     od;
     atomic { l = 0; c = 0; n = 0; ok = 0 }; done()
  :: atomic { x[o].held[0] > 0 -> busy++ };            /* is_unique by the owner: local, then B */
     if :: atomic { x[o].mine -> l = x[o].lc };
           atomic { touch(o); assert(!(l == 1 && x[o].cnt == 0 && !x[o].Q) || x[o].ghost == 1) }
        :: else -> atomic { touch(o); assert(x[o].cnt != 1 || x[o].ghost == 1) } fi;
     atomic { l = 0 }; done()
  :: atomic { x[o].held[0] > 0 -> x[o].held[0]--; x[o].held[1]++ }          /* move */
#if NF > 1
  :: atomic { x[o].held[0] > 0 -> x[o].held[0]--; x[o].held[2]++ }
#endif
  od }

proctype Foreign(byte me) {
  byte o = 0, k = 0, act = 0; short l = 0;
end:
  do
  :: o = (o + 1) % NO
  :: atomic { x[o].held[me] > 0 && x[o].ghost < CAP && x[o].cnt < LCAP -> busy++; x[o].ghost++ };
     shared_inc(o); atomic { x[o].held[me]++ }; done()
  :: atomic { x[o].held[me] > 0 && x[o].cnt > -LCAP -> x[o].held[me]--; x[o].ghost--; busy++ };
     shared_dec(o); act = 0; done()
#if FAULT == 6
  :: atomic { x[o].held[me] > 0 && !x[o].M && !x[o].Q -> busy++; l = x[o].cnt };
     atomic { assert(l + x[o].lc != 1 || x[o].M || x[o].Q || x[o].ghost == 1); l = 0 }; done()
#elif FAULT == 7
  :: atomic { x[o].held[me] > 0 && !x[o].M && !x[o].Q -> busy++; l = x[o].lc };
     atomic { assert(l + x[o].cnt != 1 || x[o].M || x[o].Q || x[o].ghost == 1); l = 0 }; done()
#else                                                 /* is_unique by another: only when merged */
  :: atomic { x[o].held[me] > 0 && x[o].M -> assert(x[o].cnt != 1 || x[o].ghost == 1) }
#endif
  :: atomic { x[o].held[me] > 0 -> x[o].held[me]--; x[o].held[0]++ }
#if NF > 1
  :: atomic { x[o].held[me] > 0 -> x[o].held[me]--; x[o].held[3 - me]++ }
#endif
  od }
init { atomic { run Foreign(1);
#if NF > 1
  run Foreign(2)
#endif
} }
