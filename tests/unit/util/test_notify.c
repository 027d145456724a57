/* test_notify.c - tells systemd how the service is doing. */

#include "util/notify.h"

#include "util/clock.h"

#include <criterion/criterion.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int manager = -1;
static char folder[] = "/tmp/curlew-notify-XXXXXX";

static void
setup(void)
{
    cr_assert_not_null(mkdtemp(folder));
    unsetenv("NOTIFY_SOCKET");
}

static void
teardown(void)
{
    char path[64];

    snprintf(path, sizeof path, "%s/socket", folder);
    unlink(path);
    rmdir(folder);
    if (manager >= 0)
        close(manager);
}

TestSuite(notify, .init = setup, .fini = teardown, .timeout = 10);

/* As systemd does; a name that begins with @ is in the abstract name space. */
static void
listen_at(const char *name)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    socklen_t n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));

    memcpy(a.sun_path, name, strlen(name));
    if (*name == '@')
        a.sun_path[0] = '\0';
    manager = socket(AF_UNIX, SOCK_DGRAM, 0);
    cr_assert_eq(bind(manager, (struct sockaddr *)&a, n), 0);
    setenv("NOTIFY_SOCKET", name, 1);
}

static ssize_t
heard(char *text, size_t size)
{
    ssize_t n = recv(manager, text, size - 1, MSG_DONTWAIT);

    text[n > 0 ? n : 0] = '\0';
    return n;
}

static const char *
socket_path(void)
{
    static char path[64];

    snprintf(path, sizeof path, "%s/socket", folder);
    return path;
}

Test(notify, sends_the_state_to_the_socket_in_the_file_system)
{
    char text[64];

    listen_at(socket_path());
    notify_send("READY=1");

    cr_assert_eq(heard(text, sizeof text), 7);
    cr_assert_str_eq(text, "READY=1");
}

Test(notify, sends_the_state_to_an_abstract_socket)
{
    char name[64], text[64];

    snprintf(name, sizeof name, "@curlew-notify-%d", (int)getpid());
    listen_at(name);
    notify_send("STOPPING=1");

    cr_assert_eq(heard(text, sizeof text), 10);
    cr_assert_str_eq(text, "STOPPING=1");
}

Test(notify, a_reload_tells_the_time_it_began)
{
    long long told = 0;
    int64_t before;
    char text[128];

    listen_at(socket_path());
    before = clock_us();
    notify_reloading();

    cr_assert_gt(heard(text, sizeof text), 0);
    cr_assert_eq(sscanf(text, "RELOADING=1\nMONOTONIC_USEC=%lld", &told), 1, "%s", text);
    cr_assert_geq(told, before);
    cr_assert_leq(told, clock_us());
}

Test(notify, without_a_socket_nothing_happens)
{
    notify_send("READY=1");
    setenv("NOTIFY_SOCKET", "", 1);
    notify_send("READY=1");
    setenv("NOTIFY_SOCKET", "/", 1);
    notify_send("READY=1");
}

Test(notify, a_manager_that_is_gone_is_no_harm)
{
    setenv("NOTIFY_SOCKET", socket_path(), 1);
    notify_send("READY=1");
}

Test(notify, a_name_too_long_for_a_socket_is_left_alone)
{
    char name[sizeof((struct sockaddr_un *)0)->sun_path + 1];

    memset(name, 'x', sizeof name - 1);
    name[0] = '/';
    name[sizeof name - 1] = '\0';
    setenv("NOTIFY_SOCKET", name, 1);
    notify_send("READY=1");
}

Test(notify, leaves_no_descriptor_open)
{
    int before, after;

    listen_at(socket_path());
    before = dup(0);
    close(before);
    for (int i = 0; i < 10; i++)
        notify_send("READY=1");
    after = dup(0);
    close(after);

    cr_assert_eq(before, after);
}
