/*
 * leaks.c - `make asan` looks for leaks in the processes of the tests, not in Criterion's own.
 *
 * Criterion runs each test in a process of its own, which finds its orders by BXFI_MAP, and keeps
 * a little memory in the one that starts them all.
 */

#include <stdlib.h>

int __lsan_is_turned_off(void);

int
__lsan_is_turned_off(void)
{
    return getenv("BXFI_MAP") == NULL;
}
