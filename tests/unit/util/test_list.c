/* test_list.c - a ring of links embedded in the objects it holds. */

#include "util/list.h"

#include <criterion/criterion.h>

struct thing {
    int number;
    struct link place;
};

static struct link list;
static struct thing things[3];

static void
setup(void)
{
    list_init(&list);
    for (int i = 0; i < 3; i++) {
        things[i].number = i;
        list_init(&things[i].place);
    }
}

TestSuite(list, .init = setup);

static int
number_of(struct link *l)
{
    return container_of(l, struct thing, place)->number;
}

static void
append_all(void)
{
    for (int i = 0; i < 3; i++)
        list_append(&list, &things[i].place);
}

Test(list, is_empty_when_new)
{
    cr_assert(list_empty(&list));
    cr_assert_null(list_first(&list));
    cr_assert_null(list_last(&list));
    cr_assert_null(list_take(&list));
}

Test(list, gives_back_in_the_order_of_appending)
{
    append_all();

    cr_assert_eq(number_of(list_first(&list)), 0);
    cr_assert_eq(number_of(list_last(&list)), 2);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(number_of(list_take(&list)), i);
    cr_assert(list_empty(&list));
}

Test(list, loses_a_link_from_its_middle)
{
    append_all();
    list_remove(&things[1].place);

    cr_assert_eq(number_of(list_take(&list)), 0);
    cr_assert_eq(number_of(list_take(&list)), 2);
    cr_assert_null(list_take(&list));
}

Test(list, a_link_in_no_list_may_be_removed)
{
    append_all();
    list_remove(&things[1].place);
    list_remove(&things[1].place);

    cr_assert(list_empty(&things[1].place));
    cr_assert_eq(number_of(list_first(&list)), 0);
    cr_assert_eq(number_of(list_last(&list)), 2);
}

Test(list, a_link_that_was_taken_can_be_appended_again)
{
    append_all();
    list_append(&list, list_take(&list));

    cr_assert_eq(number_of(list_take(&list)), 1);
    cr_assert_eq(number_of(list_take(&list)), 2);
    cr_assert_eq(number_of(list_take(&list)), 0);
}

Test(list, its_only_member_is_first_and_last)
{
    list_append(&list, &things[0].place);

    cr_assert_eq(list_first(&list), list_last(&list));
    list_remove(&things[0].place);
    cr_assert(list_empty(&list));
}
