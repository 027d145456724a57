/* test_response_framing.c - where a response begins and ends, read strictly. */

#include "http/response_framing.h"

#include <criterion/criterion.h>
#include <string.h>

/* -- status lines ----------------------------------------------------------- */

static int
status_of(const char *line, char *reason)
{
    struct failure err = { 0 };
    struct status_line s;

    if (response_framing_read_status(&s, line, strlen(line), &err) != 0) {
        cr_assert_eq(err.error, ERROR_PROTOCOL_ERROR, "%s", line);
        return -1;
    }
    memcpy(reason, s.reason, s.reason_size);
    reason[s.reason_size] = '\0';
    return s.status;
}

Test(response_framing, status_lines_are_read)
{
    static const struct {
        const char *line;
        int status;
        const char *reason;
    } rows[] = {
        { "HTTP/1.1 200 OK", 200, "OK" },
        { "HTTP/1.0 404 Not Found", 404, "Not Found" },
        { "HTTP/2 204 ", 204, "" },
        { "HTTP/3 200", 200, "" },
        { "HTTP/1.1 100 Continue", 100, "Continue" },
        { "HTTP/1.1 999 Odd", 999, "Odd" },
        { "HTTP/1.1  200 OK", 200, "OK" },
        { "HTTP/1.1 200  two", 200, " two" },
    };
    char reason[64];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_assert_eq(status_of(rows[i].line, reason), rows[i].status, "%s", rows[i].line);
        cr_assert_str_eq(reason, rows[i].reason);
    }
}

Test(response_framing, other_first_lines_are_refused)
{
    static const char *const lines[] = {
        "",
        "HTTP/1.1",
        "HTTP/1.1 ",
        "HTTP/1.1 20",
        "HTTP/1.1 099 Odd",
        "HTTP/1.1 000 Odd",
        "HTTP/1.1 0 Odd",
        "HTTP/1.1 1000 Odd",
        "HTTP/1.1 2OO OK",
        "HTTP/1.1 abc Odd",
        "HTTP/1.1 -20 Odd",
        "http/1.1 200 OK",
        "HTTP/1.2 200 OK",
        "HTTP/0.9 200 OK",
        "HTTP/1.1\t200 OK",
        "ICY 200 OK",
        "Content-Length: 2",
    };
    char reason[64];

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        cr_assert_eq(status_of(lines[i], reason), -1, "%s", lines[i]);
}

/* -- fields ----------------------------------------------------------------- */

static struct response_framing framing;
static struct failure err;

static int
add(const char *name, const char *value)
{
    return response_framing_add(&framing, name, strlen(name), value, strlen(value), &err);
}

static void
begin(void)
{
    response_framing_init(&framing);
    err = (struct failure){ 0 };
}

Test(response_framing, a_length_is_a_decimal_number, .init = begin)
{
    cr_assert_eq(response_framing_known_length(&framing), RESPONSE_FRAMING_NO_LENGTH);
    cr_assert_eq(add("X-Other", "Content-Length: x"), 0);
    cr_assert_eq(add("content-LENGTH", "9223372036854775807"), 0);
    cr_assert_eq(response_framing_known_length(&framing), INT64_MAX);
}

Test(response_framing, equal_lengths_are_one, .init = begin)
{
    cr_assert_eq(add("Content-Length", "11, 11 ,,0011"), 0);
    cr_assert_eq(add("Content-Length", "11"), 0);
    cr_assert_eq(response_framing_known_length(&framing), 11);
}

Test(response_framing, other_lengths_are_refused_by_name)
{
    static const char *const values[] = {
        "",
        ",",
        "x",
        "0xb",
        "+11",
        "-1",
        "11 bytes",
        "1 1",
        "1.0",
        "11, 5",
        "9223372036854775808",
        "18446744073709551621",
        "99999999999999999999999999",
    };

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        begin();
        cr_assert_eq(add("Content-Length", values[i]), -1, "%s", values[i]);
        cr_assert_eq(err.error, ERROR_PROTOCOL_ERROR);
        cr_assert_not_null(strstr(err.detail, "Content-Length"), "%s", err.detail);
    }
    begin();
    cr_assert_eq(add("Content-Length", "11"), 0);
    cr_assert_eq(add("Content-Length", "5"), -1);
}

Test(response_framing, chunks_beside_a_length_or_by_http_1_0_are_doubtful, .init = begin)
{
    cr_assert_not(response_framing_is_doubtful(&framing));
    cr_assert_eq(add("Transfer-Encoding", "chunked"), 0);
    cr_assert_not(response_framing_is_doubtful(&framing));
    framing.http_1_0 = true;
    cr_assert(response_framing_is_doubtful(&framing));
    framing.http_1_0 = false;
    cr_assert_eq(add("Content-Length", "0"), 0);
    cr_assert(response_framing_is_doubtful(&framing));
    framing.chunked = false;
    cr_assert_not(response_framing_is_doubtful(&framing));
}

Test(response_framing, chunked_alone_is_a_transfer_coding)
{
    static const char *const others[] = {
        "",         "identity", "gzip, chunked", "chunked, gzip", "chunked, chunked",
        "xchunked", "chunke",   "chunked;q=1",
    };

    begin();
    cr_assert_eq(add("Content-Length", "3"), 0);
    cr_assert_eq(add("transfer-encoding", "Chunked ,"), 0);
    cr_assert(framing.chunked);
    cr_assert_eq(response_framing_known_length(&framing), RESPONSE_FRAMING_NO_LENGTH);
    cr_assert_eq(add("Transfer-Encoding", "chunked"), -1);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        begin();
        cr_assert_eq(add("Transfer-Encoding", others[i]), -1, "%s", others[i]);
        cr_assert_not_null(strstr(err.detail, "Transfer-Encoding"), "%s", err.detail);
    }
}

Test(response_framing, a_blank_beside_a_name_of_the_framing_is_refused)
{
    static const char *const names[] = { "Transfer-Encoding ", "Transfer-Encoding\t",
                                         " Transfer-Encoding", "Content-Length " };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        begin();
        cr_assert_eq(add(names[i], "chunked"), -1, "%s", names[i]);
        cr_assert_eq(err.error, ERROR_PROTOCOL_ERROR);
    }
    begin();
    cr_assert_eq(add("X-Odd ", "x"), 0);
    cr_assert_eq(add("", "x"), 0);
}

Test(response_framing, fields_of_the_framing_are_known)
{
    cr_assert(response_framing_is_field("content-length"));
    cr_assert(response_framing_is_field("Transfer-Encoding"));
    cr_assert_not(response_framing_is_field("Content-Type"));
}
