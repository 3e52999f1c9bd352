/* SPDX-License-Identifier: MIT */
/* hold.pml: parked threads that hold several tokens, one of which moves from thread to thread.
 *
 * counts.md 3 (nudge) and 5 (park, move of a token).  token.pml has no park, park.pml one token.
 * Tokens 0 and 1 are the homes of threads 0 and 1, token 2 is a region's, which they send each
 * other; a third thread only drops.  Counts are left out: a queue is a number of entries, and "use"
 * stands for a plain access to what carries the token: the holder's operations, and the drain of an
 * entry by whoever may.  A hold merges one entry (K = 1).
 *
 * LOOK is a departure.  By counts.md a nudge that finds MERGING returns: the merger looks again.
 * But the merger looks at the queue of its own token, and may even have been after a token that the
 * parked thread no longer holds.  So a nudge that finds MERGING leaves a bit in the state word.  The
 * merger, inside its hold, clears the bit and looks for a token of that thread with something in its
 * queue; it leaves MERGING by a CAS that fails once the bit is set again, and then nudges for the one
 * that it found.  So it needs no memory to note tokens in, and the look needs no order of its own.
 *
 * Asserted: a token is used by one thread at a time; whenever no operation is in flight, a queue is
 * empty, or its token is in a channel, or its holder runs (I9).
 * Build: spin -a -DFAULT=k -DNT=threads -DNE=entries of each thread hold.pml */
#ifndef FAULT
#define FAULT 0
#endif
/* 1 a nudge that finds MERGING returns (counts.md)     2 no second look at the holder under MERGING
 * 3 a merger that came for a moved token ignores LOOK  4 park looks before PARKED is visible
 * 5 park looks at the home token's queue alone         6 the bit is set by a plain store
 * 7 the bit is cleared by the leaving, after the look  8 the merger does not nudge for what it found */
#ifndef WAY
#define WAY 0 /* what stands for LOOK: 1 the merger always looks at all tokens of the thread
                 2 the nudge waits for the end of MERGING
                 3 LOOK, with all tokens noted by the RMW that leaves MERGING */
#endif
#ifndef NT
#define NT 3
#endif
#ifndef NE
#define NE 1
#endif
#ifndef WITNESS
#define WITNESS 0 /* 1 a merger finds the token moved away  2 a merger finds LOOK */
#endif
#define TRANSIT 9
#define NONE 9
mtype = { RUN, PARK, MERGE };
mtype st[NT]; bool want[NT], look[NT], deep[NT];
byte holder[3], queue[3], made[NT], busy = 0; bool used[3]; bool mail = 0;
#define HELD(t, i) ((holder[t] == i) << t)

inline use(t) { atomic { assert(!used[t]); used[t] = 1 }; used[t] = 0 }
#define OK(t) (queue[t] == 0 || holder[t] == TRANSIT || !deep[holder[t] % NT])
inline done() { atomic { busy--;
  if :: busy == 0 -> assert(OK(0) && OK(1) && OK(2)) :: else fi } }
inline drain(t) {                         /* all of it, by the running holder */
  do :: atomic { queue[t] > 0 -> queue[t]-- }; use(t)
     :: else -> break od }
inline nudge() {                          /* for each token in todo, a set */
  do :: todo == 0 -> break
     :: else ->
        atomic { if :: todo & 1 -> t = 0 :: todo & 2 -> t = 1 :: todo & 4 -> t = 2 fi };
        h = holder[t];
        if :: h == TRANSIT -> todo = todo & ~(1 << t)
           :: h == me -> drain(t); todo = todo & ~(1 << t)
           :: h != TRANSIT && h != me ->
              atomic { s = (want[h] -> RUN : st[h]) };
              if :: s == RUN -> todo = todo & ~(1 << t)
                 :: s == MERGE ->
#if FAULT == 1 || WAY == 1
                    todo = todo & ~(1 << t)
#elif WAY == 2
                    skip
#elif FAULT == 6
                    look[h] = 1; todo = todo & ~(1 << t)
#else
                    atomic { if :: st[h] == MERGE -> look[h] = 1; todo = todo & ~(1 << t)
                                :: else fi }
#endif
                 :: s == PARK ->
                    atomic { if :: st[h] == PARK && !want[h] -> st[h] = MERGE; ok = 1 :: else fi };
                    if :: ok ->
#if FAULT != 2
                          if :: holder[t] == h ->                     /* the second look */
#endif
                                if :: atomic { queue[t] > 0 -> queue[t]-- }; use(t) :: else fi
#if FAULT != 2
                             :: else ->
#if WITNESS == 1
                                assert(0);
#endif
                                ok = 0 fi
#endif
                          ;
#if WAY == 0
                          if :: ok || FAULT != 3 -> /* leaves MERGING by CAS */
again:                          look[h] = 0;
                                found = NONE; k = 0;
                                do :: k < 3 && found == NONE ->
                                      if :: holder[k] == h && queue[k] > 0 -> found = k :: else fi;
                                      k++
                                   :: else -> k = 0; break od;
                                atomic { if :: look[h] && FAULT != 7 ->
#if WITNESS == 2
                                               assert(0);
#endif
                                               goto again
                                            :: else -> look[h] = 0; st[h] = PARK fi };
                                if :: found != NONE && FAULT != 8 -> todo = todo | (1 << found)
                                   :: else fi
                             :: else -> atomic { look[h] = 0; st[h] = PARK }
                          fi;
                          atomic { if :: ok && found != t -> todo = todo & ~(1 << t) :: else fi;
                                   ok = 0; found = NONE }
#else
                          atomic {                                    /* leave MERGING: one RMW */
                            if :: (look[h] || WAY == 1) && (ok || FAULT != 3) ->
                                  todo = todo | HELD(0, h) | HELD(1, h) | HELD(2, h);
#if WITNESS == 2
                                  assert(0)
#endif
                               :: else fi;
                            look[h] = 0; st[h] = PARK; ok = 0 };
                          if :: queue[t] == 0 -> todo = todo & ~(1 << t) :: else fi
#endif
                       :: else fi
              fi
        fi
  od;
  atomic { t = 0; h = 0; s = RUN } }

proctype Thread(byte me) {
  byte t = 0, h = 0, todo = 0, k = 0, found = NONE; mtype s = RUN; bool ok = 0;
end:
  do
  :: atomic { made[me] < NE -> made[me]++; busy++;                    /* a drop of what carries t */
              if :: t = 0 :: t = 1 :: t = 2 fi };
     queue[t]++;
     todo = 1 << t; nudge(); done()
  :: atomic { me < 2 && queue[me] > 0 -> busy++; t = me }; drain(t); t = 0; done()       /* polls */
  :: atomic { holder[2] == me && queue[2] > 0 -> busy++; t = 2 }; drain(t); t = 0; done()
  :: atomic { me < 2 -> busy++; t = me }; use(t); t = 0; done()
  :: atomic { holder[2] == me -> busy++; t = 2 }; use(t); t = 0; done()
  :: atomic { holder[2] == me && !mail -> busy++ };                   /* sends the region */
     atomic { holder[2] = TRANSIT; mail = 1 }; done()
  :: atomic { me < 2 && mail -> mail = 0; busy++ };                   /* receives it */
     holder[2] = me;
     t = 2; drain(t); t = 0; done()
#if FAULT == 4
  :: atomic { me < 2 && queue[me] == 0 -> busy++ };
     if :: holder[2] == me && queue[2] > 0 -> goto unpark :: else fi;
     st[me] = PARK;
#else
  :: atomic { me < 2 -> busy++; st[me] = PARK };
     if :: queue[me] > 0 -> goto unpark :: else fi;
#if FAULT != 5
     if :: holder[2] == me && queue[2] > 0 -> goto unpark :: else fi;
#endif
#endif
     atomic { deep[me] = 1 }; done();
endpark:
     atomic { busy++; deep[me] = 0 };
unpark:
     want[me] = 1;
     atomic { st[me] == PARK || st[me] == RUN -> st[me] = RUN; want[me] = 0; look[me] = 0 };
     done()
  od }

init { byte k = 0; atomic {
  do :: k < NT -> st[k] = RUN; k++ :: else -> break od; k = 0;
  holder[0] = 0; holder[1] = 1; holder[2] = 0;
  do :: k < NT -> run Thread(k); k++ :: else -> break od; k = 0 } }
