/* SPDX-License-Identifier: MIT */
/* segments.pml: a token's queue as a list of open segments.
 *
 * Departure from counts.md 3 (enqueue): not one node per entry.  Each dropper keeps, per token, the
 * segment that it pushed last, and appends to it while it is open:
 *   segment = { next, state: count | CLOSED | LEFT | DONE in one word, entries[N] }
 *   append   entries[count] = x (only the dropper writes entries), then CAS count+1, which fails
 *            once CLOSED is set; then, or if there is none or it is full: a new segment with one
 *            entry, pushed on the list head of the token by CAS.
 *   drain    exchange the head with NULL; of each segment read next, fetch_or CLOSED, take as many
 *            entries as the count was, then fetch_or DONE.
 *   memory   LEFT is set by the dropper when it gives a segment up (full, closed, another token,
 *            exit), DONE by the drainer, both by fetch_or; who finds the other's bit frees.
 *
 * Thread 0 holds the token: it drains, parks, unparks.  Droppers 1..ND make NE entries each; one
 * that finds the holder parked drains on its behalf under MERGING, as in park.pml.
 *
 * Asserted: an entry is taken once and only after it was published; no access to a freed segment,
 * none freed twice; whenever no operation is in flight, every entry not yet taken lies in a segment
 * of the list, and none does while the holder is parked (I9); in the end every segment is freed
 * that both sides are done with.
 * Build: spin -a -DFAULT=k -DND=droppers -DNE=entries segments.pml */
#ifndef FAULT
#define FAULT 0
#endif
/* 1 append by load and store, not by CAS      2 the count is read, then CLOSED is set
 * 3 the drainer frees without the second bit  4 the dropper frees without the second bit
 * 5 the holder looks at the list before PARKED is visible   6 next is read after DONE
 * 7 no nudge after a push                     8 DONE is set before the entries are read
 * 9 the dropper goes on with a segment it has given up     10 no CLOSED at all
 * 11 both look at the other's bit, then set their own (two steps)
 * 12 a merger that puts segments back does not look again (BACK) */
#ifndef ND
#define ND 1
#endif
#ifndef NE
#define NE 3
#endif
#ifndef NE2
#define NE2 NE                            /* of dropper 2 */
#endif
#ifndef N
#define N 2                               /* entries of a segment */
#endif
#ifndef QUIET
#define QUIET 0                           /* 1: an append does not nudge, only a push does */
#endif
#ifndef POP
#define POP 0                             /* 1: the drainer pops one segment a hold, by CAS */
#endif
#ifndef BACK
#define BACK 0                            /* 1: a merger takes one segment, and puts the rest back */
#endif
#ifndef WITNESS
#define WITNESS 0 /* 4 a segment is put back  1 append to a segment already taken  2 the dropper frees  3 the drainer */
#endif
#define SEGS (2 * ND + 2)                 /* more than can be in use at once: asserted */
#if ND > 1
#define OPEN2(i) (open[2] == i)
#else
#define OPEN2(i) false
#endif
mtype = { RUN, PARK, MERGE };
typedef Segment { byte next; byte n; bool closed; bool left; bool finished; bool used; byte e[N] }
Segment s[SEGS + 1];                      /* 0 is NULL */
byte head = 0;
mtype st = RUN; bool want = 0, deep = 0;
byte at[2 * NE + 1];                      /* of entry i: 0 not made, 1 published, 2 taken */
byte open[ND + 1];                        /* each dropper's own: its open segment */
byte busy = 0;
hidden short inlist = 0;                  /* used within one step only */

inline release(g) { atomic { assert(s[g].used); s[g].used = 0; s[g].next = 0; s[g].n = 0;
  s[g].closed = 0; s[g].left = 0; s[g].finished = 0;
  i = 0; do :: i < N -> s[g].e[i] = 0; i++ :: else -> i = 0; break od } }
inline done() { atomic { busy--;
  if :: busy == 0 ->
        i = 0; m = 0; g = head;           /* entries in the list; none closed, none empty */
        do :: g != 0 -> assert(s[g].used && !s[g].closed && s[g].n > 0);
                           assert(!((inlist >> g) & 1)); m = m + s[g].n;
                           inlist = inlist | (1 << g); g = s[g].next
           :: else -> break od;
        i = 1; do :: i <= 2 * NE -> if :: at[i] == 1 -> m-- :: else fi; i++ :: else -> break od;
        assert(m == 0);
        i = 1; do :: i <= SEGS ->
                     if :: s[i].used && !((inlist >> i) & 1) ->
                           assert(s[i].finished && !s[i].left && (open[1] == i || OPEN2(i)))
                        :: else fi; i++
                  :: else -> break od;    /* in the list, or the dropper will see it is closed */
        i = 0; g = 0; inlist = 0;
        assert(!deep || head == 0);       /* nothing waits for a thread that is parked */
        assert(st != MERGE)
     :: else fi } }

inline drain(most) {                      /* by the holder, or under MERGING */
#if POP
  do :: g = head;
        if :: g == 0 -> break
           :: else -> atomic { assert(s[g].used); x = s[g].next };
              atomic { if :: head == g -> head = x; ok = 1 :: else fi };
              if :: ok -> ok = 0; x = 0; break :: else fi fi
  od;
#else
  atomic { g = head; head = 0 };          /* exchange */
#endif
  do :: g == 0 -> break
     :: else ->
#if FAULT != 6
#if !POP
        atomic { assert(s[g].used); x = s[g].next };
#endif
#endif
#if BACK
        if :: most == 0 ->
#if WITNESS == 4
              assert(0);
#endif
              atomic { assert(s[g].used && !s[g].finished); s[g].next = head; head = g }; goto put
           :: else -> most = most - 1 fi;
#endif
#if FAULT == 2
        atomic { assert(s[g].used); m = s[g].n };
        atomic { assert(s[g].used); s[g].closed = 1 };
#elif FAULT == 10
        atomic { assert(s[g].used); m = s[g].n };
#else
        atomic { assert(s[g].used); m = s[g].n; s[g].closed = 1 };              /* fetch_or */
#endif
#if FAULT == 8
        atomic { assert(s[g].used); s[g].finished = 1; ok = s[g].left };
#endif
        i = 0; do :: i < m -> atomic { assert(s[g].used);
                                       assert(s[g].e[i] > 0 && at[s[g].e[i]] == 1);
                                       at[s[g].e[i]] = 2; i++ }
                  :: else -> i = 0; m = 0; break od;
#if FAULT == 3
        release(g);
#elif FAULT == 11
        atomic { assert(s[g].used); ok = s[g].left };
        atomic { assert(s[g].used); s[g].finished = 1 };
#elif FAULT != 8
        atomic { assert(s[g].used); s[g].finished = 1; ok = s[g].left };         /* fetch_or */
#endif
#if FAULT == 6
        atomic { assert(s[g].used || ok); x = s[g].next };
#endif
        if :: ok -> ok = 0;
#if WITNESS == 3
              assert(0);
#endif
              release(g)
           :: else fi;
#if FAULT == 6
        atomic { assert(s[g].used); x = s[g].next };
#endif
put:    g = x; x = 0
  od;
  most = 0 }

active proctype Holder() {
  byte g = 0, x = 0, m = 0, i = 0, k = 0; bool ok = 0;
end:
  do
  :: atomic { head != 0 -> busy++ };      /* polls */
     k = 9; drain(k); done()
#if FAULT == 5
  :: atomic { head == 0 -> busy++ };
     st = PARK;
#else
  :: atomic { busy++; st = PARK };
     if :: head != 0 -> goto unpark :: else fi;
#endif
     atomic { deep = 1 }; done();
endpark: atomic { busy++; deep = 0 };
unpark:
     want = 1;
     atomic { st == PARK -> st = RUN; want = 0 };    /* waits while MERGING */
     done()
  od }

inline give_up() {                        /* the dropper's side of a segment's end */
#if FAULT == 4
  release(open[me]);
#elif FAULT == 11
  atomic { assert(s[open[me]].used); ok = s[open[me]].finished };
  atomic { assert(s[open[me]].used); s[open[me]].left = 1 };
  if :: ok -> ok = 0; release(open[me]) :: else fi;
#else                                     /* fetch_or */
  atomic { assert(s[open[me]].used); s[open[me]].left = 1; ok = s[open[me]].finished };
  if :: ok -> ok = 0;
#if WITNESS == 2
        assert(0);
#endif
        release(open[me])
     :: else fi;
#endif
#if FAULT == 9
  if :: open[me] = 0; k = 0 :: skip fi
#else
  open[me] = 0; k = 0
#endif
}
proctype Dropper(byte me) {
  byte g = 0, x = 0, m = 0, i = 0, k = 0, j = 0, made = 0, y = 0; bool ok = 0; mtype t = RUN;
end:
  do
  :: atomic { made < (me == 1 -> NE : NE2) ->              /* enqueue entry y */
              made++; y = (me - 1) * NE + made; busy++ };
append:
     if :: open[me] != 0 && k < N ->
           atomic { assert(s[open[me]].used); s[open[me]].e[k] = y };
#if FAULT == 1
           atomic { assert(s[open[me]].used); ok = !s[open[me]].closed };
           if :: ok -> atomic { assert(s[open[me]].used); s[open[me]].n = k + 1;
                                s[open[me]].closed = 0; at[y] = 1 }
              :: else fi;
#else
           atomic { assert(s[open[me]].used);                                     /* CAS */
                    if :: !s[open[me]].closed -> s[open[me]].n = k + 1; at[y] = 1; ok = 1
#if WITNESS == 1
                          ; g = head; do :: g != 0 && g != open[me] -> g = s[g].next
                                         :: else -> break od; assert(g != 0)
#endif
                       :: else -> ok = 0 fi };
#endif
           if :: ok -> ok = 0; k++;
#if QUIET
                 goto pushed
#else
                 goto nudge
#endif
              :: else -> give_up(); goto append fi
        :: open[me] != 0 && k == N -> give_up(); goto append
        :: open[me] == 0 -> skip
     fi;
     atomic { i = 1; do :: i <= SEGS && s[i].used -> i++ :: else -> break od;
              assert(i <= SEGS); open[me] = i; k = 1;
              s[i].used = 1; s[i].n = 1; s[i].e[0] = y; i = 0 };
     atomic { s[open[me]].next = head; head = open[me]; at[y] = 1 };                  /* CAS loop */
nudge:
#if FAULT != 7
     do :: atomic { t = (want -> RUN : st) };
           if :: t == RUN || t == MERGE -> break
              :: t == PARK ->
                 atomic { if :: st == PARK && !want -> st = MERGE; ok = 1 :: else fi };
                 if :: ok -> ok = 0; j = 1; drain(j); st = PARK :: else fi;
                 if :: head == 0 || FAULT == 12 -> break :: else fi           /* the second look */
           fi
     od;
#endif
pushed:
     atomic { t = RUN; y = 0 }; done()
  :: atomic { open[me] != 0 -> busy++ }; give_up(); done()        /* another token, or exit */
  od }
init { atomic { run Dropper(1);
#if ND > 1
  run Dropper(2)
#endif
} }
