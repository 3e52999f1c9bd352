/* SPDX-License-Identifier: MIT */
/* notice.pml: the owner learns of what others do to an object that can be in a cycle.
 *
 * Departure from counts.md 3: a flag T ("touched") beside the count.  A foreign drop of such an
 * object that finds T clear is queued even where the count stays above zero, so that the object
 * becomes a candidate root of its owner; so is a foreign store into one of its slots, which may
 * close a cycle without changing any count.  With T set the owner has been told or will be, and
 * drops only subtract.  The owner's capture clears T before it looks.
 *
 * One object x whose slots hold nothing or a reference to x itself: the smallest cycle.  Thread 0
 * owns it; 1..NF are foreign.  Garbage is: no thread has a reference, but slots have.
 * A compare-and-swap loop that writes nothing between load and swap is one step; a swap that
 * compares the count keeps T and S as they are at that instant (a change of them only makes the
 * loop turn once more, with the same decision).  A foreign incref is an addition and leaves T.
 *
 * NOMEM (counts.md 7, nodes): a thread makes sure of the memory for an entry before it sets Q.
 * Where there is none it subtracts without Q, and then marks the token; the holder, seeing the
 * mark, takes it off and walks the token's objects: negative counts without Q are folded, or are
 * deaths; what has T set becomes a candidate.  With NOMEM the mark stands beside "Q or candidate"
 * below, and E1: count < 0 => Q or marked.
 *
 * Asserted whenever no operation is in flight, besides I1, I3..I5 of counts.md:
 *   N1  T => Q or candidate                       (who is not told again has been told)
 *   N2  a foreign drop or slot store since the owner last judged x => Q or candidate
 *   N3  x is garbage => Q or candidate            (no cycle is forgotten)
 * and always:
 *   N4  when the second look passes, no foreign count or slot operation came since the capture
 *       began (rule R of cycles.md, for the part of it that the shared word must tell)
 *   N5  a merged or freed object is in no candidate buffer.
 * Build: spin -a -DFAULT=k -DNF=n -DNS=slots -DCAP=references notice.pml */
#ifndef FAULT
#define FAULT 0
#endif
/*  1 T cleared after B was read           2 notices only at count <= 0, as without T
 *  3 settled with local 0                 4 un-buffered without clearing T
 *  5 survivors of a drain are not made candidates
 *  6 the store's entry is queued before the store, and the capture does not respect S
 *  7 the capture ignores S                8 S is not exclusive: two stores at once
 *  9 no second look                      10 un-buffered after the merge
 * 11 the owner's own slot store makes no candidate
 * 12 a foreign slot store that finds T clear sends no notice
 * 13 the entry of a store owns no reference
 * 14 a foreign incref sets T, and sends no notice
 * 15 the second look does not compare T (STEPS)
 * 16 settle trusts `local` after a failed fold or merge
 * 17 a failed second look un-buffers, T set or not (STEPS)   18 a drain clears T (STEPS)
 * 19 T cleared by another capture while armed (STEPS)
 * 20 the mark is set before the count is subtracted (NOMEM, and all below)
 * 21 the mark is cleared after the walk  22 a capture in steps clears T,
 *    and the object is no candidate until it is judged (STEPS)
 * 23 the walk leaves a survivor's negative count   24 no mark
 * 25 Q is set first, and taken back when there is no memory
 * 26 the walk leaves `local` as a failed attempt wrote it, and the drain follows
 * 27 a zero drop that folds makes no candidate (FOLD, and below)
 * 28 a zero drop that could not fold leaves its local count */
#ifndef NF
#define NF 1
#endif
#ifndef NS
#define NS 1
#endif
#ifndef CAP
#define CAP 3
#endif
#define LCAP 4
#ifndef LLIM
#define LLIM 9    /* `local` has room for so many, and PART of them move at once (saturate.pml) */
#endif
#ifndef PART
#define PART 9
#endif
#define PART_OF(n) (n < PART -> n : PART)
#ifndef STEPS
#define STEPS 0   /* 1: between capture and second look the owner does other things, drains too */
#endif
#ifndef NOMEM
#define NOMEM 0   /* 1: there may be no memory for an entry: subtract, mark the token */
#endif
#ifndef EARLY
#define EARLY 0   /* 1: the entry of a store is queued before it; respect for S suffices */
#endif
#ifndef FOLD
#define FOLD 0    /* 1: x is never merged (counts.pml) */
#endif
#ifndef WITNESS
#define WITNESS 0 /* 1 cycles do get collected  2 and after a settle  3 a capture does meet S */
#endif

short lc = 1, cnt = 0; bool M = 0, Q = 0, T = 0, S = 0, cand = 0, freed = 0;
bool slot[NS], lk[NS];                    /* lk: the program keeps two threads off one slot */
byte ghost = 1, inq = 0, busy = 0, held[NF + 1];
bool mark = 0;                            /* of the token: somebody had no memory for an entry */
bool told = 0;                            /* ghost: something foreign since the owner judged */
bool chg = 0;                             /* ghost: something foreign since the capture began */
#if STEPS
bool armed = 0; short rc = 0;             /* armed: cleared by every operation of the owner on x */
#define disarm() armed = 0
#else
#define disarm() skip
#endif
#if WITNESS == 2
bool settled = 0;
#endif

#define mine(i) ((i - 1) % NS)            /* the slot that thread i works on */

inline touch() { assert(!freed) }
inline destroy() { atomic { assert(ghost == 0 && !freed && inq == 0 && !cand && !S); freed = 1 } }
inline done() { atomic { busy--;
  if :: busy == 0 && !freed ->
        assert(!M -> (lc + cnt == ghost + inq && inq == Q && (lc >= 1 || lc == 0 && Q))
                   : (cnt == ghost && cnt > 0 && inq == 0 && !cand));
        assert(ghost > 0 || inq > 0 || mark);
        assert(!S);
        assert(M || Q || cnt >= 0 || mark);                 /* E1 */
        assert(M || !T || Q || cand || mark);                       /* N1 */
        assert(M || !told || Q || cand || mark);                    /* N2 */
        z = 0; k = 0; do :: k < NS -> z = z + slot[k]; k++ :: else -> break od;
        assert(M || z == 0 || ghost > z || Q || cand || mark);      /* N3 */
        z = 0; k = 0
     :: else fi } }

inline foreign_inc() { atomic { touch(); cnt++; chg = 1;
#if FAULT == 14
  T = !M || T
#endif
  } }
inline foreign_dec() {
#if FAULT == 20
  mark = 1;
#endif
  atomic { touch();
    if :: M -> cnt--; if :: cnt == 0 -> act = 1 :: else fi
#if FAULT == 2
       :: !M && !Q && cnt <= 0 -> Q = 1; T = 1; act = 2; told = 1; chg = 1
       :: !M && (Q || cnt > 0) -> cnt--; T = 1; told = 1; chg = 1
#else
       :: !M && !Q && (cnt <= 0 || !T) -> Q = 1; T = 1; act = 2; told = 1; chg = 1
       :: !M && (Q || (cnt > 0 && T)) -> cnt--; T = 1; told = 1; chg = 1
#if NOMEM && FAULT == 25
       :: !M && !Q && (cnt <= 0 || !T) -> Q = 1; T = 1; act = 3; told = 1; chg = 1
#elif NOMEM
       :: !M && !Q && (cnt <= 0 || !T) -> cnt--; T = 1; act = 3; told = 1; chg = 1
#endif
#endif
    fi };
  if :: act == 1 -> destroy()
     :: act == 2 -> atomic { inq++; act = 0 }
#if FAULT == 25
     :: act == 3 -> atomic { touch(); Q = 0; cnt-- }; atomic { mark = 1 }
#elif FAULT != 20 && FAULT != 24
     :: act == 3 -> atomic { mark = 1 }
#endif
     :: else fi;
  act = 0 }
/* a store into slot i by another thread: put (my reference goes in) or take (it comes out) */
inline foreign_store(me, i, put) {
  atomic { touch();
#if FAULT != 8
    M || !S;                              /* another store is under way: wait for it */
#endif
    if :: M -> skip                       /* the notice protocol ends with the merge */
       :: !M && !T && !Q -> T = 1; S = 1; s = 1;
#if FAULT != 12
#if FAULT != 13
          cnt++;
#endif
          Q = 1; act = 2
#endif
       :: !M && (T || Q) -> T = 1; S = 1; s = 1
#if NOMEM
       :: !M && !T && !Q -> T = 1; S = 1; s = 1; act = 3
#endif
    fi };
#if FAULT == 6 || EARLY
  if :: act == 2 -> atomic { inq++; act = 0 } :: else fi;
#endif
  atomic { touch(); slot[i] = put; chg = 1; told = (M -> told : 1);
           if :: put -> held[me]-- :: else -> held[me]++ fi };
  if :: s -> atomic { touch(); S = 0; s = 0 } :: else fi;
  if :: act == 2 -> atomic { inq++; act = 0 } :: act == 3 -> atomic { mark = 1 } :: else fi;
  atomic { lk[i] = 0; act = 0 } }

inline un_buffer() {                      /* only what will be told of again */
#if STEPS && FAULT != 17
  atomic { touch(); cand = (T && !Q || S) }
#else
  cand = 0
#endif
}
inline second_look(was) {
  atomic { touch();
#if FAULT == 9
           ok = 1;
#elif FAULT == 7
           ok = (cnt == was && !Q && !T);
#elif FAULT == 15
           ok = (cnt == was && !Q && !S);
#else
           ok = (cnt == was && !Q && !T && !S);
#endif
           assert(!ok || !chg) };         /* N4 */
  if :: ok -> atomic { k = 0; do :: k < NS -> z = z + slot[k]; k++ :: else -> break od;
                       assert(ghost == z && !freed && inq == 0 && !S);
                       freed = 1; cand = 0; k = 0; z = 0;
#if WITNESS == 1
                       assert(0)
#elif WITNESS == 2
                       assert(!settled)
#endif
                     }
     :: else -> un_buffer() fi }

active proctype Owner() {
  byte k = 0, z = 0, e = 0, act = 0; short l = 0, c = 0, n = 0; bool q = 0, ok = 0, s = 0, dead = 0;
  held[0] = 1;
end:
  do
  :: atomic { held[0] > 0 && ghost < CAP && lc < LCAP && cnt < LCAP -> busy++; ghost++ };  /* dup */
     touch();
     if :: !M -> disarm(); l = lc;
           if :: l < LLIM -> lc = l + 1
              :: else -> atomic { touch(); cnt = cnt + PART }; lc = l - PART + 1 fi
        :: else -> foreign_inc() fi;
     atomic { held[0]++; l = 0 }; done()
  :: atomic { held[0] > 0 -> held[0]--; ghost--; busy++ };                                /* drop */
     touch();
     if :: !M && lc == 0 -> assert(Q); foreign_dec()  /* local stays above zero: on B, then */
        :: !M && lc != 0 ->
           disarm(); l = lc; lc = l - 1;
           if :: l - 1 == 0 ->
                 do :: atomic { touch(); c = cnt; q = Q };
                       if :: q -> break
                          :: !q && c == 0 -> cand = 0; destroy(); break
#if FOLD
                          :: else ->      /* all foreign references become local ones */
                             assert(c > 0); lc = PART_OF(c);
                             atomic { touch();
                               if :: cnt == c && !Q -> cnt = c - PART_OF(c); ok = 1
                                  :: else -> ok = 0 fi };
                             if :: ok ->
#if FAULT != 27
                                   cand = 1;
#endif
                                   break
                                :: else ->
#if FAULT != 28
                                   lc = 0
#endif
                             fi
#else
                          :: else ->
#if FAULT != 10
                             cand = 0;    /* before the merge: nothing of x is mine afterwards */
#endif
                             atomic { touch(); assert(c > 0);
                               if :: cnt == c && !Q -> M = 1; T = 0; ok = 1 :: else -> ok = 0 fi };
                             if :: ok ->
#if FAULT == 10
                                   cand = 0;
#endif
                                   break
                                :: else fi
#endif
                       fi
                 od
              :: else -> cand = 1         /* dropped, not the last: a candidate */
           fi
        :: else -> foreign_dec() fi;
     atomic { l = 0; c = 0; q = 0; ok = 0; act = 0 }; done()
  :: atomic { inq > 0 -> inq--; busy++ };                                                /* drain */
     atomic { touch(); assert(Q && !M); l = lc };
     do :: atomic { touch(); c = cnt; n = l + c - 1; assert(n >= 0) };
           if :: n == 0 -> disarm(); cand = 0; dead = 1; break
#if FOLD
              :: n > 0 && (c <= 0 || l == 0) -> disarm();                                 /* fold */
                 lc = (c <= 0 -> n : PART_OF(n));
#else
              :: n > 0 && c <= 0 -> disarm(); lc = n;                                     /* fold */
#endif
                 atomic { if :: cnt == c -> cnt = n - lc; Q = 0; ok = 1
#if FAULT == 18
                                            ; T = 0
#endif
                             :: else fi };
                 if :: ok -> break :: else fi
#if FAULT == 3
              :: n > 0 && c > 0 ->
#else
              :: n > 0 && c > 0 && l >= 1 ->      /* settle: exactly the deferred subtraction */
#endif
#if FAULT != 16
                 lc = l;                  /* an attempt above may have written it and failed */
#endif
                 atomic { if :: cnt == c -> cnt = c - 1; Q = 0; ok = 1
#if FAULT == 18
                                            ; T = 0
#endif
                             :: else fi };
                 if :: ok -> break :: else fi
#if !FOLD
              :: n > 0 && c > 0 -> disarm(); lc = 0; cand = 0;                           /* merge */
                 atomic { if :: cnt == c -> cnt = n; M = 1; Q = 0; T = 0; ok = 1 :: else fi };
                 if :: ok -> break :: else fi
#endif
           fi
     od;
     if :: dead -> destroy()
        :: !dead && !M ->
#if FAULT != 5
           cand = 1;
#endif
#if WITNESS == 2
           settled = 1;
#endif
           skip
        :: else fi;
     atomic { l = 0; c = 0; n = 0; ok = 0; dead = 0 }; done()
#if NOMEM
  :: atomic { mark -> busy++ };           /* walk */
#if FAULT != 21
     mark = 0;
#endif
     if :: freed || M -> skip             /* not among the token's objects */
        :: else -> l = lc;
           do :: atomic { touch(); c = cnt; q = Q; n = l + c };
                 if :: q ->               /* the drain will see to it */
#if FAULT != 26
                       lc = l;
#endif
                       break
#if FAULT != 23
                    :: !q && c < 0 && n > 0 -> disarm(); lc = n;  /* fold */
                       atomic { if :: cnt == c && !Q -> cnt = 0; ok = 1 :: else fi };
                       if :: ok -> cand = 1; break :: else fi
#endif
                    :: !q && c < 0 && n == 0 -> disarm(); lc = 0; cand = 0;
                       atomic { if :: cnt == c && !Q -> cnt = 0; M = 1; T = 0; ok = 1
                                   :: else fi };
                       if :: ok -> destroy(); break :: else fi
                    :: !q && (c >= 0 || FAULT == 23 && n > 0) ->
                       lc = l; if :: T -> cand = 1 :: else fi; break
                 fi
           od
     fi;
#if FAULT == 21
     mark = 0;
#endif
     atomic { l = 0; c = 0; q = 0; n = 0; ok = 0 }; done()
#endif
  :: atomic { !M && !freed -> busy++ };   /* capture, from x or from an object that leads to it */
#if FAULT == 1
     atomic { touch(); c = cnt; q = Q; told = 0; chg = 0; l = lc; n = S };
     if :: n -> n = 0; goto left :: else fi;
     atomic { touch(); T = 0 };
#else
     atomic { touch();
#if FAULT != 7 && FAULT != 6
              if :: S ->                  /* a store is under way: look again another time */
#if WITNESS == 3
                    assert(0);
#endif
                    goto left
                 :: else fi;
#endif
#if FAULT != 19
              disarm();                   /* an object is in one capture at a time */
#endif
#if STEPS && FAULT != 22
              cand = cand || T;           /* who clears T owes a judgement */
#endif
#if FAULT != 4
              T = 0;                      /* compare-and-swap, if it is set */
#endif
              chg = 0 };
     atomic { touch(); c = cnt; q = Q; told = 0; l = lc };
#endif
     k = 0; do :: atomic { k < NS -> touch(); e = e + slot[k]; k++ } :: k == NS -> break od;
     k = 0;
     if :: l + c == e && !q ->            /* explained: dead, if B stays what it was */
#if STEPS
           atomic { armed = 1; rc = c }
#else
           second_look(c)
#endif
        :: else -> un_buffer()            /* live */
     fi;
left:
     atomic { l = 0; c = 0; q = 0; ok = 0; e = 0; k = 0 }; done()
#if STEPS
  :: atomic { armed -> busy++ };      /* nothing of the owner's came between, but drains may have */
     second_look(rc);
     atomic { armed = 0; ok = 0; rc = 0 }; done()
#endif
  :: atomic { held[0] > 0 && !slot[0] && !lk[0] -> lk[0] = 1; busy++ };             /* slot store */
     atomic { touch(); disarm(); slot[0] = 1; held[0]-- };
#if FAULT != 11
     if :: !M -> cand = 1 :: else fi;     /* a move into a slot may close a cycle */
#endif
     atomic { lk[0] = 0 }; done()
  :: atomic { held[0] > 0 && slot[0] && !lk[0] && held[0] < CAP -> lk[0] = 1; busy++ };
     atomic { touch(); disarm(); slot[0] = 0; held[0]++ };
     atomic { lk[0] = 0 }; done()
  :: atomic { held[0] > 0 -> held[0]--; held[1]++ }                                       /* move */
#if NF > 1
  :: atomic { held[0] > 0 -> held[0]--; held[2]++ }
#endif
  od }

proctype Foreign(byte me) {
  byte k = 0, z = 0, act = 0; bool s = 0;
end:
  do
  :: atomic { held[me] > 0 && ghost < CAP && cnt < LCAP -> busy++; ghost++ };
     foreign_inc(); atomic { held[me]++ }; done()
  :: atomic { held[me] > 0 && cnt > -LCAP -> held[me]--; ghost--; busy++ };
     foreign_dec(); done()
  :: atomic { held[me] > 0 && !slot[mine(me)] && !lk[mine(me)] -> lk[mine(me)] = 1; busy++ };
     foreign_store(me, mine(me), 1); done()
  :: atomic { held[me] > 0 && slot[mine(me)] && !lk[mine(me)] -> lk[mine(me)] = 1; busy++ };
     foreign_store(me, mine(me), 0); done()
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
