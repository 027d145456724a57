/*
 * collect.h - gathering a response's head and body as libcurl delivers them, within limits.
 */
#ifndef SESSION_COLLECT_H
#define SESSION_COLLECT_H

#include "fetch/fetch.h"

void collect_attach(struct curlew_fetch *f);      /* set the callbacks on f->easy, and begin anew */
void collect_forget_body(struct curlew_fetch *f); /* what was kept; how much it was stays known */
void collect_forget(struct curlew_fetch *f);      /* what has come of a try that is not the last */

#endif
