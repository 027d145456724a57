/*
 * access_log.h - one log line a fetch: who asked for which origin, and what came of it.
 *
 * Secrets stay out: no header, no cookie, no path and no query is logged.
 */
#ifndef ROUTES_ACCESS_LOG_H
#define ROUTES_ACCESS_LOG_H

#include "fastcgi/exchange.h"

/* A fetch of x is back, or was refused; `err` is what it failed of, error NONE where it did not. */
void access_log_write(const struct exchange *x, const struct curlew_fetch *f,
                      const struct failure *err);

#endif
