/* test_libcurl_choice.c - which file the process has its libcurl from. */

#include "libcurl/libcurl_choice.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static char *const program[] = { "unit", NULL };

static void
refuses(const char *path, const char *words)
{
    struct failure err = { 0 };

    cr_assert_eq(libcurl_choice_apply(path, (char **)program, &err), -1);
    cr_assert_not_null(strstr(err.detail, words), "%s", err.detail);
}

Test(libcurl_choice, the_systems_libcurl_is_one_file)
{
    struct failure err = { 0 };

    cr_assert_eq(libcurl_choice_apply(NULL, (char **)program, &err), 0, "%s", err.detail);
    cr_assert_not_null(strstr(libcurl_choice_file(), "libcurl"));
}

Test(libcurl_choice, the_variable_that_impersonates_everywhere_is_removed)
{
    struct failure err = { 0 };

    setenv("CURL_IMPERSONATE", "chrome", 1);
    cr_assert_eq(libcurl_choice_apply(NULL, (char **)program, &err), 0);
    cr_assert_null(getenv("CURL_IMPERSONATE"));
}

Test(libcurl_choice, a_path_that_cannot_be_preloaded_is_refused)
{
    refuses("relative.so", "no absolute path");
    refuses("/a b.so", "colons, spaces and $");
    refuses("/a:b.so", "colons, spaces and $");
    refuses("/nowhere/libcurl.so", "No such file or directory");
}

Test(libcurl_choice, a_plain_libcurl_is_none_that_impersonates)
{
    refuses(libcurl_choice_file(), "has no curl_easy_impersonate()");
}

static void *
read_other_words(void *arg)
{
    char text[] = "x,y";

    (void)arg;
    cr_assert_str_eq(libcurl_choice_strtok(text, ","), "x");
    return NULL;
}

Test(libcurl_choice, each_thread_has_its_place_in_strtok)
{
    char text[] = "a,b";
    pthread_t other;

    cr_assert_str_eq(libcurl_choice_strtok(text, ","), "a");
    cr_assert_eq(pthread_create(&other, NULL, read_other_words, NULL), 0);
    pthread_join(other, NULL);
    cr_assert_str_eq(libcurl_choice_strtok(NULL, ","), "b");
    cr_assert_null(libcurl_choice_strtok(NULL, ","));
}
