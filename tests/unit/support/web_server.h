/*
 * web_server.h - a FastCGI server that runs, and the web server's side of its connections.
 */
#ifndef SUPPORT_WEB_SERVER_H
#define SUPPORT_WEB_SERVER_H

#include "fastcgi/fcgi_server.h"
#include "routes/auth.h"
#include "routes/cross_site.h"
#include "routes/route_context.h"
#include "support/origin.h"

#define WEB_SERVER_LARGE (12 << 20) /* bytes of the origin's /large, "abc…w" over and over */

struct web_server {
    struct test_origin origin; /* /hold waits, /large is large, any other says ok */
    struct curlew *engine;
    struct listener_list listeners;
    struct auth auth;
    struct cross_site cross_site;
    struct route_context routes;
    struct fcgi_server *server; /* two workers; bodies of 1,000 bytes at most, 5,000 together */
    char folder[40], path[64];  /* of its socket */
};

void web_server_start(struct web_server *w);
void web_server_stop(struct web_server *w);

int web_server_dial(const struct web_server *w);

/* All of b, which is freed. */
void web_server_send(int fd, struct buffer *b);

/* A GET without a body. */
void web_server_ask(int fd, const char *target, const char *query, bool keep);

/* GET /v1/fetch for a path of the origin. */
void web_server_ask_fetch(const struct web_server *w, int fd, const char *what, bool keep);

/* STDOUT up to the end record; false: the connection ended before.  The caller frees the text. */
bool web_server_read(int fd, struct buffer *text, int pause_us);

/* The next response holds this text. */
void web_server_expect(int fd, const char *text);

/* The server has closed the connection. */
bool web_server_has_ended(int fd);

/* What comes next is what a drain sends on a kept connection: see record_parser_hint(). */
bool web_server_was_asked_to_leave(int fd);

#endif
