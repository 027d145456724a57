/*
 * access_log.h - one log line for each fetch: session, origin, result and times.
 *
 * No secrets: headers, cookies, path and query are not logged.
 */
#ifndef ROUTES_ACCESS_LOG_H
#define ROUTES_ACCESS_LOG_H

#include "fastcgi/exchange.h"

/* A fetch of x has ended: struct exchange_ops' log_fetch. */
void access_log_fetch_done(const struct exchange *x, const struct curlew_fetch *f);

/* A fetch of x has ended, or was refused.  `err` says why; its error is NONE where it succeeded. */
void access_log_write(const struct exchange *x, const struct curlew_fetch *f,
                      const struct failure *err);

#endif
