/* SPDX-License-Identifier: MIT */
/* Cycles that span threads: arm, trace, decide, confirm, commit (cycles.md; its flag S is called W here).
 * Two threads, N objects with S slots, L locals each; moves, copies, drops, allocation and
 * hand-over are operations. Oracle: ghost reachability. The suspect set is ANY set of objects:
 * the protocol may not depend on how good the first, unguarded capture was.
 *   ASSERTS  a member of a committed set is unreachable and still alive (freed once);
 *            after both threads dropped everything, one round over all objects frees all.
 * Counts: loc is written by the owner alone; the foreign word (shr,T,W) changes as one unit.
 * Release at zero is a dead set of one here, so that no step hides a collection.
 */
#ifndef N
#define N 2
#endif
#ifndef S
#define S 2
#endif
#define L 2
#ifndef K
#define K 4                      /* mutator operations per thread */
#endif
#define NIL 7
#ifdef LOCAL                     /* one owner collects its own objects in steps; thread 1 is foreign */
#define own(n) 0
#else
#define own(n) ((n)&1)           /* object 0,2: thread 0;  object 1: thread 1 */
#endif
#ifdef UNINT                     /* the owner does nothing else from trace to commit */
#define mayop(me) (me==1)
#else
#define mayop(me) true
#endif
#ifndef WIDE                     /* object 0 has one slot, the others S; -DWIDE: all have S */
#define hasslot(x) ((x)!=1)
#else
#define hasslot(x) true
#endif

byte slot[N*S]; byte lv[2*L];
short loc[N]; short shr[N]; bit T[N]; bit W[N]; bit armed[N]; bit live[N];
short rloc[N]; short rshr[N]; byte rs[N*S];      /* the records that owners publish */
bit inD[N]; byte todo[2]; byte phase; bit bad; bit pl;
bit traced[N]; bit conf[N]; byte k[2]; bit reach[N]; byte E;
/* phase: 0 closed, 1 arm and trace, 2 confirm */

#ifdef F_NOARM                   /* fault: the owner's count operations are not trapped */
#define touch(v) skip
#else
#define touch(v) armed[v]=0
#endif
#ifdef F_NOT                     /* fault: foreign count operations leave no sticky bit */
#define markT(v) skip
#else
#define markT(v) T[v]=1
#endif
#ifdef PLAININC                  /* departure: a foreign incref is an addition, it leaves T alone */
#define markInc(v) skip
#else
#define markInc(v) markT(v)
#endif
#if defined(F_NOSLOT) || defined(F_RETRACE)  /* fault: owner's slot stores and moves bypass the barrier */
#define touchS(v) skip
#else
#define touchS(v) armed[v]=0
#endif

inline incr(me,v) { if :: own(v)==me -> loc[v]++; touch(v)
                       :: else -> shr[v] = shr[v]+1; markInc(v) fi }
inline decr(me,v) { if :: own(v)==me -> loc[v]--; touch(v)
                       :: else -> shr[v] = shr[v]-1; markT(v) fi }

/* a store into slot i of container c, by me; foreign stores announce themselves first */
#ifdef F_NOFSLOT                 /* fault: foreign slot stores bypass the barrier */
#define fore(c) skip
#define aft(c) skip
#else
#ifdef F_NOW                     /* fault: a mark before the store, nothing while it is under way */
#define fore(c) T[c]=1
#define aft(c) skip
#else
#define fore(c) T[c]=1; W[c]=1
#define aft(c) W[c]=0
#endif
#endif

/* choose a container that me can reach by borrowing: held, or one step from held */
inline pickc(me,c) { if :: lv[me*L]!=NIL -> c=lv[me*L] :: lv[me*L+1]!=NIL -> c=lv[me*L+1]
                        :: else -> c=NIL fi;
  if :: skip :: c!=NIL && slot[c*S]!=NIL -> c=slot[c*S]
#if S>1
     :: c!=NIL && slot[c*S+1]!=NIL -> c=slot[c*S+1]
#endif
  fi }
inline picki(i) { 
#if S>1
  if :: i=0 :: c!=NIL && hasslot(c*S+1) -> i=1 fi
#else
  i=0
#endif
}
inline pickl(l) { if :: l=0 :: l=1 fi }

inline computereach() {
  reach[0]=0; reach[1]=0; 
#if N>2
  reach[2]=0;
#endif
  x=0; do :: x<2*L -> if :: lv[x]!=NIL -> reach[lv[x]]=1 :: else fi; x++ :: else -> break od;
  y=0; do :: y<N-1 -> x=0;                      /* N-1 sweeps reach a fixed point */
    do :: x<N*S -> if :: reach[x/S] && slot[x]!=NIL -> reach[slot[x]]=1 :: else fi; x++
       :: else -> break od; y++
  :: else -> break od }

/* all captured counts explained by captured edges inside the set? */
inline decide() { 
  x=0; do :: x<N -> if :: inD[x] -> E=0; y=0;
      do :: y<N*S -> if :: inD[y/S] && rs[y]==x -> E++ :: else fi; y++ :: else -> break od;
      if :: rloc[x]+rshr[x]!=E -> bad=1 :: else fi
    :: else fi; x++ :: else -> break od }

inline commit() {
  computereach();
  x=0; do :: x<N -> if :: inD[x] -> assert(live[x]); assert(!reach[x]) :: else fi; x++
          :: else -> break od;
  x=0; do :: x<N -> if :: inD[x] -> y=x*S;
      do :: y<x*S+S -> if :: slot[y]!=NIL ->
             if :: !inD[slot[y]] -> if :: own(slot[y])==own(x) -> loc[slot[y]]--; armed[slot[y]]=0
                                      :: else -> shr[slot[y]]=shr[slot[y]]-1; T[slot[y]]=1 fi
                :: else fi; slot[y]=NIL :: else fi; y++ :: else -> break od;
      live[x]=0; loc[x]=0; shr[x]=0; T[x]=0
    :: else fi; x++ :: else -> break od }

inline closeround() { x=0; do :: x<N -> inD[x]=0; armed[x]=0; traced[x]=0; conf[x]=0; rloc[x]=0;
      rshr[x]=0; x++ :: else -> break od;
  x=0; do :: x<N*S -> rs[x]=NIL; x++ :: else -> break od; phase=0; bad=0; x=0; y=0; E=0;
  todo[0]=0; todo[1]=0 }

proctype Thr(byte me) {
  byte c, i, l, v, x, y, n; c=NIL; v=NIL;
  do
  :: atomic { phase!=0 && phase!=3 && mayop(me) && k[me]<K && !pl -> k[me]++; pl=1; pickc(me,c); picki(i); pickl(l);
       if
       /* move slot to local */
       :: c!=NIL && slot[c*S+i]!=NIL && lv[me*L+l]==NIL -> goto TAKE
       /* move local to slot */
       :: c!=NIL && slot[c*S+i]==NIL && lv[me*L+l]!=NIL -> goto PUT
       /* copy slot to local: borrow, then count */
       :: c!=NIL && slot[c*S+i]!=NIL && lv[me*L+l]==NIL -> v=slot[c*S+i]; goto COPY
       /* copy local to slot */
       :: c!=NIL && slot[c*S+i]==NIL && lv[me*L+l]!=NIL -> v=lv[me*L+l]; goto STORE
       /* drop */
       :: lv[me*L+l]!=NIL -> v=lv[me*L+l]; lv[me*L+l]=NIL; goto DROP
       /* hand over: a move to the other thread */
       :: lv[me*L+l]!=NIL && lv[(1-me)*L]==NIL -> lv[(1-me)*L]=lv[me*L+l]; lv[me*L+l]=NIL
       :: lv[me*L+l]!=NIL && lv[(1-me)*L+1]==NIL -> lv[(1-me)*L+1]=lv[me*L+l]; lv[me*L+l]=NIL
       /* allocate */
       :: lv[me*L+l]==NIL && own(N-1)==me && !live[N-1] -> live[N-1]=1; loc[N-1]=1; lv[me*L+l]=N-1
       :: else -> skip
       fi; goto ENDOP }
TAKE: if :: atomic { own(c)==me -> touchS(c); lv[me*L+l]=slot[c*S+i]; slot[c*S+i]=NIL }
      :: else -> atomic { fore(c) } atomic { lv[me*L+l]=slot[c*S+i]; slot[c*S+i]=NIL }
         atomic { aft(c) } fi; goto ENDOP;
PUT:  if :: atomic { own(c)==me -> touchS(c); slot[c*S+i]=lv[me*L+l]; lv[me*L+l]=NIL }
      :: else -> atomic { fore(c) } atomic { slot[c*S+i]=lv[me*L+l]; lv[me*L+l]=NIL }
         atomic { aft(c) } fi; goto ENDOP;
COPY: atomic { incr(me,v); lv[me*L+l]=v; goto ENDOP }
STORE:atomic { incr(me,v) }
      if :: atomic { own(c)==me -> touchS(c); slot[c*S+i]=v }
      :: else -> atomic { fore(c) } atomic { slot[c*S+i]=v } atomic { aft(c) } fi; goto ENDOP;
DROP: atomic { decr(me,v) }
ENDOP:atomic { pl=0; c=NIL; v=NIL; i=0; l=0 }

  /* owner's quiescent point: arm and trace one member */
  :: atomic { phase==1 && todo[me]>0 ->
       if :: inD[0] && own(0)==me && !traced[0] -> n=0
          :: inD[1] && own(1)==me && !traced[1] -> n=1
#if N>2
          :: inD[2] && own(2)==me && !traced[2] -> n=2
#endif
       fi;
#ifndef F_NOW
       if :: W[n] -> bad=1 :: else fi;
#endif
       T[n]=0; armed[n]=1; rloc[n]=loc[n]; rshr[n]=shr[n] }
     atomic { rs[n*S]=slot[n*S] }
#if S>1
     atomic { rs[n*S+1]=slot[n*S+1] }
#endif
     atomic { traced[n]=1; todo[me]--; n=0;
       if :: todo[0]+todo[1]==0 -> d_step { decide();
#ifdef F_NOCONFIRM
            if :: !bad -> commit() :: else fi; closeround()
#else
            if :: bad -> closeround() :: else -> phase=2; x=0;
               do :: x<N -> if :: inD[x] -> todo[own(x)]++ :: else fi; x++ :: else -> break od;
               x=0; y=0; E=0 fi
#endif
          } :: else fi }
  /* owner's later quiescent point: confirm one member */
  :: atomic { phase==2 && todo[me]>0 ->
       if :: inD[0] && own(0)==me && !conf[0] -> n=0
          :: inD[1] && own(1)==me && !conf[1] -> n=1
#if N>2
          :: inD[2] && own(2)==me && !conf[2] -> n=2
#endif
       fi;
#ifdef F_COUNTS                  /* fault: counts alone are validated */
       if :: loc[n]!=rloc[n] || shr[n]!=rshr[n] -> bad=1 :: else fi;
#else
#ifdef F_RETRACE                 /* fault: each owner re-traces, no barrier on its own moves */
       if :: !armed[n] || loc[n]!=rloc[n] || shr[n]!=rshr[n] || T[n] || W[n] || slot[n*S]!=rs[n*S] || slot[n*S+S-1]!=rs[n*S+S-1] -> bad=1 :: else fi;
#else
       if :: !armed[n] || loc[n]!=rloc[n] || shr[n]!=rshr[n] || T[n] || W[n] -> bad=1
          :: else fi;
#endif
#endif
       conf[n]=1; todo[me]--; n=0;
       if :: todo[0]+todo[1]==0 -> d_step { if :: !bad -> commit();
#ifdef VACUITY                   /* not a fault: shows that rounds do commit after mutation */
          assert(k[0]+k[1]<3)
#endif
          :: else fi; closeround() }
          :: else fi }
  /* round closed: both threads drop all they hold; one round over everything frees everything */
  :: atomic { me==0 && phase==0 && !pl -> n=0;
       do :: n<2*L -> if :: lv[n]!=NIL -> v=lv[n]; lv[n]=NIL; decr((n/L),v) :: else fi; n++
          :: else -> break od;
       d_step { x=0; do :: x<N -> if :: live[x] -> inD[x]=1; rloc[x]=loc[x]; rshr[x]=shr[x]
                         :: else fi; x++ :: else -> break od;
         x=0; do :: x<N*S -> if :: live[x/S] -> rs[x]=slot[x] :: else fi; x++ :: else -> break od;
         decide(); assert(!bad); commit(); phase=3 } }
  :: phase==3 -> break
  od
}

init { byte x, t; 
  d_step { x=0; do :: x<N*S -> slot[x]=NIL; rs[x]=NIL; x++ :: else -> break od;
    x=0; do :: x<2*L -> lv[x]=NIL; x++ :: else -> break od; x=0 }
  atomic {
#ifdef SHAPE                     /* a ring 0 -> 1 -> 0 whose object 0 thread 0 holds */
  live[0]=1; live[1]=1; slot[0]=1; slot[S]=0; lv[0]=0; loc[0]=1;
  if :: own(0)==own(1) -> loc[0]++; loc[1]++ :: else -> shr[0]++; shr[1]++ fi;
#else
#if N==2
  /* every heap in which each reference may be absent or point anywhere, object 0 alive;
     a reference counts locally if its holder belongs to the owner */
  live[0]=1; live[1]=1;
  x=0; do :: x<N*S && hasslot(x) ->
            if :: skip
               :: slot[x]=0; if :: own(x/S)==own(0) -> loc[0]++ :: else -> shr[0]++ fi
               :: slot[x]=1; if :: own(x/S)==own(1) -> loc[1]++ :: else -> shr[1]++ fi fi; x++
          :: x<N*S && !hasslot(x) -> x++
          :: x==N*S -> break od;
  x=0; do :: x<2*L ->                            /* at most one reference held by each thread */
            if :: skip
               :: lv[x]=0; if :: x/L==own(0) -> loc[0]++ :: else -> shr[0]++ fi
               :: lv[x]=1; if :: x/L==own(1) -> loc[1]++ :: else -> shr[1]++ fi fi; x=x+L
          :: else -> break od;
#else
  /* a ring 0 -> 1 -> 2 -> 0, thread 0 holds 0, thread 1 may hold 1 or 2 */
  live[0]=1; live[1]=1; live[2]=1;
  slot[0]=1; shr[1]=1; slot[S]=2; shr[2]=1; slot[2*S]=0; loc[0]=2; lv[0]=0;
  if :: skip :: lv[L]=1; loc[1]++ :: lv[L]=2; shr[2]++ fi;
#endif
#endif
  x=0; t=0;                                     /* open a round over any set of objects */
  do :: x<N -> if :: live[x] -> inD[x]=1; todo[own(x)]++ :: !live[x] -> skip
#ifndef ALL
                  :: skip
#endif
                  fi; x++ :: else -> break od; x=0;
  if :: todo[0]+todo[1]>0 -> phase=1 :: else fi;
  run Thr(0); run Thr(1) } }
