/* main.c - curlewd: options, signals, start bottom-up, stop top-down. */

#include "fastcgi/fcgi_server.h"
#include "fastcgi/libfcgi_codec.h"
#include "message/config_load.h"
#include "message/json.h"
#include "routes/auth.h"
#include "routes/handoff_store.h"
#include "routes/route_context.h"
#include "routes/router.h"
#include "transfer/curl_features.h"
#include "util/log.h"
#include "util/notify.h"

#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

extern char **environ;

struct options {
    const char *config;
    const char *listen;
    bool check;
};

/* -- options ------------------------------------------------------------- */

static const char usage[] =
    "Usage: curlewd [--config FILE] [--listen ADDR] [--check] [--version] [--help]\n"
    "\n"
    "A FastCGI responder that owns one warm, shared, asynchronous curl session.\n"
    "\n"
    "  --config FILE   a JSON object; every scalar also as CURLEW_… in the environment\n"
    "  --listen ADDR   unix:PATH, HOST:PORT or fd:N; in place of the configured ones\n"
    "  --check         read the configuration, say what is wrong with it, and leave\n"
    "  --version       the versions of curlewd and its libraries\n"
    "  --help          this text\n"
    "\n"
    "SIGHUP reads the configuration anew.  SIGTERM finishes what is in flight, a second\n"
    "one leaves at once.  See curlewd(8) and curlewd.json(5).\n";

static void
print_version(void)
{
    printf("curlewd %s\n%s\njansson/%s\n", CURLEW_VERSION, curl_features_text(),
           jansson_version_str());
}

/* Exits after --help and --version, and if an option is unknown. */
static void
read_options(struct options *o, int argc, char **argv)
{
    static const struct option known[] = {
        { "config", required_argument, NULL, 'c' }, { "listen", required_argument, NULL, 'l' },
        { "check", no_argument, NULL, 'k' },        { "version", no_argument, NULL, 'v' },
        { "help", no_argument, NULL, 'h' },         { NULL, 0, NULL, 0 },
    };
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case 'c':
            o->config = optarg;
            break;
        case 'l':
            o->listen = optarg;
            break;
        case 'k':
            o->check = true;
            break;
        case 'v':
            print_version();
            exit(EXIT_SUCCESS);
        case 'h':
            fputs(usage, stdout);
            exit(EXIT_SUCCESS);
        default:
            fputs(usage, stderr);
            exit(2);
        }
    }
    if (optind < argc) {
        fprintf(stderr, "curlewd: unexpected argument \"%s\"\n%s", argv[optind], usage);
        exit(2);
    }
}

/* -- start --------------------------------------------------------------- */

struct daemon {
    struct options options;
    struct config config;
    struct listener_list listeners;
    struct auth auth;
    struct route_context routes;
    struct curlew *engine;
    struct fcgi_server *server;
};

/* Finds every error of a configuration that shows without starting. */
static int
load(struct daemon *d, struct config *config, struct failure *err)
{
    struct failure rule = { 0 };
    struct egress *egress;

    config_init(config);
    if (config_load(config, d->options.config, environ, err) != 0)
        return -1;
    if (d->options.listen != NULL && listener_check_address(d->options.listen, err) != 0)
        return -1;
    for (size_t i = 0; i < config->listen_count; i++)
        listener_check_address(config->listen[i], &rule);
    egress = egress_new(&config->engine.egress, &rule);
    egress_unref(egress);
    if (rule.error == ERROR_NONE)
        return 0;
    if (d->options.config == NULL)
        return failure_set(err, rule.error, "%s", rule.detail);
    return failure_set(err, rule.error, "%s: %s", d->options.config, rule.detail);
}

/* No address is configured: by the FastCGI convention standard input may be a listening socket. */
static bool
listens_by_default(const struct config *config)
{
    return config->listen_count == 1 && strcmp(config->listen[0], CONFIG_LISTEN) == 0;
}

/* --listen, or systemd's sockets, or a listening standard input, or the configuration. */
static int
open_listeners(struct daemon *d, struct failure *err)
{
    const struct config *config = &d->config;
    int inherited = listener_inherited_count();
    char address[32];

    if (d->options.listen != NULL)
        return listener_list_open(&d->listeners, d->options.listen, config->socket_mode,
                                  config->socket_group, err);
    for (int i = 0; i < inherited; i++) {
        snprintf(address, sizeof address, "fd:%d", 3 + i); /* SD_LISTEN_FDS_START */
        if (listener_list_open(&d->listeners, address, 0, NULL, err) != 0)
            return -1;
    }
    if (inherited > 0)
        return 0;
    if (listens_by_default(config) && listener_fd_listens(STDIN_FILENO))
        return listener_list_open(&d->listeners, "fd:0", 0, NULL, err);
    for (size_t i = 0; i < config->listen_count; i++)
        if (listener_list_open(&d->listeners, config->listen[i], config->socket_mode,
                               config->socket_group, err) != 0)
            return -1;
    return 0;
}

/* A fetch in flight needs two descriptors: to the web server and to the origin. */
static void
raise_descriptor_limit(void)
{
    struct rlimit l;

    if (getrlimit(RLIMIT_NOFILE, &l) != 0 || l.rlim_cur == l.rlim_max)
        return;
    l.rlim_cur = l.rlim_max;
    setrlimit(RLIMIT_NOFILE, &l);
}

static struct fcgi_server_limits
server_limits(const struct config *config)
{
    return (struct fcgi_server_limits){
        .request_bytes = config->engine.limits.request_bytes,
        .bodies_bytes = config->engine.limits.buffered_bytes,
    };
}

static int
init_routes(struct daemon *d, struct failure *err)
{
    d->routes.auth = &d->auth;
    d->routes.log_access = d->config.log_access;
    d->routes.handoff_store = handoff_store_new();
    return d->routes.handoff_store != NULL ? 0 : failure_no_memory(err);
}

static int
start(struct daemon *d, struct failure *err)
{
    const struct fcgi_server_config config = {
        .workers = d->config.responders,
        .limits = server_limits(&d->config),
        .handler = router_handle,
        .handler_data = &d->routes,
    };

    if (auth_load(&d->auth, d->config.tokens_file, err) != 0 || open_listeners(d, err) != 0)
        return -1;
    if (libfcgi_codec_start() != 0)
        return failure_set(err, ERROR_INTERNAL, "libfcgi cannot start");
    if ((d->engine = engine_new(&d->config.engine, err)) == NULL || init_routes(d, err) != 0)
        return -1;
    d->server = fcgi_server_new(d->engine, &d->listeners, &config, err);
    return d->server != NULL ? 0 : -1;
}

/* -- signals ------------------------------------------------------------- */

/* Settings that need a restart are not changed; log that. */
static void
warn_of_restart(const struct config *now, const struct config *then)
{
    bool listens_elsewhere = now->listen_count != then->listen_count;

    for (size_t i = 0; i < now->listen_count && !listens_elsewhere; i++)
        listens_elsewhere = strcmp(now->listen[i], then->listen[i]) != 0;
    if (strcmp(now->socket_group ? now->socket_group : "",
               then->socket_group ? then->socket_group : "") != 0)
        listens_elsewhere = true;
    if (listens_elsewhere || now->socket_mode != then->socket_mode ||
        now->responders != then->responders || now->engine.threads != then->engine.threads)
        log_warning("listen, socket_mode, socket_group, responders and threads change only with a "
                    "restart");
}

static void
reload(struct daemon *d)
{
    struct failure err = { 0 };
    struct fcgi_server_limits limits;
    struct config next;

    notify_reloading();
    if (load(d, &next, &err) == 0 && auth_load(&d->auth, next.tokens_file, &err) == 0 &&
        engine_reload(d->engine, &next.engine, &err) == 0) {
        warn_of_restart(&next, &d->config);
        config_destroy(&d->config);
        d->config = next;
        limits = server_limits(&d->config);
        fcgi_server_set_limits(d->server, &limits);
        d->routes.log_access = d->config.log_access;
        log_setup(d->config.log_level, d->config.log_json);
        log_info("the configuration was reloaded");
    } else {
        config_destroy(&next);
        log_error("the configuration was not reloaded, the old one stays: %s", err.detail);
    }
    notify_send("READY=1");
}

static void
serve(struct daemon *d, const sigset_t *ours)
{
    int sig;

    while (sigwait(ours, &sig) == 0) {
        if (sig == SIGTERM || sig == SIGINT)
            return;
        if (sig == SIGHUP)
            reload(d);
    }
}

static void
leave_at_once(int sig)
{
    _exit(128 + sig); /* as a shell would put it */
}

static void
stop(struct daemon *d, const sigset_t *ours)
{
    /* In a container we are process 1, to which the kernel delivers only signals with a handler. */
    void (*second)(int) = getpid() == 1 ? leave_at_once : SIG_DFL;

    log_info("draining: at most %d s; again to leave at once", d->config.drain_seconds);
    notify_send("STOPPING=1");
    signal(SIGTERM, second); /* FCGX_Init() had installed its own handler */
    signal(SIGINT, second);
    signal(SIGHUP, SIG_IGN); /* its default action would end the process */
    signal(SIGUSR1, SIG_IGN);
    pthread_sigmask(SIG_UNBLOCK, ours, NULL); /* a second SIGTERM kills */
    fcgi_server_drain(d->server, d->config.drain_seconds);
    fcgi_server_join(d->server);
    curlew_free(d->engine); /* first: its threads may still wake a worker */
    fcgi_server_free(d->server);
    handoff_store_free(d->routes.handoff_store);
}

/* Signals are blocked in every thread and fetched with sigwait(): no handler, no reentrancy. */
static void
take_signals(sigset_t *ours)
{
    sigemptyset(ours);
    sigaddset(ours, SIGHUP);
    sigaddset(ours, SIGINT);
    sigaddset(ours, SIGTERM);
    sigaddset(ours, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, ours, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static int
run(struct daemon *d)
{
    struct failure err = { 0 };
    sigset_t ours;

    take_signals(&ours);
    raise_descriptor_limit();
    if (log_start() != 0 || start(d, &err) != 0) {
        log_error("cannot start: %s", err.detail);
        log_stop();
        return EXIT_FAILURE;
    }
    log_info("curlewd %s is ready", CURLEW_VERSION);
    notify_send("READY=1");
    serve(d, &ours);
    stop(d, &ours);
    log_info("bye");
    log_stop();
    return EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
    static struct daemon d;
    struct failure err = { 0 };
    int rc;

    /* The mapping of IDN names depends on the locale: choose the same on every machine. */
    setlocale(LC_CTYPE, "C.UTF-8");
    read_options(&d.options, argc, argv);
    if (load(&d, &d.config, &err) != 0) {
        fprintf(stderr, "curlewd: %s\n", err.detail);
        return EXIT_FAILURE;
    }
    if (d.options.check) {
        puts("the configuration is good");
        config_destroy(&d.config);
        return EXIT_SUCCESS;
    }
    log_setup(d.config.log_level, d.config.log_json);
    auth_init(&d.auth);
    rc = run(&d);
    auth_destroy(&d.auth);
    config_destroy(&d.config);
    return rc;
}
