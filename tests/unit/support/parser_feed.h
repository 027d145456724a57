/*
 * parser_feed.h - what the tests of the record parser share: one parser, fed with records.
 */
#ifndef SUPPORT_PARSER_FEED_H
#define SUPPORT_PARSER_FEED_H

#include "fastcgi/record_parser.h"

struct parser_feed {
    struct record_parser parser;
    struct buffer bytes;   /* written and not fed yet */
    struct buffer passed;  /* for libfcgi */
    struct buffer answers; /* for the web server */
};

void parser_feed_open(struct parser_feed *t);
void parser_feed_close(struct parser_feed *t);

/* Feeds what has been written so far, up to the first event; what is left stays in `bytes`. */
enum record_event parser_feed_next(struct parser_feed *t);

/* The next event is this one. */
void parser_feed_expect(struct parser_feed *t, enum record_event wanted);

/* A request has begun, and its parameters are whole. */
void parser_feed_open_request(struct parser_feed *t);

/* Exactly one record was answered. */
void parser_feed_answered(struct parser_feed *t, int type, int id, int status);

#endif
