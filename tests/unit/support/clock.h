/*
 * clock.h - a clock that a test can put forward, so that it need not wait.
 *
 * Of the test's process only, and of everything in it that asks clock_gettime().
 */
#ifndef SUPPORT_CLOCK_H
#define SUPPORT_CLOCK_H

void clock_skip(double seconds);

#endif
