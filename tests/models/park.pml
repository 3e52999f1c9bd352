/* SPDX-License-Identifier: MIT */
/* park.pml: thread states, foreign merge while the owner is parked, no lost nudge.
 * Thread 0 owns the object; 1..NF are foreign.  State of thread 0: RUN, PARK, MERGE.
 * A Dekker pair (push, then load state / store state, then load queue) is what keeps a death from
 * being stuck for the length of a park; spin has it in sequentially consistent order, C needs
 * seq_cst fences.  Build: spin -a -DFAULT=k -DNF=n park.pml */
#ifndef FAULT
#define FAULT 0 /* 1 merge without claiming MERGE  2 owner parks without looking at its queue again */
#endif          /* 3 merger leaves without looking again  4 unpark does not wait for MERGE
                   5 store of PARK passes the look at the queue (no fence) */
#ifndef NF
#define NF 2
#endif
#ifndef CAP
#define CAP 3
#endif
#define LCAP 4
mtype = { RUN, PARK, MERGE };
mtype st = RUN;
short lc = 1, cnt = 0; bool M = 0, Q = 0, mine = 1;
bool want = 0;                            /* in the state word: the owner wants to run again */
bool freed = 0, deep = 0;                 /* deep: parked and past the second look */
byte ghost = 1, inq = 0, busy = 0, held[NF + 1];

inline touch() { assert(!freed) }
inline destroy() { atomic { assert(ghost == 0 && !freed && inq == 0); freed = 1 } }
inline done() { atomic { busy--;
  if :: busy == 0 && !freed && (st == RUN || deep) ->
        assert(st != MERGE);
        assert(!M -> (lc + cnt == ghost + inq && inq == Q) : (cnt == ghost && cnt > 0 && inq == 0));
        assert(ghost > 0 || inq > 0);
        assert(!(deep && inq > 0))        /* nothing waits for a thread that is parked */
     :: else fi } }
inline drain_one() {                      /* runs in the owner, or in a thread that holds MERGE */
  atomic { touch(); assert(Q && !M && mine); l = lc };
  do :: atomic { touch(); c = cnt; n = l + c - 1; assert(n >= 0) };
        if :: n == 0 -> dead = 1; break
#ifdef FOLD
           :: n > 0 -> lc = n;
#else
           :: n > 0 && c <= 0 -> lc = n;
#endif
              atomic { if :: cnt == c -> cnt = 0; Q = 0; ok = 1 :: else fi };
              if :: ok -> break :: else fi
#ifndef FOLD
           :: n > 0 -> lc = 0;
              atomic { if :: cnt == c -> cnt = n; M = 1; Q = 0; mine = 0; ok = 1 :: else fi };
              if :: ok -> break :: else fi
#endif
        fi
  od;
  atomic { ok = 0; l = 0; c = 0; n = 0 } }
inline shared_dec() {
  atomic { touch();
    if :: M -> cnt--; if :: cnt == 0 -> act = 1 :: else fi
       :: !M && cnt <= 0 && !Q -> Q = 1; act = 2
       :: !M && (cnt > 0 || Q) -> cnt-- fi } }

active proctype Owner() {
  short l = 0, c = 0, n = 0; bool q = 0, ok = 0, dead = 0; byte act = 0;
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
                 do :: atomic { touch(); c = cnt; q = Q };
                       if :: q -> break
                          :: !q && c == 0 -> destroy(); break
#ifdef FOLD
                          :: else -> lc = c;
                             atomic { touch();
                               if :: cnt == c && !Q -> cnt = 0; ok = 1 :: else fi };
                             if :: ok -> break :: else -> lc = 0 fi fi
#else
                          :: else -> atomic { touch();
                               if :: cnt == c && !Q -> M = 1; mine = 0; ok = 1 :: else fi };
                               if :: ok -> break :: else fi fi
#endif
                 od
              :: else fi
        :: else -> shared_dec();
           if :: act == 1 -> destroy() :: act == 2 -> atomic { inq++ } :: else fi
     fi;
     atomic { l = 0; c = 0; q = 0; ok = 0; act = 0 }; done()
  :: atomic { inq > 0 -> inq--; busy++ };
     drain_one(); if :: dead -> destroy(); dead = 0 :: else fi; done()
  :: atomic { held[0] > 0 -> held[0]--; held[1]++ }
#if FAULT == 5
  :: atomic { inq == 0 -> busy++ };
     st = PARK;
#else
  :: atomic { busy++; st = PARK };        /* declared park */
#if FAULT != 2
     if :: inq > 0 -> goto unpark :: else fi;
#endif
#endif
     atomic { deep = 1 }; done();
     /* blocked here, for ever or not */
endpark: atomic { busy++; deep = 0 };
unpark:
     want = 1;
#if FAULT == 4
     atomic { st = RUN; want = 0 };
#else
     atomic { st == PARK -> st = RUN; want = 0 };   /* waits while MERGE */
#endif
     done()
  od }

proctype Foreign(byte me) {
  short l = 0, c = 0, n = 0; byte act = 0; bool ok = 0, dead = 0; mtype s = RUN;
end:
  do
  :: atomic { held[me] > 0 && ghost < CAP && cnt < LCAP -> busy++; ghost++ };
     atomic { touch(); cnt++ }; atomic { held[me]++ }; done()
  :: atomic { held[me] > 0 && cnt > -LCAP -> held[me]--; ghost--; busy++ };
     shared_dec();
     if :: act == 1 -> destroy()
        :: act == 2 -> atomic { inq++ };  /* push */
           do :: atomic { s = (want -> RUN : st) };   /* nudge */
                 if :: s == RUN -> break
                    :: s == MERGE -> break                   /* the merger looks again */
                    :: s == PARK ->
#if FAULT == 1
                       if :: atomic { inq > 0 -> inq-- }; drain_one() :: else fi;
#else
                       atomic { if :: st == PARK && !want -> st = MERGE; ok = 1 :: else fi };
                       if :: ok -> ok = 0;
                             if :: atomic { inq > 0 -> inq-- }; drain_one() :: else fi;
                             st = PARK
                          :: else fi;
#endif
                       if :: dead -> destroy(); dead = 0 :: else fi;   /* outside the hold */
#if FAULT == 3
                       break
#else
                       if :: inq == 0 -> break :: else fi              /* the second look */
#endif
                 fi
           od
        :: else fi;
     atomic { act = 0; s = RUN }; done()
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
