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

Test(array, one_that_shrinks_keeps_its_items_and_can_grow_again)
{
    int *items = NULL;
    size_t count = 0;

    for (int i = 1; i <= 100; i++)
        *(int *)array_grow((void **)&items, &count, sizeof items[0]) = i;
    while (count > 3) {
        count--;
        array_shrink((void **)&items, count, sizeof items[0]);
    }
    for (int i = 4; i <= 100; i++)
        *(int *)array_grow((void **)&items, &count, sizeof items[0]) = i;
    for (int i = 0; i < 100; i++)
        cr_assert_eq(items[i], i + 1);
    count = 0;
    array_shrink((void **)&items, count, sizeof items[0]);
    cr_assert_null(items);
}
