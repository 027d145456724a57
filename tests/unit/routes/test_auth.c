/* test_auth.c - bearer tokens, and the sessions each may use. */

#include "routes/auth.h"

#include "support/runner.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ONE   "one-0123456789ab"
#define TWO   "two-0123456789abcdef"
#define THREE "three-456789abcdef"

static struct auth a;
static struct failure err;
static char path[] = "/tmp/curlew-tokens-XXXXXX";

static void
setup(void)
{
    int fd = mkstemp(path);

    cr_assert_geq(fd, 0);
    close(fd);
    auth_init(&a);
}

static void
teardown(void)
{
    auth_destroy(&a);
    unlink(path);
    runner_check_leaks();
}

TestSuite(auth, .init = setup, .fini = teardown, .timeout = 30);

static void
write_file(const char *text, size_t n)
{
    FILE *f = fopen(path, "w");

    cr_assert_eq(fwrite(text, 1, n, f), n);
    fclose(f);
}

static void
loads(const char *text)
{
    write_file(text, strlen(text));
    err = (struct failure){ 0 };
    cr_assert_eq(auth_load(&a, path, &err), 0, "%s", err.detail);
}

static void
does_not_load(const char *text, const char *detail)
{
    write_file(text, strlen(text));
    err = (struct failure){ 0 };
    cr_assert_eq(auth_load(&a, path, &err), -1, "%s", text);
    cr_assert_not_null(strstr(err.detail, path), "%s", err.detail);
    cr_assert_not_null(strstr(err.detail, detail), "%s", err.detail);
}

static enum error
check(const char *authorization, const char *session)
{
    err = (struct failure){ 0 };
    cr_assert_eq(auth_check(&a, authorization, session, &err) == 0, err.error == ERROR_NONE);
    return err.error;
}

/* -- the check ----------------------------------------------------------- */

Test(auth, without_a_file_nobody_is_asked)
{
    cr_assert_eq(check(NULL, NULL), ERROR_NONE);
    cr_assert_eq(check("anything", "any"), ERROR_NONE);
}

Test(auth, a_token_of_the_file_is_known)
{
    loads(ONE "\n" TWO "\n");
    cr_assert_eq(check("Bearer " ONE, NULL), ERROR_NONE);
    cr_assert_eq(check("bearer " TWO, NULL), ERROR_NONE);
    cr_assert_eq(check("BEARER    " TWO, NULL), ERROR_NONE);
}

Test(auth, everything_else_is_not)
{
    static const char *const others[] = {
        NULL,
        "",
        "Bearer",
        "Bearer ",
        ONE,
        "Basic " ONE,
        "Bearer" ONE,
        "Bearer x" ONE,
        "Bearer " ONE "x",
        "Bearer " ONE ONE,
        "Bearer " ONE " ",
        "Bearer " ONE "\t",
        " Bearer " ONE,
        "Bearer one-0123456789a",
        "Bearer ONE-0123456789ab",
        "Bearer " ONE "," TWO,
        "Bearer *",
    };

    loads(ONE "\n" TWO "\n");
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        cr_assert_eq(check(others[i], NULL), ERROR_UNAUTHORIZED, "%s", others[i]);
}

Test(auth, a_refusal_does_not_tell_the_tokens)
{
    loads(ONE "\n");
    check("Bearer wrong-0123456789", NULL);
    cr_assert_null(strstr(err.detail, "one-"));
    cr_assert_null(strstr(err.detail, "wrong-"), "nor does it repeat a secret that was mistyped");
}

/* -- sessions ------------------------------------------------------------ */

Test(auth, a_token_with_sessions_may_use_these_alone)
{
    loads(ONE " api shop\n" TWO "\n");
    cr_assert_eq(check("Bearer " ONE, "api"), ERROR_NONE);
    cr_assert_eq(check("Bearer " ONE, "shop"), ERROR_NONE);
    cr_assert_eq(check("Bearer " ONE, "default"), ERROR_UNKNOWN_SESSION);
    cr_assert_eq(check("Bearer " ONE, "ap"), ERROR_UNKNOWN_SESSION);
    cr_assert_eq(check("Bearer " ONE, "API"), ERROR_UNKNOWN_SESSION);
    cr_assert_eq(check("Bearer " ONE, ""), ERROR_UNKNOWN_SESSION);
    cr_assert_eq(check("Bearer " ONE, NULL), ERROR_NONE, "where no session is used");
    cr_assert_eq(check("Bearer " TWO, "anything"), ERROR_NONE);
}

/* -- the file ------------------------------------------------------------ */

Test(auth, blank_lines_comments_and_other_line_ends_are_passed_over)
{
    loads("\n  \n# a comment\n   # another\n\t" ONE "\tapi \t shop  \r\n\r\n" TWO);
    cr_assert_eq(check("Bearer " ONE, "shop"), ERROR_NONE);
    cr_assert_eq(check("Bearer " ONE, "x"), ERROR_UNKNOWN_SESSION);
    cr_assert_eq(check("Bearer " TWO, "x"), ERROR_NONE, "the last line may lack its end");
    cr_assert_eq(a.count, 2);
}

Test(auth, a_token_has_at_least_16_characters)
{
    loads("0123456789abcdef\n");
    does_not_load(ONE "\n\n0123456789abcde\n", "line 3: a token has at least 16 characters");
    cr_assert_null(strstr(err.detail, "0123456789"), "the secret is not repeated");
}

Test(auth, a_token_that_stands_twice_is_refused)
{
    does_not_load(ONE " a\n" TWO "\n" ONE " b\n",
                  "line 3: this token stands on an earlier line, too");
    cr_assert_null(strstr(err.detail, ONE), "the secret is not repeated");
}

Test(auth, a_file_without_a_token_would_lock_everybody_out)
{
    does_not_load("", "no token in it");
    does_not_load("# none yet\n", "no token in it");
}

Test(auth, a_file_that_is_not_there_is_named)
{
    unlink(path);
    err = (struct failure){ 0 };
    cr_assert_eq(auth_load(&a, path, &err), -1);
    cr_assert_not_null(strstr(err.detail, path));
    cr_assert_not_null(strstr(err.detail, "No such file"));
}

Test(auth, a_folder_is_no_file)
{
    err = (struct failure){ 0 };
    cr_assert_eq(auth_load(&a, "/tmp", &err), -1);
}

/* The token would be one for all sessions. */
Test(auth, a_NUL_hides_no_session)
{
    static const char text[] = TWO "\n" ONE "\0 shop\n";

    write_file(text, sizeof text - 1);
    cr_assert_eq(auth_load(&a, path, &err), -1);
    cr_assert_not_null(strstr(err.detail, "line 2: contains a NUL"), "%s", err.detail);
}

Test(auth, a_token_is_printable_ASCII)
{
    static const char *const before[] = { "\xef\xbb\xbf", "\xc2\xa0", "\v", "\x7f" };
    char text[64];

    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++) {
        snprintf(text, sizeof text, "%s" ONE " shop\n", before[i]);
        does_not_load(text, "line 1: a token is printable ASCII");
        cr_assert_null(strstr(err.detail, ONE), "the secret is not repeated");
    }
    does_not_load(ONE "\xc2\xa0shop\n", "line 1: a token is printable ASCII");
    loads("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ shop\n");
    loads("# caf\xc3\xa9\n" ONE "\n");
}

Test(auth, a_long_line_is_read_whole)
{
    char *text = malloc(100002);

    memset(text, 't', 100000);
    strcpy(text + 100000, "\n");
    loads(text);
    text[100000] = '\0';
    cr_assert_eq(a.count, 1);
    cr_assert_str_eq(a.tokens[0].token, text);
    free(text);
}

/* -- again --------------------------------------------------------------- */

Test(auth, a_reload_takes_the_new_tokens_and_forgets_the_old)
{
    loads(ONE "\n" TWO "\n");
    loads(TWO " api\n" THREE "\n");
    cr_assert_eq(check("Bearer " ONE, NULL), ERROR_UNAUTHORIZED);
    cr_assert_eq(check("Bearer " TWO, "x"), ERROR_UNKNOWN_SESSION);
    cr_assert_eq(check("Bearer " THREE, "x"), ERROR_NONE);
}

Test(auth, a_reload_that_fails_keeps_the_old_tokens)
{
    loads(ONE "\n");
    does_not_load(TWO "\nshort\n", "line 2");
    cr_assert_eq(check("Bearer " ONE, NULL), ERROR_NONE);
    cr_assert_eq(check("Bearer " TWO, NULL), ERROR_UNAUTHORIZED);
}

Test(auth, tokens_that_were_read_count_once_they_are_taken)
{
    struct auth next;

    loads(ONE "\n");
    write_file(TWO "\n", strlen(TWO "\n"));
    auth_init(&next);
    cr_assert_eq(auth_load(&next, path, &err), 0);
    cr_assert_eq(auth_check(&a, "Bearer " ONE, NULL, &err), 0);
    auth_take(&a, &next);
    auth_destroy(&next);
    cr_assert_eq(auth_check(&a, "Bearer " TWO, NULL, &err), 0);
    cr_assert_eq(auth_check(&a, "Bearer " ONE, NULL, &err), -1);
}

Test(auth, without_a_file_any_more_nobody_is_asked)
{
    loads(ONE "\n");
    cr_assert_eq(auth_load(&a, NULL, &err), 0);
    cr_assert_eq(check(NULL, NULL), ERROR_NONE);
}

/* -- numbers -------------------------------------------------------------- */

static uint64_t
number_of(const char *authorization)
{
    uint64_t number = 99;

    err = (struct failure){ 0 };
    cr_assert_eq(auth_identify(&a, authorization, &number, &err), 0, "%s", err.detail);
    return number;
}

static enum error
check_number(uint64_t number, const char *session)
{
    err = (struct failure){ 0 };
    cr_assert_eq(auth_check_number(&a, number, session, &err) == 0, err.error == ERROR_NONE);
    return err.error;
}

Test(auth, a_token_is_judged_by_its_number_as_by_itself)
{
    uint64_t one, two;

    loads(ONE " api\n" TWO "\n");
    one = number_of("Bearer " ONE);
    two = number_of("Bearer " TWO);
    cr_assert_neq(one, two);
    cr_assert_eq(check_number(one, "api"), ERROR_NONE);
    cr_assert_eq(check_number(one, "shop"), ERROR_UNKNOWN_SESSION);
    cr_assert_eq(check_number(two, "shop"), ERROR_NONE);
    cr_assert(auth_allows(&a, one, "api"));
    cr_assert_not(auth_allows(&a, one, "shop"));
    cr_assert(auth_allows(&a, two, "shop"));
    cr_assert(auth_limits(&a, one));
    cr_assert_not(auth_limits(&a, two));
}

Test(auth, an_unknown_token_has_no_number)
{
    uint64_t number;

    loads(ONE "\n");
    cr_assert_eq(auth_identify(&a, "Bearer " TWO, &number, &err), -1);
    cr_assert_eq(err.error, ERROR_UNAUTHORIZED);
    cr_assert_eq(auth_identify(&a, NULL, &number, &err), -1);
}

Test(auth, a_number_lasts_as_long_as_its_token_stands_in_the_file)
{
    uint64_t one, two;

    loads(ONE "\n" TWO "\n");
    one = number_of("Bearer " ONE);
    two = number_of("Bearer " TWO);
    loads(THREE "\n" TWO " api\n");
    cr_assert_eq(number_of("Bearer " TWO), two);
    cr_assert_eq(check_number(two, "api"), ERROR_NONE);
    cr_assert_eq(check_number(two, "shop"), ERROR_UNKNOWN_SESSION, "it has been limited meanwhile");
    cr_assert_eq(check_number(one, "api"), ERROR_UNAUTHORIZED);
    cr_assert_not(auth_allows(&a, one, "api"));
    cr_assert(auth_limits(&a, one));
    cr_assert_neq(number_of("Bearer " THREE), one, "no number is used again");
    loads(ONE "\n");
    cr_assert_neq(number_of("Bearer " ONE), one, "nor for the same token, once it was revoked");
}

Test(auth, nobodys_number_counts_only_while_no_token_is_required)
{
    cr_assert_eq(number_of(NULL), AUTH_NOBODY);
    cr_assert_eq(number_of("Bearer anything"), AUTH_NOBODY);
    cr_assert_not(auth_requires_token(&a));
    cr_assert_not(auth_limits(&a, AUTH_NOBODY));
    cr_assert(auth_allows(&a, AUTH_NOBODY, "any"));
    cr_assert_eq(check_number(AUTH_NOBODY, "any"), ERROR_NONE);
    loads(ONE "\n");
    cr_assert(auth_requires_token(&a));
    cr_assert(auth_limits(&a, AUTH_NOBODY));
    cr_assert_not(auth_allows(&a, AUTH_NOBODY, "any"));
    cr_assert_eq(check_number(AUTH_NOBODY, "any"), ERROR_UNAUTHORIZED);
}

static atomic_bool stop;

static void *
check_often(void *arg)
{
    long refused = 0;

    (void)arg;
    while (!stop) {
        struct failure f = { 0 };

        refused += auth_check(&a, "Bearer " ONE, NULL, &f) != 0;
    }
    return (void *)refused;
}

Test(auth, checks_during_reloads_see_the_old_tokens_or_the_new)
{
    pthread_t threads[3];

    loads(ONE "\n");
    for (int i = 0; i < 3; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, check_often, NULL), 0);
    for (int i = 0; i < 300; i++)
        loads(i % 2 ? ONE "\n" : TWO "\n" ONE " a b c\n");
    stop = true;
    for (int i = 0; i < 3; i++) {
        void *refused;

        pthread_join(threads[i], &refused);
        cr_assert_eq((long)refused, 0);
    }
}
