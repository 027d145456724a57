/* main.c - curlewd: options, signals, start bottom-up, stop top-down. */

#include "fastcgi/fcgi_server.h"
#include "fastcgi/libfcgi_codec.h"
#include "libcurl/curl_features.h"
#include "libcurl/impersonate_targets.h"
#include "libcurl/libcurl_choice.h"
#include "message/config_load.h"
#include "message/config_schema.h"
#include "message/config_session.h"
#include "message/config_table.h"
#include "message/config_variable.h"
#include "message/json.h"
#include "routes/auth.h"
#include "routes/cross_site.h"
#include "routes/handoff_store.h"
#include "routes/route_context.h"
#include "routes/router.h"
#include "util/log.h"
#include "util/notify.h"
#include "util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <locale.h>
#include <malloc.h>
#include <poll.h>
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
    bool version;
};

/* -- options ------------------------------------------------------------- */

static const char usage[] =
    "Usage: curlewd [--config FILE] [--listen ADDR] [--check] [--schema] [--version] [--help]\n"
    "\n"
    "A FastCGI daemon that makes HTTP requests for web applications.\n"
    "\n"
    "  --config FILE   a JSON object; all but sessions also as CURLEW_… in the environment\n"
    "  --listen ADDR   unix:PATH, HOST:PORT or fd:N; in place of the configured ones\n"
    "  --check         read the configuration and the tokens, report what is wrong, and exit\n"
    "  --schema        a JSON Schema of the configuration file, for editors\n"
    "  --version       the versions of curlewd and its libraries\n"
    "  --help          this text\n"
    "\n"
    "SIGHUP reloads the configuration.  SIGTERM finishes what is in flight, a second one\n"
    "exits at once.  See curlewd(8) and curlewd.json(5).\n";

static void
print_version(void)
{
    const char *target;

    printf("curlewd %s\n%s\njansson/%s\nlibcurl from %s\nimpersonates", CURLEW_VERSION,
           curl_features_text(), jansson_version_str(), libcurl_choice_file());
    for (size_t i = 0; (target = impersonate_targets_get(i)) != NULL; i++)
        printf(" %s", target);
    puts(impersonate_targets_get(0) != NULL ? "" : " nothing");
}

static void
print_schema(void)
{
    struct buffer text;

    buffer_init(&text, 1 << 20);
    if (config_schema_write(&text) != 0)
        exit(EXIT_FAILURE);
    puts(text.data);
    buffer_free(&text);
}

static const struct option known[] = {
    { "config", required_argument, NULL, 'c' },
    { "listen", required_argument, NULL, 'l' },
    { "check", no_argument, NULL, 'k' },
    { "schema", no_argument, NULL, 's' },
    { "version", no_argument, NULL, 'v' },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

/* Exits after --help or --schema, and if an option is unknown. */
static void
read_options(struct options *o, int argc, char **argv)
{
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
            o->version = true;
            break;
        case 's':
            print_schema();
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

static int
choose_libcurl(const struct options *o, char **argv, struct failure *err)
{
    char *path = config_load_libcurl(o->config, environ);
    int rc = libcurl_choice_apply(path, argv, err);

    free(path);
    return rc;
}

/* A closed one becomes /dev/null: else the next socket would be it, and receive the log. */
static int
open_standard_streams(void)
{
    int fd;

    do {
        if ((fd = open("/dev/null", O_RDWR)) < 0)
            return -1;
    } while (fd <= STDERR_FILENO);
    return close(fd);
}

/* Before the log has its thread.  A pipe that nobody reads must not keep us from exiting. */
static void
complain(const char *detail)
{
    struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };

    if (poll(&p, 1, 1000) > 0)
        fprintf(stderr, "curlewd: %s\n", detail);
}

struct daemon {
    struct options options;
    struct config config;
    struct listener_list listeners;
    struct auth auth;
    struct cross_site cross_site;
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
    listener_check_addresses(config->listen, config->listen_count, &rule);
    egress = egress_new(&config->engine.egress, &rule);
    egress_unref(egress);
    return rule.error == ERROR_NONE ? 0
                                    : config_load_refuse(d->options.config, environ, &rule, err);
}

/* No address is configured: by the FastCGI convention standard input may be a listening socket. */
static bool
listens_by_default(const struct config *config)
{
    return config->listen_count == 1 && strcmp(config->listen[0], CONFIG_LISTEN) == 0;
}

/* `socket` is fd:N, or the unit that sd_listen_fds_with_names(3) tells. */
static void
warn_of_ignored(const struct config *c, const char *socket)
{
    if (c->socket_mode_named || c->socket_group != NULL)
        log_warning("socket_mode and socket_group have no effect on %.100s, which is open already: "
                    "with systemd set SocketMode= and SocketGroup= of the .socket unit",
                    socket);
}

/* --listen, or systemd's sockets, or a listening standard input, or the configuration. */
static int
open_listeners(struct daemon *d, struct failure *err)
{
    const struct config *config = &d->config;
    int inherited = listener_inherited_count();
    const char *names = getenv("LISTEN_FDNAMES");
    char address[32];

    if (d->options.listen != NULL && strncmp(d->options.listen, "fd:", 3) == 0)
        warn_of_ignored(config, d->options.listen);
    if (d->options.listen != NULL)
        return listener_list_open(&d->listeners, d->options.listen, config->socket_mode,
                                  config->socket_group, err);
    for (int i = 0; i < inherited; i++) {
        snprintf(address, sizeof address, "fd:%d", 3 + i); /* SD_LISTEN_FDS_START */
        if (listener_list_open(&d->listeners, address, 0, NULL, err) != 0)
            return -1;
    }
    if (inherited > 0) {
        warn_of_ignored(config, names != NULL && *names != '\0' ? names : "fd:3");
        return 0;
    }
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

/*
 * Large blocks go back to the kernel as they are freed.  By itself the C library raises these
 * thresholds with each block that is freed, up to 32 MiB, and keeps the memory.
 */
static void
give_memory_back(void)
{
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    mallopt(M_TRIM_THRESHOLD, 1 << 21);
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
    d->routes.cross_site = &d->cross_site;
    d->routes.log_access = d->config.log_access;
    d->routes.replica = d->config.replica;
    d->routes.log_slow_seconds = d->config.log_slow_seconds;
    d->routes.handoff_store = handoff_store_new();
    return d->routes.handoff_store != NULL ? 0 : failure_no_memory(err);
}

/* Who may ask. */
static int
load_access(struct auth *a, struct cross_site *c, const struct config *config, struct failure *err)
{
    if (auth_load(a, config->tokens_file, err) != 0)
        return -1;
    return cross_site_allow(c, config->origins, config->origin_count, err);
}

/*
 * Whoever asks may see less than the daemon: an administrator may not read the file, and systemd
 * hides the credentials of a service from its ExecReload= (systemd issue 35227).
 */
static int
check_tokens(const char *path, struct failure *err)
{
    static const char credentials[] = "/run/credentials/";
    struct auth auth;
    int rc;

    if (path != NULL && access(path, R_OK) != 0 &&
        (errno == EACCES || strncmp(path, credentials, sizeof credentials - 1) == 0)) {
        log_warning("auth.tokens_file %.1000s is not checked: %s", path, strerror(errno));
        return 0;
    }
    auth_init(&auth);
    rc = auth_load(&auth, path, err);
    auth_destroy(&auth);
    return rc;
}

/* --check: what a start would find before it opens a socket. */
static int
check(const struct daemon *d, struct failure *err)
{
    const struct config *config = &d->config;
    int rc = check_tokens(config->tokens_file, err);

    if (rc == 0 && d->options.listen != NULL)
        return listener_check_group(d->options.listen, config->socket_group, err);
    for (size_t i = 0; i < config->listen_count && rc == 0; i++)
        rc = listener_check_group(config->listen[i], config->socket_group, err);
    return rc;
}

static int
start(struct daemon *d, struct failure *err)
{
    const struct fcgi_server_config config = {
        .workers = d->config.workers,
        .limits = server_limits(&d->config),
        .handler = router_handle,
        .handler_data = &d->routes,
    };

    json_set_limit(d->config.engine.limits.request_bytes);
    if (load_access(&d->auth, &d->cross_site, &d->config, err) != 0 || open_listeners(d, err) != 0)
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
    bool differs = now->listen_count != then->listen_count;

    for (size_t i = 0; i < now->listen_count && !differs; i++)
        differs = strcmp(now->listen[i], then->listen[i]) != 0;
    if (!text_equal(now->socket_group, then->socket_group) ||
        !text_equal(now->libcurl, then->libcurl))
        differs = true;
    if (differs || now->socket_mode != then->socket_mode || now->workers != then->workers ||
        now->engine.threads != then->engine.threads)
        log_warning("listen, socket_mode, socket_group, workers, threads and libcurl change "
                    "only with a restart");
}

static void
warn_of_old_names(const struct config *c)
{
    if (c->responders_named)
        log_warning("responders is now called workers; the old name will be gone in curlew 0.3");
}

/* All of it or nothing: what can fail comes before the first change. */
static int
apply(struct daemon *d, const struct config *next, struct failure *err)
{
    struct auth auth;
    struct cross_site cross_site;
    int rc = -1;

    auth_init(&auth);
    cross_site_init(&cross_site);
    if (load_access(&auth, &cross_site, next, err) == 0)
        rc = engine_reload(d->engine, &next->engine, err);
    if (rc == 0) {
        auth_take(&d->auth, &auth);
        cross_site_take(&d->cross_site, &cross_site);
    }
    cross_site_destroy(&cross_site);
    auth_destroy(&auth);
    return rc;
}

static void
reload(struct daemon *d)
{
    struct failure err = { 0 };
    struct fcgi_server_limits limits;
    struct config next;

    notify_reloading();
    if (load(d, &next, &err) == 0 && apply(d, &next, &err) == 0) {
        warn_of_old_names(&next);
        warn_of_restart(&next, &d->config);
        config_session_warn_of_files(&next.engine);
        config_destroy(&d->config);
        d->config = next;
        limits = server_limits(&d->config);
        fcgi_server_set_limits(d->server, &limits);
        json_set_limit(limits.request_bytes);
        d->routes.log_access = d->config.log_access;
        d->routes.replica = d->config.replica;
        d->routes.log_slow_seconds = d->config.log_slow_seconds;
        log_setup(d->config.log_level, d->config.log_json);
        log_info("the configuration was reloaded");
    } else {
        config_destroy(&next);
        log_error("the configuration was not reloaded, the old one stays in force: %s", err.detail);
    }
    notify_send("READY=1");
}

static volatile sig_atomic_t was_told_to_end; /* by SIGTERM or SIGINT */

/* SIGQUIT is the word of nginx for it, and no supervisor's: a SIGTERM may still come then. */
static void
serve(struct daemon *d, const sigset_t *ours)
{
    int sig;

    while (sigwait(ours, &sig) == 0) {
        was_told_to_end = sig == SIGTERM || sig == SIGINT;
        if (was_told_to_end || sig == SIGQUIT)
            return;
        if (sig == SIGHUP)
            reload(d);
    }
}

static void
leave_at_once(int sig)
{
    if (was_told_to_end)
        _exit(128 + sig); /* as a shell would put it */
    was_told_to_end = 1;
}

static void
stop(struct daemon *d, const sigset_t *ours)
{
    /* In a container we are process 1, to which the kernel delivers only signals with a handler. */
    void (*second)(int) = getpid() == 1 || !was_told_to_end ? leave_at_once : SIG_DFL;

    log_info("draining for at most %d s; a second signal exits at once", d->config.drain_seconds);
    notify_send("STOPPING=1");
    signal(SIGTERM, second); /* FCGX_Init() had installed its own handler */
    signal(SIGINT, second);
    signal(SIGHUP, SIG_IGN); /* its default action would end the process */
    signal(SIGQUIT, SIG_IGN);
    signal(SIGUSR1, SIG_IGN);
    signal(SIGUSR2, SIG_IGN);
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
    sigaddset(ours, SIGQUIT);
    sigaddset(ours, SIGTERM);
    sigaddset(ours, SIGUSR1); /* this one and the next mean nothing to us */
    sigaddset(ours, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, ours, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* What somebody who has just started it wants to know: is it the socket, and the file, I mean? */
static void
log_ready(const struct daemon *d)
{
    char addresses[1024];

    listener_list_describe(&d->listeners, addresses, sizeof addresses);
    if (d->options.config != NULL)
        log_info("curlewd %s is ready: it listens on %s, with the configuration %.200s",
                 CURLEW_VERSION, addresses, d->options.config);
    else
        log_info("curlewd %s is ready: it listens on %s, without a configuration file",
                 CURLEW_VERSION, addresses);
}

static int
run(struct daemon *d)
{
    struct failure err = { 0 };
    sigset_t ours;

    take_signals(&ours);
    raise_descriptor_limit();
    give_memory_back();
    if (log_start() != 0 || start(d, &err) != 0) {
        log_error("cannot start: %s", err.detail);
        log_stop();
        return EXIT_FAILURE;
    }
    log_ready(d);
    notify_send("READY=1");
    serve(d, &ours);
    stop(d, &ours);
    log_info("curlewd has stopped");
    log_stop();
    return EXIT_SUCCESS;
}

static int
run_with_access(struct daemon *d)
{
    int rc;

    auth_init(&d->auth);
    cross_site_init(&d->cross_site);
    rc = run(d);
    auth_destroy(&d->auth);
    cross_site_destroy(&d->cross_site);
    config_destroy(&d->config);
    return rc;
}

int
main(int argc, char **argv)
{
    static struct daemon d;
    struct failure err = { 0 };

    if (open_standard_streams() != 0) {
        complain("a standard stream is closed, and /dev/null cannot take its place");
        return EXIT_FAILURE;
    }
    /* The mapping of IDN names depends on the locale: choose the same on every machine. */
    setlocale(LC_CTYPE, "C.UTF-8");
    read_options(&d.options, argc, argv);
    if (choose_libcurl(&d.options, argv, &err) != 0) {
        complain(err.detail);
        return EXIT_FAILURE;
    }
    if (d.options.version) {
        print_version();
        return EXIT_SUCCESS;
    }
    if (load(&d, &d.config, &err) != 0) {
        complain(err.detail);
        return EXIT_FAILURE;
    }
    log_setup(d.config.log_level, d.config.log_json);
    config_variable_warn(environ);
    warn_of_old_names(&d.config);
    config_table_set_place(d.options.config, environ);
    config_session_warn_of_files(&d.config.engine);
    if (!d.options.check)
        return run_with_access(&d);
    if (check(&d, &err) != 0) {
        complain(err.detail);
        return EXIT_FAILURE;
    }
    puts("the configuration is good");
    config_destroy(&d.config);
    return EXIT_SUCCESS;
}
