/* SPDX-License-Identifier: MIT */
/* lone.pml: from one thread to two (adr/0015): a capture that reckons with no other thread, and a
 * thread that attaches meanwhile (collect.c, enter_lone, leave_lone; attach.c, wait_for_lone_capture).
 * `many`: a second thread was attached; never cleared.  `lone`: whose capture stores plainly.
 * Stores wait in buffers, one entry a thread and word, and reach memory in any order, but: who stored
 * sees its own, a release store waits for the earlier ones, a full RMW for all.  Loads are in order.
 * A thread attaches with a record, a new one or one that an ended thread left, or, for want of memory,
 * without.  A trace hook may leave a capture by a jump; until that is unwound, the thread may attach in
 * another runtime, and collect there.  Any thread may fork, once.
 * Invariant: no thread touches objects while another captures plainly, or what that has stored is not
 * yet there for all.  And nobody waits for ever.
 * Build: spin -a -DFAULT=k -DNT=n lone.pml */
#ifndef FAULT
#define FAULT 0 /* 1 attach looks, then says so  2 attach says so by a plain store
                   3 enter by a plain store  4 no second look at `many`  5 that look before the word
                   6 attach looks once  7 leave by a plain store
                   8 who got no record does not wait  9 a jump leaves the word as it is
                   10 attach waits for its own thread too  11 a capture beside others empties the word
                   12 the child of a fork leaves the word as it is
                   13 plain stores after a look at `many` alone */
#endif
#ifndef NT
#define NT 2
#endif
#ifndef TURNS
#define TURNS 3 /* of each thread: attachments, captures */
#endif
#ifndef WITNESS
#define WITNESS 0 /* 1 attach finds the word set  2 a capture says so, and sees another thread */
#endif            /* 3 attach passes its own word  4 a plain capture with the record of one that ended */
#define NO 15
bool many = 0; byte lone = 0;                                   /* in memory; lone: t + 1 */
byte bmany[NT] = NO, blone[NT] = NO; bool bstored[NT];          /* in buffers */
bool lk = 0; byte attached = 0, records = 0, spare = 0;         /* the registry */
bool touches[NT], plain[NT], gone[NT], forked = 0;
#if NT > 2
#define OTHERS(p) ((me != 0 && p[0]) || (me != 1 && p[1]) || (me != 2 && p[2]))
#else
#define OTHERS(p) p[1 - me]
#endif
#define MANY (bmany[me] != NO -> bmany[me] : many)
#define LONE (blone[me] != NO -> blone[me] : lone)
#define FLUSHED (bmany[me] == NO && blone[me] == NO && !bstored[me])

proctype Buffer(byte me) {
end:
  do
  :: atomic { bmany[me] != NO -> many = bmany[me]; bmany[me] = NO }
  :: atomic { blone[me] != NO -> lone = blone[me]; blone[me] = NO }
  :: atomic { bstored[me] -> bstored[me] = 0 }
  od }

/* In the child of a fork: nobody else is there, and what they had not stored yet is not either. */
inline vanish_one(u) {
  if :: u != me -> gone[u] = 1; touches[u] = 0; plain[u] = 0;
        bmany[u] = NO; blone[u] = NO; bstored[u] = 0
     :: else fi }
inline vanish() {
  vanish_one(0); vanish_one(1);
#if NT > 2
  vanish_one(2);
#endif
  attached = kept;
  if :: lone != me + 1 && FAULT != 12 -> lone = 0 :: else fi }
inline acquire() { atomic { FLUSHED && !lk -> lk = 1 } }
inline say_many() {
#if FAULT == 2
  bmany[me] = 1
#else
  atomic { FLUSHED -> many = 1 }
#endif
}
inline wait() {                             /* each turn is a look */
  if :: atomic { LONE != 0 && LONE != me + 1 -> assert(WITNESS != 1) }
     :: atomic { LONE == me + 1 -> assert(WITNESS != 3) }
     :: LONE == 0 fi;
#if FAULT != 6
  if :: LONE == 0 || (LONE == me + 1 && FAULT != 10)
     :: timeout -> assert(0)                /* nobody empties it */
  fi
#endif
}
inline tell() {                             /* wait_for_lone_capture */
#if FAULT == 1
  wait(); say_many()
#else
  say_many(); wait()
#endif
}
inline touch() { atomic { touches[me] = 1; assert(!OTHERS(plain) && !OTHERS(bstored)) } }
inline attach() {
  acquire();
  if :: spare > 0 -> atomic { spare--; attached++; kept = 1; reused = 1 }
     :: spare == 0 -> atomic { records++; attached++; kept = 1 }
     :: spare == 0 -> skip                  /* no memory */
  fi;
  look = (kept -> attached > 1 || records > 1 : FAULT != 8);
  lk = 0;
  if :: look -> tell() :: else fi;
  look = 0 }
inline enter() {
#if FAULT == 5
  seen = MANY;
#endif
  look = MANY;
  if :: !look && FAULT != 13 -> said = 1;
#if FAULT == 3
        blone[me] = me + 1
#else
        atomic { FLUSHED -> lone = me + 1 }
#endif
     :: else fi;
#if FAULT == 4 || FAULT == 13
  seen = look;
#elif FAULT != 5
  seen = MANY;
#endif
  atomic {
    assert(WITNESS != 2 || !said || !seen);
    assert(WITNESS != 4 || !reused || seen);
    if :: !seen -> plain[me] = 1; assert(!OTHERS(touches)) :: else fi;
    look = 0 } }
/* After the last store, which is a plain one if no other thread was seen. */
inline leave() {
  if :: !seen -> atomic { bstored[me] = 1; plain[me] = 0 } :: else fi;
  if :: LONE == me + 1 && (said || FAULT == 11) ->
#if FAULT == 7
        blone[me] = 0
#else
        atomic { !bstored[me] -> blone[me] = 0 }
#endif
     :: else fi;
  atomic { seen = 0; said = 0 } }

proctype Thread(byte me) {
  byte turns = 0;
  bool look = 0, seen = 0, said = 0;        /* seen: another thread, by this capture */
  bool kept = 0, reused = 0;                /* a record */
  bool left = 0, lsaid = 0, lseen = 0, elsewhere = 0;     /* a capture was left by a jump */
  {
end:
    do
    :: atomic { turns < TURNS && !kept -> turns++ }; attach(); touch()
    :: atomic { turns < TURNS && kept && (!left || elsewhere) -> turns++ }; enter();
       if :: leave()
          :: !left -> atomic { left = 1; lseen = seen; lsaid = (said && FAULT != 9); seen = 0; said = 0 }
       fi
    :: left -> atomic { seen = lseen; said = lsaid; left = 0; lseen = 0; lsaid = 0 }; leave()
    :: left && !elsewhere -> acquire();
       atomic { elsewhere = 1; if :: spare > 0 -> spare-- :: else -> records++ fi; lk = 0 }; tell()
    :: atomic { kept && !left && !elsewhere -> touches[me] = 0; kept = 0; reused = 0 };
       acquire(); atomic { attached--; spare++; lk = 0 }
    :: atomic { !forked && !lk && FLUSHED -> forked = 1; vanish() }
    :: atomic { !forked -> forked = 1 }     /* nobody does: who waits has nothing else to hope for */
    od
  } unless { gone[me] } }

init { byte k = 0;
  atomic { do :: k < NT -> run Buffer(k); run Thread(k); k++ :: else -> break od } }
