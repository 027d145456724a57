/* connection_sweep.c - makes libcurl close the connections that are shut down. */

#include "transfer/connection_sweep.h"

#include "util/clock.h"
#include "util/list.h"

/* Soon, for all that are shut down at once; then after the second that libcurl waits. */
#define FIRST_US   (20 * US_PER_MS)
#define REPEAT_US  (1010 * US_PER_MS)
#define SWEEPS_MAX 10

static curl_socket_t
refuse_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)arg;
    (void)purpose;
    (void)address;
    return CURL_SOCKET_BAD;
}

/* NULL: no memory. */
static CURL *
new_handle(void)
{
    CURL *easy = curl_easy_init();

    /* No kept connection has this peer.  CURLOPT_FRESH_CONNECT would spare the dead ones. */
    if (curl_easy_setopt(easy, CURLOPT_URL, "http://127.0.0.1/") != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_PROXY, "") != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, "/dev/null") != CURLE_OK) {
        curl_easy_cleanup(easy);
        return NULL;
    }
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, refuse_socket);
    return easy;
}

static CURL *
handle_of(struct connection_sweep *s)
{
    if (s->easy == NULL)
        s->easy = new_handle();
    return s->easy;
}

static void
arm(struct connection_sweep *s, int64_t wait_us)
{
    if (s->left > 0 && !s->running && !timer_is_set(&s->timer))
        timer_set(&s->loop->timers, &s->timer, clock_us() + wait_us);
}

static void
on_timer(struct timer *t)
{
    struct connection_sweep *s = container_of(t, struct connection_sweep, timer);

    s->left--;
    s->running = handle_of(s) != NULL && curl_multi_add_handle(s->multi, s->easy) == CURLM_OK;
    arm(s, REPEAT_US); /* where there was no memory */
}

void
connection_sweep_init(struct connection_sweep *s, struct loop *loop, CURLM *multi)
{
    *s = (struct connection_sweep){ .loop = loop, .multi = multi };
    timer_init(&s->timer, on_timer);
}

void
connection_sweep_destroy(struct connection_sweep *s)
{
    timer_clear(&s->loop->timers, &s->timer);
    if (s->running)
        curl_multi_remove_handle(s->multi, s->easy);
    curl_easy_cleanup(s->easy);
}

void
connection_sweep_start(struct connection_sweep *s)
{
    s->left = SWEEPS_MAX;
    arm(s, FIRST_US);
}

bool
connection_sweep_finish(struct connection_sweep *s, CURL *easy, bool left)
{
    if (easy != s->easy)
        return false;
    curl_multi_remove_handle(s->multi, easy);
    s->running = false;
    if (left)
        arm(s, REPEAT_US);
    return true;
}
