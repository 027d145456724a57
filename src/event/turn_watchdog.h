/*
 * turn_watchdog.h - notices when a thread is away from its event loop for too long.
 *
 * Whatever one turn of the loop handles, everything else on that thread waits for.  For one thread
 * only, but for the counter, which several may share.
 */
#ifndef EVENT_TURN_WATCHDOG_H
#define EVENT_TURN_WATCHDOG_H

#include "util/metrics.h"

#include <stdint.h>

#define TURN_WATCHDOG_SLOW_MS       250
#define TURN_WATCHDOG_QUIET_SECONDS 10 /* from one report to the next */

struct turn_watchdog {
    counter *slow_turns; /* raised by each; NULL: they are not counted */
    int64_t woke_us;     /* on clock_us()'s clock; 0: the thread sleeps */
    int64_t quiet_until_us;
    /* A turn was slow, and no other was reported lately.  NULL: nobody wants to know. */
    void (*report)(struct turn_watchdog *dog, int64_t turn_us);
};

/* The thread goes to work, after its sleep. */
void turn_watchdog_wake(struct turn_watchdog *dog, int64_t now_us);

/* It has done all there was, and is about to sleep. */
void turn_watchdog_sleep(struct turn_watchdog *dog, int64_t now_us);

#endif
