/* turn_watchdog.c - notices when a thread is away from its event loop for too long. */

#include "event/turn_watchdog.h"

#include "util/clock.h"

#include <stddef.h>

void
turn_watchdog_wake(struct turn_watchdog *dog, int64_t now_us)
{
    dog->woke_us = now_us;
}

void
turn_watchdog_sleep(struct turn_watchdog *dog, int64_t now_us)
{
    int64_t turn_us = now_us - dog->woke_us;

    if (dog->woke_us == 0 || turn_us <= TURN_WATCHDOG_SLOW_MS * US_PER_MS)
        return;
    dog->woke_us = 0;
    if (dog->slow_turns != NULL)
        counter_add(dog->slow_turns, 1);
    if (dog->report == NULL || now_us < dog->quiet_until_us)
        return;
    dog->quiet_until_us = now_us + (int64_t)TURN_WATCHDOG_QUIET_SECONDS * US_PER_SECOND;
    dog->report(dog, turn_us);
}
