/*
 * thread_count.h - how many threads of the process have the calling thread's name.
 *
 * A new thread has the name of the thread that made it until it is given another.  So a thread with
 * a name of its own can count those that a library has made for it.
 */
#ifndef UTIL_THREAD_COUNT_H
#define UTIL_THREAD_COUNT_H

/* The calling thread is one of them; -1: /proc does not tell. */
int thread_count_like_this(void);

#endif
