/*
 * collect.h - gathering a response's head and body as libcurl delivers them, within limits.
 */
#ifndef SESSION_COLLECT_H
#define SESSION_COLLECT_H

#include "session/fetch.h"

void collect_attach(struct curlew_fetch *f); /* libcurl's header and write callbacks */

#endif
