/* SPDX-License-Identifier: MIT */
/* bare.pml: objects whose callers know the type and destroy them (adr/0015): drops that are answered at
 * once, take-over by a typed drop, and memory that goes once although an array still names the object.
 * One object.  Threads 0 (it was born there) to NT-1 hand its references on; who has ended may come
 * again, as a thread that got its token.
 * CYCLIC=1, promise S: a lock around each operation of the program on the object.  What a thread does
 * with its own array, its end, and the list of those that ended are not under it.  CYCLIC=0, promise P:
 * only drops are, and all are untyped; increments are not.
 * CAPTURE=1: what a capture reads is not under the lock either (adr/0015, not covered; no slot is written
 * meanwhile).  The object may refer to itself, by another one, and who finds that it is garbage destroys
 * it.  The last reference is dropped, not moved into the cycle.  A capture begins at the object, if that
 * is a candidate, or comes to it from the other one, which is a candidate of thread `via` - 1, or LEFT,
 * and may find it without an index.  A drop that is answered out of line holds the object (HOLD) until
 * the counts are written, and marks another's index (MARK).  The owner's drop that is inlined does
 * neither, but asks where there is no index, or one with AWAY.  All drops are typed, but with MIX=1.
 * No faults, for S orders all who change the counts: a take-over by a plain store of the shared word, or
 * of that before `local`.  Nor is it one if the last drop treats the caller's own index as another's:
 * the caller takes it back later.
 * Build: spin -a -DFAULT=k -DNT=n bare.pml */
#ifndef FAULT
#define FAULT 0 /* 1 dispose does not look at the visited word  2 dispose loads, then stores GONE */
#endif          /* 3 taken back by load and store  4 taken back without looking at what was there
                   5 freed header after the exchange  6 exit leaves the index as it is
                   7 increments without S  8 a candidate although in another's array
                   9 a new place by load and store  10 exit forgets the candidate
                   11 drops of others not ordered with each other  12 exit does not look at what was there
                   13 the list is taken without a look
                   CAPTURE: 14 no HOLD, no MARK  15 no HOLD, MARK after the counts  16 HOLD, no MARK
                   17 MARK cleared after the counts are read  18 taken back whatever the marks say
                   19 garbage without a look at the marks  20 a capture clears MARK under HOLD
                   21 no second look (spills have no HOLD)
                   22 what has no index is not held  23 a capture gives an index by load and store
                   24 what a capture gives has no AWAY  25 a take-over leaves out AWAY
                   26 the owner's candidate: first the count  27 the same: by load and store
                   28 the list gives back what only says freed
                   29 what reaches another's index is a candidate no more
                   30 no capture clears MARK */
#ifndef CYCLIC
#define CYCLIC 1
#endif
#ifndef CAPTURE
#define CAPTURE 0
#endif
#ifndef MIX
#define MIX (!CAPTURE)
#endif
#ifndef WITNESS
#define WITNESS 0
#endif
#ifndef NT
#define NT 2
#endif
#ifndef CAP
#define CAP 3
#endif
#ifndef LLIM
#define LLIM 3 /* room of `local`: saturate.pml */
#endif
#ifndef PART
#define PART 2
#endif
#define NONE 7
#define LEFT 8
#define GONE 9
#define INDEX (v % 16)
#define MARK 16 /* with an index: a drop began since its capture did */
#define HOLD 32 /* such a drop is under way */
#define AWAY 64 /* with an index: maybe not the owner's, or none that stays */
#define BARE (v & (127 - AWAY))
#define MINE (arr[me] && INDEX == me + 1)
short lc = 1, cnt = 0; byte own = 0;        /* own: a thread, by its token; NONE: merged */
byte v = 0;                                 /* visited: t + 1: in the array of t */
byte self = 0, caps = 0;                    /* CAPTURE: references from itself; captures under way */
byte via = 0;                               /* t + 1: the other one is a candidate of t; LEFT */
bool arr[NT], list = 0;                     /* who names the object */
bool dead = 0, fh = 0, given = 0;           /* destroyed; header says freed; cell given back */
bool due = 0;                               /* a typed drop left references, and nobody judged since */
byte held[NT], ghost = 1, busy = 0, lk = 0, shr = 0;
bool alive[NT];
#if NT > 2
#define NAMED (arr[0] || arr[1] || arr[2] || list)
#define ALONE (alive[0] + alive[1] + alive[2] == 1)
#define HELD (held[0] + held[1] + held[2])
#else
#define NAMED (arr[0] || arr[1] || list)
#define ALONE (alive[0] + alive[1] == 1)
#define HELD (held[0] + held[1])
#endif
/* Somebody will look at it.  That the other one is a candidate (`via`) is not enough: whoever judges
 * that may find it alive. */
#define LISTED (INDEX > 0 && (INDEX == LEFT -> list : INDEX <= NT && arr[INDEX - 1]))

inline touch() { assert(!given) }
inline give() { atomic { assert(!given && fh && !NAMED); given = 1 } }
inline done() { atomic { busy--;
  if :: busy == 0 && !dead ->
        assert((own == NONE -> cnt : lc + cnt) == ghost && ghost > 0);
        assert(lk == 0 && !(v & HOLD));
        assert(!due || LISTED);
        assert(MIX || HELD > 0 || LISTED)   /* garbage that nobody will find */
     :: busy == 0 && dead -> assert(NAMED || given); assert(!NAMED || (v == GONE && !given))
     :: else fi } }
/* What takes the lock begins with that, and ends with giving it back: who waits does nothing else. */
#define FREE (lk == 0 && shr == 0)
#define enter() lk = 1
#define leave() lk = 0
/* A drop does to the visited word what is between it and the captures of other threads. */
inline hold(away) {                         /* compare-and-swap; S: nobody else's HOLD */
#if CAPTURE && FAULT != 14 && FAULT != 15
  atomic { touch();
    if :: v == 0 && FAULT != 22 -> v = HOLD
       :: INDEX > 0 && INDEX <= LEFT && !MINE -> v = v | HOLD | away | (FAULT != 16 -> MARK : 0)
       :: else fi }
#else
  skip
#endif
}
inline let_go(typed) {                      /* there are references left */
  atomic { touch();
    if :: (v == 0 || v == HOLD) && typed -> v = me + 1; arr[me] = 1
       :: v == HOLD && !typed -> v = 0
       :: v != HOLD && (v & HOLD) -> v = v - HOLD       /* the last access */
       :: !(v & HOLD) && (v & AWAY) && typed && MINE && own == me -> v = v - AWAY
       :: else fi } }
inline dispose() {                          /* by the thread whose drop was the last */
  atomic { assert(ghost == 0 && !dead && !given); dead = 1 };
  if :: INDEX == me + 1 -> atomic { touch(); v = 0; arr[me] = 0 } :: else fi;
#if FAULT == 1
  fh = 1; give();
#else
  if :: v == 0 || v == HOLD -> atomic { touch(); fh = 1 }; give()
     :: else ->
#if FAULT == 5
        atomic { touch(); x = v; v = GONE };
        atomic { touch(); fh = 1 };
        if :: x % 16 == 0 -> give() :: else fi
#else
        atomic { touch(); fh = 1 };
#if FAULT == 2
        atomic { touch(); x = v };
        if :: x == 0 -> give() :: else -> atomic { touch(); v = GONE } fi
#else
        atomic { touch(); x = v; v = GONE };
        if :: x % 16 == 0 ->
              assert(WITNESS != 1);         /* the index went between look and exchange */
              give()
           :: else fi
#endif
#endif
  fi;
#endif
  x = 0 }

/* A holder's exchange found y: its entry is no more.  GONE: the memory is the holder's to give back. */
inline took_back(y, by) {
  if :: y == GONE -> assert(WITNESS != by); give() :: else fi }

proctype Thread(byte me) {
  short l = 0, c = 0, n = 0; byte o = 0, x = 0, j = 0; bool ok = 0, was = 0;
begin:
end:
  do
  /* incref */
#if CYCLIC && FAULT != 7
  :: atomic { held[me] > 0 && ghost < CAP && FREE -> busy++; ghost++; enter() };
#else
  :: atomic { held[me] > 0 && ghost < CAP -> busy++; ghost++ };
#endif
     if :: own == me -> l = lc;
           if :: l < LLIM -> atomic { touch(); lc = l + 1 }
              :: else -> atomic { touch(); cnt = cnt + PART }; lc = l - PART;
                 atomic { touch(); lc = l - PART + 1 } fi
        :: else -> atomic { touch(); cnt++ } fi;
     atomic {
#if CYCLIC && FAULT != 7
       leave();
#endif
       held[me]++; l = 0; done() }
#if !CYCLIC || MIX
  /* untyped drop: untyped.pml */
#if FAULT == 11
  :: atomic { held[me] > 0 -> held[me]--; ghost--; busy++ };
     if :: own == me -> atomic { FREE -> enter() } :: else -> atomic { lk == 0 -> shr++; was = 1 } fi;
#else
  :: atomic { held[me] > 0 && FREE -> held[me]--; ghost--; busy++; enter() };
#endif
     if :: CAPTURE && own == me && lc > 1 && cnt == 0 ->    /* inlined: the store is its last access */
           atomic { touch(); lc = lc - 1; leave(); done() }; goto begin
        :: else
     fi;
     hold(0);
     if :: own == me && lc > 0 ->
           l = lc - 1; atomic { touch(); lc = l };
           do :: atomic { touch(); c = cnt };
                 if :: l + c == 0 -> ok = 1; break
                    :: l + c != 0 && (c == 0 || (l > 0 && c >= PART)) -> break
                    :: l == 0 && c >= PART -> lc = PART;
                       atomic { if :: cnt == c -> cnt = c - PART; n = 1 :: else fi };
                       if :: n == 1 -> break :: else -> lc = 0 fi
                    :: c != 0 && l + c > 0 && c < PART -> lc = 0;
                       atomic { if :: cnt == c -> cnt = l + c; own = NONE; n = 1 :: else fi };
                       if :: n == 1 -> break :: else -> lc = l fi
                    :: else -> assert(0)
                 fi
           od
        :: else -> atomic { touch(); cnt--; c = cnt; o = own };
           if :: o == NONE -> ok = (c == 0)
              :: o != NONE && c >= 0 -> skip
              :: else -> atomic { touch(); l = lc };
                 if :: l + c == 0 -> atomic { touch(); ok = (cnt == c) } :: else fi
           fi
     fi;
#if CAPTURE
     if :: !ok || v == HOLD -> let_go(0) :: else fi;
#endif
#if FAULT == 11
     if :: was -> atomic { shr--; was = 0 } :: else -> leave() fi;
     if :: ok -> dispose() :: else fi;
#else
     if :: ok -> leave(); dispose() :: else fi;
#endif
     atomic {
       if :: !ok && FAULT != 11 -> leave() :: else fi;
       l = 0; c = 0; n = 0; o = 0; ok = 0; done() }
#endif
#if CYCLIC
  /* typed drop */
  :: atomic { held[me] > 0 && FREE -> held[me]--; ghost--; busy++; enter() };
#if CAPTURE
     if :: own == me && lc > 1 && cnt == 0 ->
           atomic { touch(); x = v };
           if :: x > 0 && (x & (HOLD | AWAY)) == 0 ->   /* inlined */
                 atomic { touch(); lc = lc - 1; due = 1 }
              :: x == 0 ->
#if FAULT == 26
                 atomic { touch(); lc = lc - 1; due = 1; l = 1 };
#endif
#if FAULT == 27
                 atomic { touch(); v = me + 1; arr[me] = 1; n = 1 };
#else
                 atomic { touch(); if :: v == 0 -> v = me + 1; arr[me] = 1; n = 1 :: else fi };
#endif
                 if :: n == 0 && l == 0 -> hold(0) :: else fi;
                 if :: l == 0 -> atomic { touch(); lc = lc - 1; due = 1 } :: else fi;
                 if :: n == 0 -> let_go(1) :: else fi
              :: else ->
                 hold(0);
                 atomic { touch(); lc = lc - 1; due = 1 };
                 let_go(1)
           fi;
           atomic { x = 0; l = 0; n = 0; leave(); done() }; goto begin
        :: else
     fi;
#endif
     do :: atomic { touch(); c = cnt; o = own };
           if :: o == NONE -> n = c - 1 :: else -> atomic { touch(); n = lc + c - 1 } fi;
           if :: n == 0 -> ok = 1;          /* the counts stay */
                 if :: INDEX == me + 1 -> atomic { touch(); v = 0; arr[me] = 0 }
                    :: INDEX != me + 1 && INDEX > 0 -> hold(0)
                    :: else fi;
                 break
              :: n > 0 -> hold((FAULT != 25 -> AWAY : 0));
                 atomic { touch(); l = (n < LLIM -> n : LLIM); lc = l };
                 atomic { touch();
                   if :: cnt == c && own == o -> cnt = n - l; own = me; due = 1 :: else -> l = 0 fi };
                 if :: l > 0 ->
#if FAULT == 8
                       if :: v != me + 1 -> v = me + 1; arr[me] = 1 :: else fi;
#else
#if FAULT == 15
                       atomic { touch();
                         if :: INDEX > 0 && INDEX < LEFT && !MINE -> v = v | MARK | AWAY :: else fi };
#endif
                       let_go(1);
#endif
                       break
                    :: else fi
              :: else -> assert(0)
           fi
     od;
     if :: ok -> leave(); dispose() :: else fi;
     atomic {
       if :: !ok -> leave() :: else fi;
       l = 0; c = 0; n = 0; o = 0; ok = 0; done() }
#if !CAPTURE
  /* a capture meets it in a slot: under S, who traces it has a reference to what leads to it */
  :: atomic { held[me] > 0 && !arr[me] && FREE -> busy++; enter(); touch() };
     if :: v == 0 -> atomic { touch(); v = me + 1; arr[me] = 1 } :: else fi;
     atomic { leave(); done() }
#else
  :: atomic { held[me] > 0 && ghost > 1 && caps == 0 && self == 0 && lk == 0 -> held[me]--; self = 1 }
  :: atomic { held[me] > 0 && caps == 0 && self == 1 && via == 0 && lk == 0 -> held[me]++; self = 0 }
  :: atomic { held[me] > 0 && caps == 0 && self == 1 && via == 0 && lk == 0 -> via = me + 1 }
  :: atomic { arr[me] || via == me + 1 ->
              was = (HELD == 0 && busy == 0 && ALONE && !list && via != LEFT); busy++; caps++ };
     if :: !arr[me] ->                      /* from the other one */
#if FAULT == 23
           atomic { touch(); x = v };
           atomic { touch(); if :: x == 0 -> v = me + 1 + AWAY; arr[me] = 1 :: else -> x = HOLD fi };
#else
           atomic { touch(); x = HOLD;
             if :: v == 0 -> v = me + 1 + (FAULT != 24 -> AWAY : 0); arr[me] = 1; x = v
                :: else fi };
#endif
        :: else ->
#if FAULT == 20
           atomic { touch(); x = v; v = v & (127 - MARK); x = v & (127 - HOLD) };
#elif FAULT != 17 && FAULT != 30
           atomic { touch(); x = v; if :: !(v & HOLD) -> v = v & (127 - MARK); x = v :: else fi };
#else
           skip
#endif
     fi;
     j = (via == 0 || via == me + 1 -> self : 0);       /* explained */
     if :: (x & HOLD) ->                    /* left as it is; and who led to it */
#if FAULT == 29
           if :: via == me + 1 && INDEX > 0 -> via = 0 :: else fi
#else
           skip
#endif
        :: else ->
           atomic { touch(); c = cnt; o = own; ok = !fh; due = due && j != self };
           atomic { touch(); l = lc };
           n = (o == NONE -> c : l + c);
#if FAULT != 21
           atomic { touch(); ok = ok && cnt == c && own == o };       /* the second look */
#endif
#if FAULT == 17
           atomic { touch(); if :: !(v & HOLD) -> v = v & (127 - MARK) :: else fi };
#endif
           atomic { touch(); x = v;
             if :: (BARE == me + 1 && (j == self || FAULT == 29)) || v == GONE || FAULT == 18 ||
                   (FAULT == 19 && ok && j > 0 && n == j) -> v = 0; arr[me] = 0
                :: else -> ok = 0 fi };     /* marked meanwhile: still a candidate */
           if :: via == me + 1 -> via = 0 :: else fi;
           if :: x != GONE && ok && j > 0 && n == j ->                /* garbage */
                 assert(WITNESS != 5);
                 assert(WITNESS != 7 || !was);
                 atomic { assert(ghost == self && !dead); ghost = 0; self = 0; dead = 1 };
                 atomic { touch(); fh = 1 }; give()
              :: else -> took_back(x, 2) fi
     fi;
     atomic {
       assert(!was || given);               /* nobody else is there, and nothing is left */
       x = 0; l = 0; c = 0; n = 0; o = 0; j = 0; ok = 0; was = 0; caps--; done() }
#endif
#if !CAPTURE
  /* the index is taken back, at any time */
  :: atomic { arr[me] -> busy++ };
#if FAULT == 3
     atomic { touch(); x = v };
     atomic { touch(); v = 0; arr[me] = 0; due = 0 };
#elif FAULT == 4
     atomic { touch(); v = 0; arr[me] = 0; due = 0 };
#else
     atomic { touch(); x = v; v = 0; arr[me] = 0; due = 0 };
#endif
     took_back(x, 2); atomic { x = 0 }; done()
#endif
  /* another place in the array */
  :: atomic { arr[me] -> busy++ };
#if FAULT == 9
     atomic { touch(); x = v };
     if :: x == GONE -> skip :: else -> atomic { touch(); v = me + 1 } fi;
     x = 0;
#else
     atomic { touch(); if :: v != GONE -> v = me + 1 + v - INDEX :: else fi };
#endif
     done()
#endif
  :: atomic { held[me] > 0 -> j = (me + 1) % NT;
              if :: alive[j] -> held[me]--; held[j]++ :: else fi; j = 0 }
#if NT > 2
  :: atomic { held[me] > 0 -> j = (me + 2) % NT;
              if :: alive[j] -> held[me]--; held[j]++ :: else fi; j = 0 }
#endif
#if CYCLIC
  /* nobody else is running, nor starts one */
  :: atomic { (list || via == LEFT) && ALONE && alive[me] -> busy++;
              via = (via == LEFT -> me + 1 : via);
              if :: list -> touch(); x = v; list = 0;
                    if :: x == GONE && FAULT != 13 -> v = 0
                       :: x != GONE || FAULT == 13 ->
                          v = (v - INDEX + me + 1) | (CAPTURE && own != me -> AWAY : 0); arr[me] = 1
                    fi
                 :: else fi };
     took_back(x, 3); atomic { x = 0 }; done()
  /* room is made in it */
  :: atomic { list -> busy++; x = 0;
              if :: v == GONE || (FAULT == 28 && fh) -> touch(); list = 0; x = GONE :: else fi };
     took_back(x, 6); atomic { x = 0 }; done()
  :: atomic { held[me] == 0 && !ALONE -> busy++ }; goto leaving
#endif
  od;
leaving:
  if :: via == me + 1 -> via = LEFT :: else fi;
  if :: arr[me] ->
#if FAULT == 6
        arr[me] = 0
#elif FAULT == 10
        atomic { touch(); x = v; v = 0; arr[me] = 0 }; took_back(x, 4)
#else
        atomic { touch(); x = v; v = (v == GONE -> LEFT : v - INDEX + LEFT); arr[me] = 0; list = (x != GONE || FAULT == 12) };
#if FAULT != 12
        took_back(x, 4)
#endif
#endif
     :: else fi;
  atomic { x = 0; alive[me] = 0 }; done();
enddead:
  atomic { !alive[me] -> alive[me] = 1 };   /* a new thread gets the token */
  goto begin }

init { byte k = 0;
  atomic { held[0] = 1;
    do :: k < NT -> alive[k] = 1; k++ :: else -> break od;
    k = 0; do :: k < NT -> run Thread(k); k++ :: else -> break od } }
