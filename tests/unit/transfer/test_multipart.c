/* test_multipart.c - a multipart/form-data body (RFC 7578) for libcurl. */

#include "transfer/multipart.h"

#include "support/echo_origin.h"

#include <criterion/criterion.h>
#include <string.h>

static struct echo_origin t;

static void
setup(void)
{
    echo_origin_open(&t);
}

static void
teardown(void)
{
    echo_origin_close(&t);
}

TestSuite(multipart, .init = setup, .fini = teardown, .timeout = 60);

Test(multipart, a_part_has_its_own_headers)
{
    struct curlew_fetch *f = echo_fetch(&t, "/");
    struct part part = { (char *)"a", (char *)"data", 4, (char *)"f.txt", (char *)"text/x", { 0 } };
    struct failure err = { 0 };

    cr_assert_eq(request_add_part_header(&f->request, &part, "X-One", "1", &err), 0);
    cr_assert_eq(request_add_part_header(&f->request, &part, "X-None", "", &err), 0);
    cr_assert_eq(request_add_part(&f->request, &part, &err), 0);
    headers_destroy(&part.headers);
    echo_succeed(&t, f);
    cr_assert_not_null(strstr(t.body, "Content-Disposition: form-data; name=\"a\"; "
                                      "filename=\"f.txt\"\r\n"),
                       "%s", t.body);
    cr_assert_not_null(strstr(t.body, "\r\nContent-Type: text/x\r\n"), "%s", t.body);
    cr_assert_not_null(strstr(t.body, "\r\nX-One: 1\r\nX-None: \r\n\r\ndata\r\n"), "%s", t.body);
    curlew_fetch_free(f);
}
