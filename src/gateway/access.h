/*
 * access.h - one log line a fetch: who asked for which origin, and what came of it.
 *
 * Secrets stay out: no header, no cookie, no path and no query is logged.
 */
#ifndef GATEWAY_ACCESS_H
#define GATEWAY_ACCESS_H

#include "gateway/call.h"

void access_log(const struct call *c); /* its fetch is back */

#endif
