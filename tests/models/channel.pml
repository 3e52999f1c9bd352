/* SPDX-License-Identifier: MIT */
/* channel.pml: who waits in channels, and who wakes them (isolate/wait.c, W1 to W3; channel.c).
 * Two channels, each with room for one.  A sends N into channel 0 and B one into channel 1, waiting for
 * room; U takes from channel 0, V from whichever has something; one of the two may be late and go.
 * With CLOSE a last thread closes both when all was sent.  An atomic step is a hold of an end's lock:
 * seatU, seatV are the lists of the sending ends, room those of the receiving ends.
 * When nobody can do anything any more, nobody sleeps for what can be finished, and nothing is lost or made.
 * Build: spin -a -DFAULT=k -DN=n -DCLOSE=1 channel.pml */
#ifndef FAULT
#define FAULT 0 /* 1 a seat is taken without a second look  2 a wake-up that is not used is kept
                   3 closing wakes one  4 who was woken by another list counts as woken by this one
                   5 the second look and the seat are two holds  6 a receive wakes nobody
                   7 who is late does not try again, nor pass on  8 who goes keeps its other seat */
#endif
#ifndef N
#define N 2
#endif
#ifndef CLOSE
#define CLOSE 0
#endif
#ifndef WITNESS
#define WITNESS 0 /* 1 what is passed on wakes somebody  2 a receiver sleeps  3 two lists wake one
                     4 a sender sleeps  5 closing finds two asleep */
#endif
#define U 0
#define V 1
#define NONE 9
byte why[4];            /* 0: asleep, or about to be; else 1 + the channel that woke it */
byte inside[2]; bool closed = 0;
bool seatU[2], seatV[2], Vfirst[2];    /* who is in the list, and the order of the two */
bool room[2];                          /* the sender is in the list */
byte sent = 0, taken = 0, late = 0, finished = 0;

inline wake(c) {        /* the first in the list that nobody has woken */
  if
  :: seatV[c] && (Vfirst[c] || !seatU[c]) -> seatV[c] = 0;
     if
     :: why[V] == 0 -> why[V] = 1 + c
     :: else ->
#if WITNESS == 3
        assert(0);
#endif
#if FAULT != 4
        if :: seatU[c] -> seatU[c] = 0; why[U] = 1 + c :: else fi
#else
        skip
#endif
     fi
  :: seatU[c] && !(seatV[c] && Vfirst[c]) -> seatU[c] = 0; why[U] = 1 + c
  :: else
  fi }

inline take(c) {        /* 0, or 1: something was taken */
  atomic {
    if
    :: inside[c] > 0 -> inside[c]--; taken++; got = c;
#if FAULT != 6
       if :: room[c] -> room[c] = 0; why[2 + c] = 1 :: else fi
#endif
    :: else
    fi } }

inline pass_on(c) {
#if FAULT == 2
  skip
#else
  atomic {
    if
    :: inside[c] > 0 ->
#if WITNESS == 1
       assert(!seatU[c] && !seatV[c]);
#endif
       wake(c)
    :: else
    fi }
#endif
}

proctype Sender(byte c; byte left) {
  do
  :: left == 0 -> break
  :: else ->
     atomic {
       if
       :: inside[c] < 1 -> inside[c]++; sent++; left--; wake(c); goto next
       :: else
       fi };
     why[2 + c] = 0;
     atomic { if :: inside[c] < 1 -> goto next :: else -> room[c] = 1 fi };
#if WITNESS == 4
     assert(0);
#endif
endasleep:
     why[2 + c] != 0;
     atomic { room[c] = 0 };
next: skip
  od;
  finished++ }

active proctype One() {                /* U */
  byte got; bool mine;
  do
  :: got = NONE; take(0);
     if
     :: got != NONE -> goto next
     :: got == NONE && closed && inside[0] == 0 -> break
     :: else
     fi;
     why[U] = 0;
#if FAULT == 5
     if :: inside[0] > 0 || closed -> goto next :: else fi;
     atomic { seatU[0] = 1; Vfirst[0] = seatV[0] };
#elif FAULT == 1
     atomic { seatU[0] = 1; Vfirst[0] = seatV[0] };
#else
     atomic {
       if
       :: inside[0] > 0 || closed -> goto next
       :: else -> seatU[0] = 1; Vfirst[0] = seatV[0]
       fi };
#endif
#if WITNESS == 2
     assert(0);
#endif
endasleep:
     if
     :: why[U] != 0 -> mine = 0
     :: atomic { late == 0 -> late = 1; mine = 1 }
     fi;
     atomic { seatU[0] = 0 };
     if
     :: !mine -> goto next
     :: mine
     fi;
#if FAULT != 7
     take(0);
     if :: got == NONE && why[U] != 0 -> pass_on(0) :: else fi;
#endif
     break;
next: skip
  od }

inline either() {                      /* whichever is looked at first */
  got = NONE;
  if
  :: true -> take(0); if :: got == NONE -> take(1) :: else fi
  :: true -> take(1); if :: got == NONE -> take(0) :: else fi
  fi }

active proctype Two() {                /* V */
  byte got; bool mine;
  do
  :: either();
     if
     :: got != NONE -> goto next
     :: got == NONE && closed && inside[0] == 0 && inside[1] == 0 -> break
     :: else
     fi;
again:
     why[V] = 0; mine = 0;
     atomic { if :: inside[0] > 0 || closed -> goto leave :: else -> seatV[0] = 1; Vfirst[0] = !seatU[0] fi };
     atomic { if :: inside[1] > 0 || closed -> goto leave :: else -> seatV[1] = 1; Vfirst[1] = 1 fi };
endasleep:
     if
     :: why[V] != 0
     :: atomic { late == 0 -> late = 1; mine = 1 }
     fi;
leave:
#if FAULT != 8
     atomic { seatV[0] = 0 };
     atomic { seatV[1] = 0 };
#endif
     either();
     if
     :: got == NONE && !mine -> if :: closed -> goto next :: else -> goto again fi
     :: why[V] != 0 && got != why[V] - 1 && !(got == NONE && !mine) -> pass_on(why[V] - 1)
     :: else
     fi;
     if :: mine -> break :: else fi;
next: skip
  od;
#if FAULT == 8
  skip
#else
  assert(!seatV[0] && !seatV[1])
#endif
}

active proctype Closer() {
#if CLOSE
endnever:
  finished == 2;
  atomic {
    closed = 1;
#if WITNESS == 5
    assert(!(seatU[0] && seatV[0]));
#endif
#if FAULT == 3
    wake(0)
#else
    if :: seatU[0] && why[U] == 0 -> why[U] = 1 :: else fi;
    if :: (seatV[0] || seatV[1]) && why[V] == 0 -> why[V] = 1 :: else fi;
    seatU[0] = 0; seatV[0] = 0; seatV[1] = 0
#endif
  }
#else
  skip
#endif
}

active proctype Monitor() {
endnever:
  timeout;
  assert(!(inside[0] > 0 && (seatU[0] || seatV[0])) && !(inside[1] > 0 && seatV[1]));
  assert(!(room[0] && inside[0] == 0) && !(room[1] && inside[1] == 0));
  assert(!(closed && (seatU[0] || seatV[0] || seatV[1])));
  assert(sent == taken + inside[0] + inside[1])
}

init { atomic { run Sender(0, N); run Sender(1, 1) } }
