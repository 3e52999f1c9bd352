/* SPDX-License-Identifier: MIT */
/* isolate.pml: weak references across a hand-over (counts.md 4 and 5; its own models have none there).
 * Thread 0 isolates an object, the whole graph, and hands it to thread 2; thread 1 is anyone else.
 * Weak handles lie outside, or in a slot of the graph itself, and travel with it.  `refs` is the
 * cell's count of handles; an upgrade takes the lock, as death does.
 * To isolate: with the cell's lock, which whoever makes a first handle of a reference takes, and an
 * upgrade, the handles are counted, which must all lie in the graph, and then the counts are read.
 * Nobody outside has a handle then, nor gets one: who sees no outside reference either is alone.
 * A drain is one step here: counts.pml has it in detail.
 * Build: spin -a -DFAULT=k -DCAP=n isolate.pml */
#ifndef FAULT
#define FAULT 0 /* 1 counts read before the handles are counted  2 handles not counted
                   3 the restamp loses W  4 counts read when the lock is free again
                   5 what waits in a queue is not looked at */
#endif
#ifndef CAP
#define CAP 2 /* strong references, and handles, of each thread */
#endif
#define LCAP 4
#ifndef WITNESS
#define WITNESS 0 /* 1 isolated with a handle inside  2 an outside handle refuses it
                     3 an upgrade by the receiver */
#endif
short lc = 1, cnt = 0; bool Q = 0, W = 0;         /* the object's words */
bool cell = 0, lock = 0, freed = 0; byte refs = 0; /* its cell */
byte strong = 0, weak = 0, inq = 0;                /* of thread 1; and what it gave to the queue */
byte inside = 0, own = 0, held = 1;                /* handles in the graph, the receiver's; references */
bool isolated = 0, sent = 0;

inline touch() { assert(!freed) }
inline acquire() { atomic { !lock -> lock = 1 } }
inline handle() { atomic { touch(); W = 1 }; acquire(); cell = 1; refs++; lock = 0 }

active proctype Sender() {
  byte r; bool w, q; short sum;
end:
  do
  :: sent -> break
  :: !sent && strong < CAP && lc < LCAP -> atomic { lc++; strong++ }           /* a reference to thread 1 */
  :: !sent && weak < CAP -> handle(); atomic { weak++ }           /* a handle */
  :: !sent && inside < 1 -> handle(); inside++                    /* one into the graph */
  :: !sent && inq > 0 -> atomic { inq--; lc = lc + cnt - 1; cnt = 0; Q = 0 }
  :: !sent ->
#if FAULT == 1
     atomic { sum = lc + cnt; q = Q };
     acquire(); r = refs; w = cell; lock = 0;
#elif FAULT == 4
     acquire(); r = refs; w = cell; lock = 0;
     atomic { sum = lc + cnt; q = Q };
#else
     acquire(); r = refs; w = cell;
     atomic { sum = lc + cnt; q = Q };
     lock = 0;
#endif
#if FAULT == 2
     r = inside;
#endif
#if FAULT == 5
     q = 0; sum = sum - inq;
#endif
     if :: (w && r != inside) || q || sum != 1 ->
#if WITNESS == 2
           assert(!(w && r != inside && sum == 1 && !q));
#endif
           skip
        :: else -> isolated = 1;
           assert(strong == 0 && weak == 0);
#if WITNESS == 1
           assert(inside == 0);
#endif
           lc = 1; cnt = 0; Q = 0;                                 /* the restamp: plain stores */
#if FAULT == 3
           W = 0;
#endif
           sent = 1
     fi;
     atomic { r = 0; w = 0; q = 0; sum = 0 }
  od }

active proctype Other() {
end:
  do
  :: strong > 0 && strong < CAP && cnt < LCAP -> assert(!isolated); atomic { touch(); cnt++; strong++ }
  :: strong > 0 && cnt > -LCAP -> assert(!isolated);
     atomic { touch(); strong--;
       if :: cnt <= 0 && !Q -> Q = 1; inq++ :: else -> cnt-- fi }
  :: strong > 0 && weak < CAP -> handle(); assert(!isolated); atomic { weak++ }
  :: weak > 0 && weak < CAP -> atomic { assert(!isolated); refs++; weak++ }
  :: weak > 0 -> atomic { assert(!isolated); refs--; weak-- }
  :: weak > 0 && strong < CAP && cnt < LCAP -> acquire();
     if :: cell -> assert(!isolated); atomic { touch(); cnt++; strong++ } :: else fi;
     lock = 0
  od }

active proctype Receiver() {
  sent;
end:
  do
  :: inside > 0 && !freed -> atomic { inside--; own++ }           /* a handle moves out of the graph */
  :: own > 0 && held < CAP -> acquire();
     if :: cell -> touch(); lc++; held++;
#if WITNESS == 3
           assert(0);
#endif
        :: else fi;
     lock = 0
  :: held > 0 -> held--; lc--;
     if :: lc == 0 -> assert(held == 0);
           if :: W -> acquire(); cell = 0; lock = 0 :: else fi;
           freed = 1; refs = refs - inside; inside = 0            /* its slots go with it */
        :: else fi
  :: own > 0 -> own--; refs--
  od }
