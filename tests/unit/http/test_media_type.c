/* test_media_type.c - what Content-Type and Accept say. */

#include "http/media_type.h"

#include <criterion/criterion.h>

#define FRAMES "application/vnd.curlew.frames"

TestSuite(media_type, .timeout = 30);

Test(media_type, a_content_type_may_have_parameters)
{
    cr_assert(media_type_is(FRAMES, FRAMES));
    cr_assert(media_type_is(" Application/VND.curlew.Frames ; charset=utf-8", FRAMES));
    cr_assert_not(media_type_is(FRAMES "2", FRAMES));
    cr_assert_not(media_type_is("x" FRAMES, FRAMES));
    cr_assert_not(media_type_is(FRAMES ", text/plain", FRAMES));
    cr_assert_not(media_type_is("", FRAMES));
}

Test(media_type, an_accept_names_it_anywhere_in_its_list)
{
    cr_assert(media_type_is_accepted(FRAMES, FRAMES));
    cr_assert(media_type_is_accepted("application/json," FRAMES ";q=0.5", FRAMES));
    cr_assert(media_type_is_accepted("text/plain;q=0 ,\t" FRAMES " ; v=1;q=0.001, */*", FRAMES));
    cr_assert_not(media_type_is_accepted("*/*, application/*", FRAMES));
    cr_assert_not(media_type_is_accepted(FRAMES "2, x" FRAMES, FRAMES));
    cr_assert_not(media_type_is_accepted("", FRAMES));
    cr_assert_not(media_type_is_accepted(" , ,", FRAMES));
}

Test(media_type, a_weight_of_zero_refuses_it)
{
    cr_assert_not(media_type_is_accepted(FRAMES ";q=0", FRAMES));
    cr_assert_not(media_type_is_accepted(FRAMES " ; v=1 ; Q=0.000 , */*", FRAMES));
    cr_assert_not(media_type_is_accepted(FRAMES ";q=0;v=1", FRAMES));
    cr_assert(media_type_is_accepted(FRAMES ";q=0," FRAMES, FRAMES));
    cr_assert(media_type_is_accepted(FRAMES ";q=0.01", FRAMES));
    cr_assert(media_type_is_accepted(FRAMES ";eq=0", FRAMES));
}
