/* SPDX-License-Identifier: MIT */
/* token.pml: owner tokens, exit, adoption on demand, hand-over by restamp or by moving a token, reissue.
 * The owner field of the object names a token; holder[t] names the thread that counts plainly on
 * what carries t.  Queues belong to tokens.  NT threads with home tokens 1..NT; token NT+1 is a region's.
 * FOLD: an object that can be in a cycle, which is never merged (counts.pml).
 * Build: spin -a -DFAULT=k -DNT=n token.pml */
#ifndef FAULT
#define FAULT 0 /* 1 a token reissued while an adopter holds it  2 exit without a second look */
#endif          /* 3 adoption without compare-and-swap  4 restamp with Q set  5 nobody adopts
                   6 store of GONE passes the look at the queue (no fence) */
#ifndef NT
#define NT 2
#endif
#ifndef CAP
#define CAP 2
#endif
#ifndef LCAP
#define LCAP 3
#endif
#define REG (NT + 1)
#define GONE 9
#define TRANSIT 8
byte own, home[NT], holder[NT + 2], inq[NT + 2], held[NT];
bool alive[NT];
short lc = 1, cnt = 0; bool M = 0, Q = 0, freed = 0;
byte ghost = 1, busy = 0, mail = 0;       /* mail: token in a channel, with its one reference */
#define MINE(i) (!M && (own == home[i] || holder[own] == i))

inline touch() { assert(!freed) }
inline destroy() { atomic { assert(ghost == 0 && !freed && inq[own] == 0); freed = 1 } }
inline done() { atomic { busy--;
  if :: busy == 0 && !freed ->
        assert(!M -> (lc + cnt == ghost + inq[own] && inq[own] == Q) : (cnt == ghost && cnt > 0));
        assert(ghost > 0 || inq[own] > 0);
        assert(M || inq[own] == 0 || holder[own] < NT)  /* a running thread will drain it */
     :: else fi } }
inline drain_one(i, t) {                  /* i holds t and has taken one entry of its queue */
  atomic { touch(); assert(Q && !M && own == t); l = lc };
  do :: atomic { touch(); c = cnt; n = l + c - 1; assert(n >= 0) };
        if :: n == 0 -> destroy(); break
#ifdef FOLD
           :: n > 0 -> lc = n;
#else
           :: n > 0 && c <= 0 -> lc = n;
#endif
              atomic { if :: cnt == c -> cnt = 0; Q = 0; ok = 1 :: else fi };
              if :: ok -> break :: else fi
#ifndef FOLD
           :: n > 0 -> lc = 0;
              atomic { if :: cnt == c -> cnt = n; M = 1; Q = 0; own = 0; ok = 1 :: else fi };
              if :: ok -> break :: else fi
#endif
        fi
  od;
  atomic { ok = 0; l = 0; c = 0; n = 0 } }
inline foreign_drop(i) {
  atomic { touch();
    if :: M -> cnt--; if :: cnt == 0 -> act = 1 :: else fi
       :: !M && cnt <= 0 && !Q -> Q = 1; act = 2; t = own
       :: !M && (cnt > 0 || Q) -> cnt-- fi };
  if :: act == 1 -> destroy()
     :: act == 2 -> atomic { inq[t]++ };  /* push */
#if FAULT != 5
        do :: h = holder[t];              /* nudge */
              if :: h == GONE ->
#if FAULT == 3
                    holder[t] = i; ok = 1;
#else
                    atomic { if :: holder[t] == GONE -> holder[t] = i; ok = 1 :: else fi };
#endif
                    if :: ok -> ok = 0;
                          do :: atomic { inq[t] > 0 -> inq[t]-- }; drain_one(i, t)
                             :: atomic { inq[t] == 0 -> break } od;
                          break
                       :: else fi
                 :: h != GONE -> break fi
        od
#endif
     :: else fi;
  atomic { act = 0; t = 0; h = 0 } }

proctype Thread(byte me) {
  short l = 0, c = 0, n = 0; bool q = 0, ok = 0; byte act = 0, t = 0, h = 0, j = 0;
begin:
end:
  do
  :: atomic { held[me] > 0 && ghost < CAP && lc < LCAP && cnt < LCAP -> busy++; ghost++ };
     touch();
     if :: atomic { MINE(me) -> l = lc }; lc = l + 1
        :: else -> atomic { touch(); cnt++ } fi;
     atomic { held[me]++; l = 0 }; done()
  :: atomic { held[me] > 0 && cnt > -LCAP -> held[me]--; ghost--; busy++ };
     touch();
     if :: atomic { MINE(me) -> l = lc }; lc = l - 1;
           if :: l - 1 == 0 ->
                 do :: atomic { touch(); c = cnt; q = Q };
                       if :: q -> break           /* keeps its token until it is drained */
                          :: !q && c == 0 -> destroy(); break
#ifdef FOLD
                          :: else -> lc = c;
                             atomic { touch();
                               if :: cnt == c && !Q -> cnt = 0; ok = 1 :: else fi };
                             if :: ok -> break :: else -> lc = 0 fi fi
#else
                          :: else -> atomic { touch();
                               if :: cnt == c && !Q -> M = 1; own = 0; ok = 1 :: else fi };
                               if :: ok -> break :: else fi fi
#endif
                 od
              :: else fi
        :: else -> foreign_drop(me) fi;
     atomic { l = 0; c = 0; q = 0; ok = 0 }; done()
  :: atomic { !M && own > 0 && holder[own] == me && inq[own] > 0 -> inq[own]--; t = own; busy++ };
     drain_one(me, t); atomic { t = 0 }; done()
  :: atomic { held[me] > 0 -> j = (me + 1) % NT;
              if :: alive[j] -> held[me]--; held[j]++ :: else fi; j = 0 }
#if NT > 2
  :: atomic { held[me] > 0 -> j = (me + 2) % NT;
              if :: alive[j] -> held[me]--; held[j]++ :: else fi; j = 0 }
#endif
  /* hand-over by restamp: the only reference is mine; afterwards the receiver's home owns it */
  :: atomic { held[me] > 0 && (alive[(me + 1) % NT]) &&
              (M || holder[own] == me) -> busy++; j = (me + 1) % NT; t = home[j] };
#if FAULT == 4
     ok = ((M && cnt == 1) || (!M && lc + cnt == 1 + Q));
#else
     ok = ((M && cnt == 1) || (!M && lc + cnt == 1 && !Q));
#endif
     if :: ok -> assert(ghost == 1);      /* plain stores: nobody else has a reference */
           lc = 1; atomic { cnt = 0; M = 0; own = t };
           atomic { if :: alive[j] -> held[me]--; held[j]++ :: else fi }  /* it left: t is GONE, the reference stays here */
        :: else fi;
     atomic { ok = 0; j = 0; t = 0 }; done()
  /* hand-over by moving the token: one table write, the reference travels in the channel */
  :: atomic { held[me] > 0 && !M && own != home[me] && holder[own] == me && mail == 0
              -> busy++; t = own };
     if :: lc + cnt == 1 && !Q -> assert(ghost == 1);
           atomic { holder[t] = TRANSIT; held[me]--; mail = t }
        :: else fi;
     atomic { t = 0 }; done()
  :: atomic { mail > 0 -> t = mail; mail = 0; busy++ };
     atomic { holder[t] = me; held[me]++; t = 0 }; done()
  :: atomic { held[me] == 0 -> alive[me] = 0; busy++ }; goto leave
  od;
leave:
  do :: t <= REG ->
#if FAULT == 6
        if :: t > 0 && holder[t] == me && inq[t] > 0 -> atomic { inq[t] > 0 -> inq[t]-- };
              drain_one(me, t)
           :: else fi;
#endif
        if :: t > 0 && holder[t] == me -> holder[t] = GONE :: else fi;
#if FAULT != 2 && FAULT != 6
        if :: t > 0 && holder[t] == GONE && inq[t] > 0 ->             /* second look */
              atomic { if :: holder[t] == GONE -> holder[t] = me; ok = 1 :: else fi };
              if :: ok -> ok = 0;
                    if :: atomic { inq[t] > 0 -> inq[t]-- }; drain_one(me, t) :: else fi
                 :: else -> t++ fi                                    /* somebody adopted it */
           :: else -> t++
        fi
#else
        t++
#endif
     :: else -> break
  od;
  atomic { t = 0; home[me] = 99 }; done();
  /* a new thread in this slot takes a token that nobody holds, with whatever still carries it */
enddead:
  atomic {
    if :: holder[1] == GONE -> t = 1 :: holder[2] == GONE -> t = 2
#if NT > 2
       :: holder[3] == GONE -> t = 3
#endif
#if FAULT == 1
       :: holder[me + 1] != GONE && holder[me + 1] != me -> t = me + 1
#endif
    fi;
    holder[t] = me; home[me] = t; t = 0; alive[me] = 1 };
  goto begin }

init { byte k = 0;
  atomic {
    do :: k < NT -> home[k] = k + 1; holder[k + 1] = k; alive[k] = 1; k++ :: else -> break od;
    holder[REG] = 0; held[0] = 1;
    if :: own = 1 :: own = REG fi;
    k = 0; do :: k < NT -> run Thread(k); k++ :: else -> break od } }
