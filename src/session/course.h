/*
 * course.h - the way of a fetch through a session thread, from its arrival to its end.
 *
 *   begin ─▶ scheduler ─▶ start ─▶ libcurl ─▶ conclude ─┬─▶ finish: done()
 *              ▲                                        │
 *              ├──────────── a redirect ────────────────┤
 *              └──── rest ◀──── another try ────────────┘
 *
 * Of the session thread that has the fetch; only course_set_out() is for whoever posts it.
 */
#ifndef SESSION_COURSE_H
#define SESSION_COURSE_H

#include "session/multi.h"

void course_set_out(struct curlew_fetch *f);
void course_begin(struct multi *m, struct curlew_fetch *f); /* it has come out of the inbox */
void course_conclude(struct multi *m, struct curlew_fetch *f,
                     CURLcode result); /* libcurl is done with it */
void
course_cancel(struct multi *m, struct curlew_fetch *f); /* the caller has left; drops a reference */
void course_cancel_all(struct multi *m);
void course_pump(struct multi *m); /* whoever waits and can start, starts */

/* For those who stop a fetch from the side. */
void course_arm(struct multi *m, struct curlew_fetch *f); /* its timer anew, as its time-outs say */
void course_fail(struct multi *m, struct curlew_fetch *f); /* of f->failure, wherever it stands */

#endif
