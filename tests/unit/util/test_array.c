/* test_array.c - an array that grows item by item. */

#include "util/array.h"

#include <criterion/criterion.h>

Test(array, new_items_are_zeroed_and_old_ones_stay)
{
    int *items = NULL;
    size_t count = 0;

    for (int i = 1; i <= 100; i++) {
        int *item = array_grow((void **)&items, &count, sizeof *item);

        cr_assert_eq(*item, 0);
        *item = i;
    }
    cr_assert_eq(count, 100);
    for (int i = 0; i < 100; i++)
        cr_assert_eq(items[i], i + 1);
    free(items);
}
