/* test_request_fingerprint.c - JSON to a request: the keys of `fingerprint`. */

#include "message/request_fingerprint.h"

#include "support/request_fixture.h"

#define FACE(value)  "{" URL ",\"fingerprint\":" value "}"
#define EXTRA(value) FACE("{\"extra\":{" value "}}")

TestSuite(request_fingerprint, .init = setup, .fini = teardown);

Test(request_fingerprint, details_that_any_libcurl_has_are_taken)
{
    takes(EXTRA("\"http2_stream_weight\":42,\"tls_min_version\":\"1.3\""));
    cr_assert_eq(r.extra->http2_stream_weight, 42);
    cr_assert_eq(r.extra->tls_min_version, EXTRA_TLS_1_3);
    cr_assert(request_has_fingerprint(&r) && request_is_disguised(&r));
    cr_assert_neq(r.set & SET_EXTRA, 0);
}

Test(request_fingerprint, an_empty_one_is_none)
{
    takes(FACE("{}"));
    cr_assert_not(request_is_disguised(&r));
}

Test(request_fingerprint, details_that_are_none_hide_nothing)
{
    takes(EXTRA(""));
    cr_assert_not(request_has_fingerprint(&r));
}

Test(request_fingerprint, what_libcurl_lacks_is_unsupported_by_name)
{
    lacks(FACE("{\"ja3\":\"771,4865,0,29,0\"}"),
          "fingerprint.ja3: this libcurl has no option TLS_EXTENSION_ORDER. Install curl_cffi, and "
          "set CURLEW_LIBCURL to the path of its _wrapper.abi3.so");
    lacks(EXTRA("\"tls_grease\":true"),
          "fingerprint.extra.tls_grease: this libcurl has no option TLS_GREASE. Install curl_cffi, "
          "and set CURLEW_LIBCURL to the path of its _wrapper.abi3.so");
}

Test(request_fingerprint, a_bad_value_is_refused_by_name)
{
    refuses(FACE("[]"), "fingerprint: expected an object");
    refuses(FACE("{\"ja4\":\"\"}"), "unknown key \"fingerprint.ja4\"");
    refuses(FACE("{\"ja3\":null}"), "fingerprint.ja3: expected a string");
    refuses(FACE("{\"ja3\":\"771,1,0,29,0\"}"), "fingerprint.ja3: cipher 1 is not known");
    refuses(FACE("{\"akamai\":\"7:1|0|0|masp\"}"), "fingerprint.akamai: setting 7 is not known");
    refuses(FACE("{\"perk\":\"x\"}"),
            "fingerprint.perk: expected settings|pseudo headers|transport parameters");
    refuses(FACE("{\"extra\":1}"), "fingerprint.extra: expected an object");
    refuses(EXTRA("\"a\":1"), "unknown key \"fingerprint.extra.a\"");
    refuses(EXTRA("\"http2_stream_weight\":0"),
            "fingerprint.extra.http2_stream_weight: expected an integer from 1 to 256");
    refuses(EXTRA("\"header_order\":\"a\\u0000b\""),
            "fingerprint.extra.header_order: must not contain NUL");
}

Test(request_fingerprint, algorithms_are_a_list)
{
    refuses(EXTRA("\"tls_signature_algorithms\":\"ed25519\""),
            "fingerprint.extra.tls_signature_algorithms: expected a list of 1 to 16 names");
    refuses(EXTRA("\"tls_signature_algorithms\":[]"),
            "fingerprint.extra.tls_signature_algorithms: expected a list of 1 to 16 names");
    refuses(EXTRA("\"tls_signature_algorithms\":[\"ed25519\",1]"),
            "fingerprint.extra.tls_signature_algorithms[1]: expected a string");
    refuses(EXTRA("\"tls_signature_algorithms\":[\"ed25519,ed25519\"]"),
            "fingerprint.extra.tls_signature_algorithms[0]: expected a name");
    refuses(EXTRA("\"tls_signature_algorithms\":[\"md5\"]"),
            "fingerprint.extra.tls_signature_algorithms: \"md5\" is not known");
}

Test(request_fingerprint, details_are_shown_as_they_were_given)
{
    struct extra_fingerprint *e = extra_fingerprint_new();
    json_t *o;
    char *text;

    e->set = UINT32_C(1) << EXTRA_SIGNATURES | UINT32_C(1) << EXTRA_FORM_BOUNDARY |
             UINT32_C(1) << EXTRA_NO_PRIORITY;
    e->tls_signature_algorithms = strdup("ed25519,ecdsa_sha1");
    e->form_boundary = 1;
    o = request_fingerprint_extra_json(e);
    text = json_dumps(o, JSON_COMPACT);
    cr_assert_str_eq(text, "{\"tls_signature_algorithms\":[\"ed25519\",\"ecdsa_sha1\"],"
                           "\"http2_no_priority\":false,\"form_boundary\":\"firefox\"}");
    json_memory_free(text);
    json_decref(o);
    extra_fingerprint_free(e);
}
