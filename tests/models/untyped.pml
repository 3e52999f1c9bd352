/* SPDX-License-Identifier: MIT */
/* untyped.pml: the answer "was that the last?" when no descriptor is known.  Thread 0 owns, thread 1
 * is foreign; every decref must be answered at once, by somebody, exactly once, and nothing is queued.
 * Promise P: a drop by the owner and a drop by another thread are ordered by the program (here: by a
 * lock held around each drop; ORDERED=0 takes the promise away).
 * `local` has room for LLIM references: where it is full the owner moves PART of them into the shared
 * count, that one first; where it is empty and the shared one has as many, back, `local` first
 * (saturate.pml).  Neither is ordered with the foreign drop: so that looks at the count once more.
 * Build: spin -a -DFAULT=k -DORDERED=n untyped.pml */
#ifndef FAULT
#define FAULT 0 /* 1 the owner's drop looks at its own count only, until that is zero */
#endif          /* 2, 3 the foreign drop does not look again, after its RMW or in the place of it */
#ifndef LLIM
#define LLIM 3
#endif
#ifndef PART
#define PART 2
#endif
#ifndef ORDERED
#define ORDERED 1
#endif
#ifndef NF
#define NF 1
#endif
#ifndef CAP
#define CAP 5
#endif
#define LCAP 6
short lc = 1, cnt = 0; bool M = 0, mine = 1, freed = 0, lk = 0;
byte ghost = 1, busy = 0, held[NF + 1];
inline touch() { assert(!freed) }
inline last() { atomic { assert(ghost == 0 && !freed); freed = 1 } }
inline done() { atomic { busy--;
  if :: busy == 0 && !freed -> assert((!M -> lc + cnt : cnt) == ghost); assert(ghost > 0) :: else fi } }
inline enter() {
#if ORDERED
  atomic { !lk -> lk = 1 }
#else
  skip
#endif
}
active proctype Owner() {
  short l = 0, c = 0; bool ok = 0, z = 0;
  held[0] = 1;
end:
  do
  :: atomic { held[0] > 0 && ghost < CAP && cnt < LCAP -> busy++; ghost++ };
     touch();
     if :: mine -> l = lc;
           if :: l < LLIM -> lc = l + 1
              :: else -> atomic { touch(); cnt = cnt + PART }; lc = l - PART; lc = l - PART + 1 fi
        :: else -> atomic { touch(); cnt++ } fi;
     atomic { held[0]++; l = 0 }; done()
  :: atomic { held[0] > 0 -> held[0]--; ghost--; busy++ };
     enter();
     touch();
     if :: mine ->
           l = lc - 1; lc = l;
           do ::
#if FAULT == 1
                 if :: l > 0 -> break :: else fi;
#endif
                 atomic { touch(); c = cnt };
                 if :: l > 0 && (c == 0 || c >= PART) -> lc = l; break   /* not the last; undo a failed merge */
                    :: l + c == 0 -> last(); break
                    :: l == 0 && c >= PART -> lc = PART;              /* they may well be the owner's */
                       atomic { touch(); if :: cnt == c -> cnt = c - PART; ok = 1 :: else fi };
                       if :: ok -> break :: else -> lc = 0 fi
                    :: c != 0 && c < PART && l + c > 0 -> lc = 0;     /* merge on the spot */
                       atomic { touch(); if :: cnt == c -> cnt = l + c; M = 1; mine = 0; ok = 1
                                            :: else fi };
                       if :: ok -> break :: else fi
                    :: else -> assert(0)
                 fi
           od
        :: else -> atomic { touch(); cnt--; z = (cnt == 0) }; if :: z -> last() :: else fi
     fi;
     atomic { lk = 0; l = 0; c = 0; ok = 0; z = 0 }; done()
  :: atomic { held[0] > 0 -> held[0]--; held[1]++ }
  od }
proctype Foreign(byte me) {
  short l = 0, c = 0; bool m = 0, z = 0;
end:
  do
  :: atomic { held[me] > 0 && ghost < CAP && cnt < LCAP -> busy++; ghost++ };
     atomic { touch(); cnt++ }; atomic { held[me]++ }; done()
  :: atomic { held[me] > 0 && cnt > -LCAP -> held[me]--; ghost--; busy++ };
     enter();
     atomic { touch(); c = cnt; m = M };        /* its own is the only reference: no RMW is made */
     touch(); l = lc;
     if :: !m && l + c == 1 ->
#if FAULT != 3
           if :: atomic { cnt == c -> z = 1 } :: else fi
#else
           z = 1
#endif
        :: else
     fi;
     if :: z -> last(); goto dropped :: else fi;
     atomic { touch(); cnt--; c = cnt; m = M };                       /* acq_rel */
     if :: m -> if :: c == 0 -> last() :: else fi
        :: !m && c >= 0 -> skip                                       /* the owner still has some */
        :: !m && c < 0 -> touch(); l = lc;
           if :: l + c == 0 ->
#if FAULT != 2
                 if :: atomic { cnt == c -> last() } :: else fi
#else
                 last()
#endif
              :: else fi
     fi;
dropped:
     atomic { lk = 0; l = 0; c = 0; m = 0; z = 0 }; done()
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
