/* route_status.c - GET …/v1/status and …/status: the state, for programs and for people. */

#include "routes/route_status.h"

#include "message/status.h"

static int
write_status(struct exchange *x, struct buffer *b)
{
    const struct fcgi_server *server = x->server;
    const struct status_gateway facts = {
        .uptime_seconds = (int64_t)(time(NULL) - server->started),
        .draining = server->draining,
        .connections = counter_read(&server->stats.connections),
        .parked = counter_read(&server->stats.parked),
        .requests = counter_read(&server->stats.requests),
        .cancelled = counter_read(&server->stats.cancelled),
    };

    return status_write(b, server->engine, &facts);
}

void
route_status_on_request(struct exchange *x)
{
    struct failure err = { .error = ERROR_INTERNAL, .detail = "out of memory" };

    if (write_status(x, &x->prefix) == 0)
        exchange_respond(x, 200, "application/json");
    else
        exchange_fail(x, &err);
}

/* The page fetches v1/status once a second and shows it as tables. */
static const char page[] =
    "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>curlewd</title>\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<style>body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 "
    "1rem}"
    "table{border-collapse:collapse;margin:.3rem 0 1.2rem;width:100%}"
    "td{border-top:1px solid #8884;padding:.15rem .5rem}td:first-child{width:18rem;color:#777}"
    "h2{font-size:1rem;margin:0}:root{color-scheme:light dark}</style>\n"
    "<h1>curlewd</h1><main>This page needs JavaScript; v1/status has the same as JSON.</main>\n"
    "<script>\n"
    "const main=document.querySelector('main');\n"
    "function rows(t,o,p){for(const[k,v]of Object.entries(o)){\n"
    "if(v&&typeof v==='object'){rows(t,v,p+k+' ');continue}\n"
    "const r=t.insertRow();r.insertCell().textContent=p+k;r.insertCell().textContent=v}}\n"
    "async function show(){try{\n"
    "const s=await(await fetch('v1/status')).json(),top={},els=[];\n"
    "for(const[k,v]of Object.entries(s)){if(typeof v!=='object'){top[k]=v;continue}\n"
    "const h=document.createElement('h2'),t=document.createElement('table');\n"
    "h.textContent=k;rows(t,v,'');els.push(h,t)}\n"
    "const t=document.createElement('table');rows(t,top,'');main.replaceChildren(t,...els)\n"
    "}catch(e){main.textContent='No answer: '+e}}\n"
    "show();setInterval(show,1000)\n</script></html>\n";

void
route_status_on_page(struct exchange *x)
{
    buffer_add(&x->prefix, page, sizeof page - 1);
    exchange_respond(x, 200, "text/html; charset=utf-8");
}
