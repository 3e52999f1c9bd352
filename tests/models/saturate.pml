/* SPDX-License-Identifier: MIT */
/* saturate.pml: a count that reaches its limit makes the object immortal, while others count.
 *
 * counts.md 3 (saturate, drain) with an addition: `local` has room for LLIM references only.  Where
 * it is full the owner moves PART of them into the shared count (spill), that one first; where it is
 * empty and the shared count has as many, a zero drop or a drain moves PART of them back (fold), `local`
 * first.  So the sum is never too small while one is under way.  With fewer the object is merged.
 * FOLD: an object that can be in a cycle, which folds whatever is there and is never merged.
 * LIM stands for 2^24, LLIM for 2^15, PART for 2^13; FIELD is the end of the field.  Below, the count
 * needs no limit: others drop no more than `local` counts, which is at most LLIM.
 * The load of B and the addition are two steps here, unlike in counts.pml: the flag may come
 * between.
 *
 * Asserted: an object that is I is never destroyed, and nothing is destroyed with references;
 * counts stay inside the field, `local` between zero and its limit; Q <=> one entry, also when
 * I came between; I is reported once; without I all of counts.pml.
 * Build: spin -a -DFAULT=k -DNF=n saturate.pml */
#ifndef FAULT
#define FAULT 0
#endif
/* 1 the drain does not look at I             2 the drain leaves an object that is I alone, with Q
 * 3 the owner's last drop ignores I          4 no limit above
 * 5 a spill does not look at the limit       6 an incref adds without a look at I
 * 7 drops of merged objects ignore I         8 I set by load and store
 * 9 the merge loses I                       10 a spill by load and store
 * 11 a fold takes all that is there */
#ifndef NF
#define NF 1
#endif
#ifndef CAP
#define CAP 5                             /* references */
#endif
#ifndef LIM
#define LIM 2
#endif
#define FIELD (LIM + NF + PART)           /* threads may be between load and addition, and a spill */
#ifndef LLIM
#define LLIM 3
#endif
#ifndef PART
#define PART 2
#endif
#ifdef FOLD
#define ENOUGH 1                          /* from so many on they are folded */
#else
#define ENOUGH PART
#endif
#if FAULT == 11
#define PART_OF(n) (n)
#else
#define PART_OF(n) (n < PART -> n : PART)
#endif
short lc = 1, cnt = 0; bool M = 0, Q = 0, I = 0, mine = 1, freed = 0, ever = 0;
byte ghost = 1, inq = 0, busy = 0, reports = 0, held[NF + 1];

/* WITNESS, must be reachable: 1 a spill before any limit, 2 a fold of a part, something left */
#ifndef WITNESS
#define WITNESS 0
#endif
inline touch() { assert(!freed) }
inline inside() { assert(cnt <= FIELD && cnt >= -LLIM && lc >= 0 && lc <= LLIM) }
inline destroy() { atomic { assert(ghost == 0 && !freed && inq == 0 && !I); freed = 1 } }
inline done() { atomic { busy--;
  if :: busy == 0 && !freed ->
        inside(); assert(inq == Q && reports <= I && I == ever);
        assert(I || (!M -> lc + cnt == ghost + inq && (lc >= 1 || Q)
                         : cnt == ghost && cnt > 0 && inq == 0));
        assert(ghost > 0 || inq > 0 || I)
     :: else fi } }
inline saturate() {                       /* fetch_or; by a thread that has a reference */
#if FAULT == 8
  atomic { touch(); m = M; q = Q; c = cnt };
  atomic { reports = reports + !I; I = 1; ever = 1; M = m; Q = q; cnt = c }
#else
  atomic { touch(); if :: !I -> I = 1; ever = 1; reports++ :: else fi }
#endif
}
inline shared_inc() {
  atomic { touch(); i = I };
#if FAULT == 6
  i = 0;
#endif
  if :: !i -> atomic { touch(); cnt++; ok = (cnt >= LIM); inside() };
#if FAULT != 4
        if :: ok -> saturate() :: else fi;
#endif
        ok = 0
     :: else fi;
  i = 0 }
inline shared_dec() {
  act = 0;
  atomic { touch(); i = I; m = M };
#if FAULT == 7
  i = i && !m;
#endif
  if :: i -> skip
     :: !i && m -> atomic { touch(); cnt--; inside(); if :: cnt == 0 -> act = 1 :: else fi }
     :: !i && !m ->                       /* a CAS loop, so that flag and count belong together */
        atomic { touch();
          if :: I -> skip
             :: !I && M -> cnt--; if :: cnt == 0 -> act = 1 :: else fi
             :: !I && !M && cnt <= 0 && !Q -> Q = 1; act = 2
             :: !I && !M && (cnt > 0 || Q) -> cnt--; inside()
          fi }
  fi;
  if :: act == 1 -> destroy() :: act == 2 -> atomic { inq++ } :: else fi;
  atomic { act = 0; i = 0; m = 0 } }

active proctype Owner() {
  short l = 0, c = 0, n = 0; bool q = 0, ok = 0, i = 0, m = 0; byte act = 0;
  held[0] = 1;
end:
  do
  :: atomic { held[0] > 0 && ghost < CAP -> busy++; ghost++ };
     touch();
     if :: mine -> l = lc;
           if :: l < LLIM -> lc = l + 1
              :: else -> atomic { touch(); i = I };   /* out of line */
                 if :: i -> skip
                    :: else ->
#if FAULT == 10
                       atomic { touch(); c = cnt }; atomic { cnt = c + PART; ok = (cnt >= LIM) };
#else
                       atomic { touch(); cnt = cnt + PART; ok = (cnt >= LIM); inside() };
#endif
                       lc = l - PART;
#if FAULT == 5
                       ok = 0;
#endif
                       if :: ok -> saturate()
                          :: else -> lc = l - PART + 1; assert(WITNESS != 1) fi fi
           fi
        :: else -> shared_inc() fi;
     atomic { held[0]++; l = 0; c = 0; q = 0; m = 0; i = 0; ok = 0 }; done()
  :: atomic { held[0] > 0 -> held[0]--; ghost--; busy++ };
     touch();
     if :: mine && lc == 0 -> shared_dec()
        :: mine && lc > 1 -> l = lc; lc = l - 1
        :: mine && lc == 1 ->
           atomic { touch(); i = I };     /* out of line: immortal objects are left alone */
#if FAULT == 3
           i = 0;
#endif
           if :: i -> skip
              :: else -> lc = 0;
                 do :: atomic { touch(); c = cnt; q = Q; i = I };
#if FAULT == 3
                       i = 0;
#endif
                       if :: i || q -> break
                          :: !i && !q && c == 0 -> destroy(); break
                          :: !i && !q && c >= ENOUGH ->
                             lc = PART_OF(c);         /* fold: they come here */
                             atomic { touch(); inside();
                               if :: cnt == c && !Q && !I -> cnt = c - PART_OF(c); ok = 1
                                  :: else -> ok = 0 fi };
                             if :: ok -> assert(WITNESS != 2 || c == PART_OF(c)); break
                                :: else -> lc = 0 fi
#ifndef FOLD
                          :: !i && !q && c > 0 && c < ENOUGH -> atomic { touch();
#if FAULT == 3
                               if :: cnt == c && !Q -> M = 1; mine = 0; ok = 1
#else
                               if :: cnt == c && !Q && !I -> M = 1; mine = 0; ok = 1
#endif
                                  :: else -> ok = 0 fi };
                             if :: ok -> break :: else fi
#endif
                       fi
                 od
           fi
        :: !mine -> shared_dec() fi;
     atomic { l = 0; c = 0; q = 0; ok = 0; i = 0; act = 0 }; done()
  :: atomic { held[0] > 0 && !I -> busy++ };           /* ouro_make_immortal: fetch_or */
     atomic { touch(); I = 1; ever = 1 }; done()
  :: atomic { inq > 0 -> inq--; busy++ };
     atomic { touch(); assert(Q && !M && mine); l = lc };
     do :: atomic { touch(); c = cnt; i = I; n = l + c - 1;
#if FAULT == 1
                    i = 0;
#endif
                    assert(i || n >= 0) };
           if
#if FAULT == 2
              :: i -> break
#else
              :: i -> atomic { Q = 0; M = 1; mine = 0 }; break   /* CAS; nobody's now */
#endif
              :: !i && n == 0 -> destroy(); break
              :: !i && n > 0 && c <= 0 ->
                 lc = n;                  /* fold: n < l */
                 atomic { inside(); if :: cnt == c && I == i -> cnt = 0; Q = 0; ok = 1 :: else fi };
                 if :: ok -> break :: else fi
              :: !i && l == 0 && n >= ENOUGH ->
                 lc = PART_OF(n);         /* the same, as far as there is room */
                 atomic { inside();
                   if :: cnt == c && I == i -> cnt = n - PART_OF(n); Q = 0; ok = 1 :: else fi };
                 if :: ok -> break :: else fi
              :: !i && l == 0 && n > 0 && n < ENOUGH ->
                 lc = 0;                  /* merge */
                 atomic { if :: cnt == c && I == i -> cnt = n; M = 1; Q = 0; mine = 0; ok = 1
#if FAULT == 9
                             :: cnt == c && I -> cnt = n; M = 1; Q = 0; mine = 0; ok = 1; I = 0
#endif
                             :: else fi };
                 if :: ok -> break :: else fi
              :: !i && c > 0 && l >= 1 -> lc = l;               /* settle */
                 atomic { if :: cnt == c && I == i -> cnt = c - 1; Q = 0; ok = 1 :: else fi };
                 if :: ok -> break :: else fi
           fi
     od;
     atomic { l = 0; c = 0; n = 0; ok = 0; i = 0; q = 0; m = 0 }; done()
  :: atomic { held[0] > 0 -> held[0]--; held[1]++ }
#if NF > 1
  :: atomic { held[0] > 0 -> held[0]--; held[2]++ }
#endif
  od }

proctype Foreign(byte me) {
  short c = 0; bool ok = 0, q = 0, i = 0, m = 0; byte act = 0;
end:
  do
  :: atomic { held[me] > 0 && ghost < CAP -> busy++; ghost++ };
     shared_inc(); atomic { held[me]++; c = 0; q = 0; m = 0 }; done()
  :: atomic { held[me] > 0 -> held[me]--; ghost--; busy++ };
     shared_dec(); done()
  :: atomic { held[me] > 0 && !I -> busy++ };           /* ouro_make_immortal: fetch_or */
     atomic { touch(); I = 1; ever = 1 }; done()
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
