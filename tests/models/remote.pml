/* SPDX-License-Identifier: MIT */
/* remote.pml: blocks freed by a thread that does not own their page; heaps whose thread has ended.
 *
 *   page.heap    the heap that owns the page; written only by the owner of the heap that it names
 *   page.free    cells; plain, only for the owner of the page's heap (A3 of layout.h)
 *   heap.remote  a list that anyone pushes a chain of cells on (CAS); the owner polls it with a
 *                plain load and takes all by exchange
 *   heap.state   the thread that owns the heap, or ABANDONED; left by RMW (seq_cst), taken by CAS
 *   push     push the chain on the list of the heap that the page named; then look at its state:
 *            ABANDONED: CAS to me; won: drain, then give back.
 *   drain    a cell whose page is owned by a heap of mine goes into the page; any other is pushed
 *            on to the heap that the page names now (as above).
 *   give back, exit   state <- ABANDONED, then look at the list; not empty: CAS to me, drain.
 *   adopt    CAS to me, restamp the pages to my heap (or not), drain, give back.
 * Heaps are type-stable: a late pusher finds another owner there, or none, and that is all right.
 * A thread that begins takes an abandoned heap as its home.
 *   LATE     a thread that has exited may still hold blocks and free them, without a home and
 *            without a chain: each cell is pushed alone, to whatever heap its page names.
 *
 * Asserted: a page's free list is touched by the owner of its heap alone; no block is in two places
 * or in none; whenever no operation is in flight, an abandoned heap has nothing in its list, so
 * every freed block is in its page, or in the list of a heap whose thread runs and will poll, or in
 * the chain of a running thread.
 * Build: spin -a -DFAULT=k -DNT=threads -DNH=heaps -DNP=pages -DNB=blocks remote.pml */
#ifndef FAULT
#define FAULT 0
#endif
/* 1 exit without a look after ABANDONED       2 claimed by load and store, not by CAS
 * 3 the drain puts every cell into its page, whoever owns it (nothing is forwarded)
 * 4 exit looks before ABANDONED is visible    5 the pusher does not look at the state
 * 6 given back without a look                 7 pages restamped without owning their heap
 * 8 forwarded without a look at the state     9 the pusher looks before it pushes
 * 10 exit forgets the chain that it has not pushed
 * 11 a late free takes a heap as the exited thread's home, and nobody leaves that (LATE) */
#ifndef LATE
#define LATE 0
#endif
#ifndef NT
#define NT 2
#endif
#ifndef NH
#define NH NT                             /* heaps; the rest is abandoned at first */
#endif
#ifndef NP
#define NP 2
#endif
#ifndef NB
#define NB 2
#endif
#ifndef WITNESS
#define WITNESS 0 /* 1 a cell is forwarded  2 an exiting thread loses its heap to a pusher
                   * 3 a late free finds its page's heap abandoned (LATE) */
#endif
#define ABANDONED 9
#define page(b) ((b) % NP)
#define ALL ((1 << NB) - 1)
#define OWN(b) (free[page(b)] & (1 << b) * (heap[page(b)] == home[me]))

#define FULL(h) (h < NH && state[h % NH] == me && remote[h % NH] != 0)
#define GUEST(h) (h < NH && state[h % NH] == me && h != home[me])

byte state[NH], remote[NH];               /* of heaps; sets of cells are bit masks */
byte heap[NP], free[NP];                  /* of pages */
byte home[NT], held[NT], chain[NT], dest[NT]; bool alive[NT];   /* of threads */
byte busy = 0;

inline done() { atomic { busy--;
  if :: busy == 0 ->
        k = 0; w = 0;
        do :: k < NP -> assert((w & free[k]) == 0); w = w | free[k]; k++ :: else -> break od; k = 0;
        do :: k < NT -> assert((w & held[k]) == 0); w = w | held[k];
                        assert((w & chain[k]) == 0); w = w | chain[k];
                        assert(alive[k] || (LATE || held[k] == 0) && chain[k] == 0); k++
           :: else -> break od; k = 0;
        do :: k < NH -> assert((w & remote[k]) == 0); w = w | remote[k];
                        assert(state[k] != ABANDONED || remote[k] == 0);
                        assert(state[k] == ABANDONED || alive[state[k]] && home[state[k]] == k); k++
           :: else -> break od;
        assert(w == ALL); k = 0; w = 0
     :: else fi } }
inline claim(h) {                         /* won: I own it until I give it back */
#if FAULT == 2
  if :: state[h] == ABANDONED -> state[h] = me :: else fi
#else
  atomic { if :: state[h] == ABANDONED -> state[h] = me :: else fi }
#endif
}
inline push(h, cells) {
#if FAULT == 9
  claim(h);
  atomic { assert((remote[h] & cells) == 0); remote[h] = remote[h] | cells }
#else
  atomic { assert((remote[h] & cells) == 0); remote[h] = remote[h] | cells };
#if FAULT != 5
  claim(h)
#endif
#endif
}
inline put(b) {                           /* plain: load, store */
  atomic { assert(state[heap[page(b)]] == me); f = free[page(b)] };
  atomic { assert(state[heap[page(b)]] == me); assert(!(f & (1 << b)));
           free[page(b)] = f | (1 << b); f = 0 } }

inline pick(set) { if :: (set) & 1 -> b = 0 :: (set) & 2 -> b = 1 :: (set) & 4 -> b = 2 fi }
inline orphan() {
  if :: state[0] == ABANDONED -> h = 0 :: state[1] == ABANDONED -> h = 1
#if NH > 2
     :: state[2] == ABANDONED -> h = 2
#endif
  fi }

proctype Thread(byte me) {
  byte h = 0, k = 0, w = 0, f = 0, b = 0, q = 0; bool leaving = 0;
begin:
end:
  do
  :: atomic { pick(OWN(0) | OWN(1) | OWN(2));                                        /* allocate */
              busy++; f = free[page(b)] };
     atomic { assert(heap[page(b)] == home[me]); free[page(b)] = f & ~(1 << b);
              held[me] = held[me] | (1 << b); f = 0; b = 0 };
     done()
  :: atomic { pick(held[me]);                                                     /* hand over */
              if :: alive[(me + 1) % NT] -> q = (me + 1) % NT
#if NT > 2
                 :: alive[(me + 2) % NT] -> q = (me + 2) % NT
#endif
                 :: else -> q = me fi;
              held[me] = held[me] & ~(1 << b); held[q] = held[q] | (1 << b); q = 0; b = 0 }
  :: atomic { pick(held[me]); busy++; held[me] = held[me] & ~(1 << b); q = heap[page(b)] };
     if :: q == home[me] -> put(b); atomic { q = 0; b = 0 }; done()                 /* free: mine */
        :: else ->                                                                /* another's */
           if :: chain[me] != 0 && dest[me] != q ->
                 push(dest[me], chain[me]); atomic { chain[me] = 0; dest[me] = 0 }
              :: else fi;
           atomic { chain[me] = chain[me] | (1 << b); dest[me] = q; q = 0; b = 0 };
           goto work
     fi
  :: atomic { chain[me] != 0 -> busy++ };
     push(dest[me], chain[me]); atomic { chain[me] = 0; dest[me] = 0 };
     goto work
  :: atomic { remote[home[me]] != 0 -> busy++ }; goto work                        /* poll */
  :: atomic { orphan(); busy++ };                                                 /* adopt */
#if FAULT != 7
     claim(h);
#endif
     k = 0;
     do :: k < NP ->
#if FAULT == 7
           if :: heap[k] == h -> heap[k] = home[me]
#else
           if :: heap[k] == h && state[h] == me -> heap[k] = home[me]       /* or not, one by one */
#endif
              :: skip fi; k++
        :: else -> k = 0; break od;
     goto work
  :: atomic { LATE || held[me] == 0 -> busy++; leaving = 1; alive[me] = 0 };              /* exit */
#if FAULT == 10
     atomic { chain[me] = 0; dest[me] = 0 };
#else
     if :: chain[me] != 0 -> push(dest[me], chain[me]); atomic { chain[me] = 0; dest[me] = 0 }
        :: else fi;
#endif
     goto work
  od;
work:                                     /* drain every heap that is mine, then give back */
  do :: atomic { FULL(0) || FULL(1) || FULL(2) ->
                 if :: FULL(0) -> h = 0 :: FULL(1) -> h = 1 :: FULL(2) -> h = 2 fi;
                 w = remote[h]; remote[h] = 0; h = 0 };                           /* exchange */
        do :: w != 0 ->
              atomic { pick(w); w = w & ~(1 << b) };
#if FAULT == 3
              atomic { f = free[page(b)] }; atomic { free[page(b)] = f | (1 << b); f = 0; b = 0 }
#else
              q = heap[page(b)];
              if :: state[q] == me -> put(b)
                 :: else ->
#if WITNESS == 1
                    assert(0);
#endif
#if FAULT == 8
                    atomic { remote[q] = remote[q] | (1 << b) }
#else
                    push(q, (1 << b))
#endif
              fi;
              atomic { q = 0; b = 0 }
#endif
           :: else -> break od
     :: else ->                           /* what is not my home goes back */
        atomic { if :: GUEST(0) -> h = 0 :: GUEST(1) -> h = 1 :: GUEST(2) -> h = 2
                    :: else -> h = NH fi };
        if :: h < NH -> state[h] = ABANDONED;
#if FAULT != 6
              if :: remote[h] != 0 -> claim(h) :: else fi;
#endif
              h = 0
           :: else -> h = 0; break fi
  od;
  if :: leaving ->
#if FAULT == 4
        if :: remote[home[me]] != 0 -> goto work :: else fi;
#endif
        state[home[me]] = ABANDONED;
#if FAULT != 1 && FAULT != 4
        if :: remote[home[me]] != 0 -> claim(home[me]);
              if :: state[home[me]] == me -> goto work
                 :: else ->
#if WITNESS == 2
                    assert(0);
#endif
                    skip fi               /* somebody else has it, and will look */
           :: else fi;
#endif
        skip
     :: home[me] == NH -> atomic { done(); goto endgone }                   /* was a late free */
     :: else -> atomic { done(); goto begin }
  fi;
  atomic { home[me] = NH; leaving = 0 }; done();
endgone:
  do
  :: atomic { held[me] == 0 -> orphan(); state[h] = me; home[me] = h; alive[me] = 1; h = 0 };
     goto begin                                                                 /* a new thread */
#if LATE
  :: atomic { pick(held[me]); busy++; held[me] = held[me] & ~(1 << b); q = heap[page(b)] };
#if FAULT == 11
     if :: state[0] == ABANDONED -> claim(0) :: else fi;
#elif WITNESS == 3
     assert(state[q] != ABANDONED);
#endif
     push(q, (1 << b)); atomic { q = 0; b = 0 };
#if FAULT == 11
     if :: state[0] == me -> atomic { done() }; goto endgone :: else fi;
#endif
     goto work                                  /* whatever the push made it claim, till given back */
#endif
  od }

init { byte k = 0; atomic {
  do :: k < NT -> state[k] = k; home[k] = k; alive[k] = 1; k++ :: else -> break od;
  do :: k < NH -> state[k] = ABANDONED; k++ :: else -> break od; k = 0;
  do :: k < NP -> if :: heap[k] = 0 :: heap[k] = 1 :: heap[k] = NH - 1 fi; k++
     :: else -> break od; k = 0;
  do :: k < NB -> free[page(k)] = free[page(k)] | (1 << k); k++ :: else -> break od; k = 0;
  do :: k < NT -> run Thread(k); k++ :: else -> break od } }
