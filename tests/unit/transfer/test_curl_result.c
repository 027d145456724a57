/* test_curl_result.c - what libcurl's result codes mean in the words of the contract. */

#include "transfer/curl_result.h"

#include "support/handle_fixture.h"
#include "support/origin.h"
#include "transfer/hop.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

struct row {
    CURLcode code;
    enum error error;
};

ParameterizedTestParameters(curl_result, has_its_row_in_the_error_table)
{
    static struct row rows[] = {
        { CURLE_URL_MALFORMAT, ERROR_BAD_URL },
        { CURLE_COULDNT_RESOLVE_HOST, ERROR_DNS_FAILED },
        { CURLE_COULDNT_RESOLVE_PROXY, ERROR_PROXY_FAILED },
        { CURLE_PROXY, ERROR_PROXY_FAILED },
        { CURLE_COULDNT_CONNECT, ERROR_CONNECT_FAILED },
        { CURLE_SSL_CONNECT_ERROR, ERROR_TLS_FAILED },
        { CURLE_PEER_FAILED_VERIFICATION, ERROR_TLS_FAILED },
        { CURLE_OPERATION_TIMEDOUT, ERROR_CONNECT_TIMEOUT },
        { CURLE_PARTIAL_FILE, ERROR_INCOMPLETE_BODY },
        { CURLE_SEND_ERROR, ERROR_SEND_FAILED },
        { CURLE_RECV_ERROR, ERROR_RECV_FAILED },
        { CURLE_GOT_NOTHING, ERROR_RECV_FAILED },
        { CURLE_HTTP2, ERROR_PROTOCOL_ERROR },
        { CURLE_HTTP2_STREAM, ERROR_PROTOCOL_ERROR },
        { CURLE_HTTP3, ERROR_PROTOCOL_ERROR },
        { CURLE_WEIRD_SERVER_REPLY, ERROR_PROTOCOL_ERROR },
        { CURLE_BAD_CONTENT_ENCODING, ERROR_PROTOCOL_ERROR },
        { CURLE_OUT_OF_MEMORY, ERROR_INTERNAL },
        { CURLE_NOT_BUILT_IN, ERROR_UNSUPPORTED },
    };

    return cr_make_param_array(struct row, rows, sizeof rows / sizeof rows[0]);
}

ParameterizedTest(struct row *r, curl_result, has_its_row_in_the_error_table)
{
    cr_assert_eq(curl_result_error(r->code), r->error, "CURLcode %d", (int)r->code);
}

static struct handle_fixture t;

/* Its handle has served a hop before. */
static struct response *
result_of_cancelled(bool begun)
{
    static struct test_origin origin;

    handle_fixture_open(&t);
    origin_start(&origin, "127.0.0.1", origin_serve_ok);
    curl_easy_setopt(t.fetch->hop->easy, CURLOPT_URL, origin.url);
    cr_assert_eq(curl_easy_perform(t.fetch->hop->easy), CURLE_OK);
    t.fetch->hop->begun = begun;
    failure_set(&t.fetch->failure, ERROR_CANCELLED, "by the test");
    curl_result_apply(t.fetch, CURLE_ABORTED_BY_CALLBACK);
    return &t.fetch->response;
}

Test(curl_result, a_hop_that_libcurl_did_not_take_up_has_no_figures_of_another)
{
    const struct response *r = result_of_cancelled(false);

    cr_assert_str_eq(r->remote_ip, "");
    cr_assert_eq(r->timing.first_byte, 0);
    handle_fixture_close(&t);
}

Test(curl_result, a_hop_that_was_cancelled_has_its_figures)
{
    const struct response *r = result_of_cancelled(true);

    cr_assert_str_eq(r->remote_ip, "127.0.0.1");
    cr_assert_gt(r->timing.first_byte, 0);
    handle_fixture_close(&t);
}

Test(curl_result, every_failure_of_libcurl_is_a_failure)
{
    for (int code = 1; code < CURL_LAST; code++) {
        enum error e = curl_result_error((CURLcode)code);

        cr_assert_neq(e, ERROR_NONE, "CURLcode %d", code);
        cr_assert_geq(error_status(e), 400, "CURLcode %d", code);
    }
}

/* Whose fault a failure is, is told by the status: the client's own are few. */
Test(curl_result, only_a_bad_URL_is_laid_at_the_clients_door)
{
    for (int code = 1; code < CURL_LAST; code++)
        if (error_status(curl_result_error((CURLcode)code)) < 500)
            cr_assert_eq(code, (int)CURLE_URL_MALFORMAT);
}
