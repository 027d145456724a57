/* test_listener.c - the sockets web servers connect to. */

#include "fastcgi/listener.h"

#include "support/runner.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct listener_list ls;
static struct failure err;
static char folder[] = "/tmp/curlew-listener-XXXXXX";
static char path[64], address[80];

static void
setup(void)
{
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/socket", folder);
    snprintf(address, sizeof address, "unix:%s", path);
}

static void
teardown(void)
{
    listener_list_close(&ls);
    unlink(path);
    rmdir(folder);
    runner_check_leaks();
}

TestSuite(listener, .init = setup, .fini = teardown, .timeout = 20);

static void
opens(const char *where, mode_t mode)
{
    err = (struct failure){ 0 };
    cr_assert_eq(listener_list_open(&ls, where, mode, NULL, &err), 0, "%s", err.detail);
}

static void
does_not_open(const char *where, const char *detail)
{
    size_t before = ls.count;
    struct failure form = { 0 };

    err = (struct failure){ 0 };
    cr_assert_eq(listener_list_open(&ls, where, 0600, NULL, &err), -1, "%s", where);
    cr_assert_not_null(strstr(err.detail, detail), "%s: %s", where, err.detail);
    cr_assert_eq(ls.count, before);
    if (err.error ==
        ERROR_BAD_REQUEST) { /* then its form is wrong, which a check tells without opening it */
        cr_assert_eq(listener_check_address(where, &form), -1, "%s", where);
        cr_assert_str_eq(form.detail, err.detail);
    } else {
        cr_assert_eq(listener_check_address(where, &form), 0, "%s", where);
    }
}

static int
dial_unix(const char *where)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0), rc;

    snprintf(a.sun_path, sizeof a.sun_path, "%s", where);
    rc = connect(fd, (struct sockaddr *)&a, sizeof a);
    close(fd);
    return rc;
}

static int
mode_of(const char *where)
{
    struct stat st;

    return stat(where, &st) == 0 ? (int)(st.st_mode & 0777) : -1;
}

/* -- unix:PATH ----------------------------------------------------------- */

Test(listener, a_path_is_listened_on_with_its_mode)
{
    umask(0);
    opens(address, 0660);
    cr_assert_eq(mode_of(path), 0660);
    cr_assert_eq(dial_unix(path), 0);
    cr_assert_eq(fcntl(ls.items[0].fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    cr_assert_eq(fcntl(ls.items[0].fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
}

Test(listener, the_umask_neither_widens_nor_narrows_it)
{
    umask(0777);
    opens(address, 0666);
    cr_assert_eq(mode_of(path), 0666);
    cr_assert_eq(umask(022), 0777, "and is as before");
}

Test(listener, closing_removes_the_path)
{
    opens(address, 0600);
    listener_list_close(&ls);
    cr_assert_eq(mode_of(path), -1);
    cr_assert_eq(ls.count, 0);
}

Test(listener, closing_leaves_a_successors_socket_alone)
{
    struct listener_list next = { 0 };

    opens(address, 0600);
    unlink(path);
    cr_assert_eq(listener_list_open(&next, address, 0600, NULL, &err), 0);
    listener_list_close(&ls);
    cr_assert_eq(dial_unix(path), 0, "the successor's");
    listener_list_close(&next);
}

Test(listener, a_socket_that_nobody_listens_on_is_replaced)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    cr_assert_eq(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    close(fd);
    opens(address, 0600);
    cr_assert_eq(dial_unix(path), 0);
}

Test(listener, a_socket_that_somebody_listens_on_is_not)
{
    struct listener_list first = { 0 };

    cr_assert_eq(listener_list_open(&first, address, 0600, NULL, &err), 0);
    does_not_open(address, "another process listens there");
    cr_assert_eq(dial_unix(path), 0);
    listener_list_close(&first);
}

Test(listener, a_file_is_not_replaced)
{
    close(open(path, O_CREAT | O_WRONLY, 0600));
    does_not_open(address, "exists and is no socket");
    cr_assert_eq(mode_of(path), 0600);
}

Test(listener, a_symbolic_link_is_not_followed)
{
    cr_assert_eq(symlink("/tmp", path), 0);
    does_not_open(address, "exists and is no socket");
}

Test(listener, a_path_has_1_to_107_bytes)
{
    char longest[5 + 109] = "unix:";

    does_not_open("unix:", "a path of 1 to 107 bytes");
    memset(longest + 5, 'x', 108);
    memcpy(longest + 5, "/tmp/", 5);
    does_not_open(longest, "a path of 1 to 107 bytes");
    longest[5 + 107] = '\0';
    opens(longest, 0600);
    cr_assert_eq(dial_unix(longest + 5), 0);
    listener_list_close(&ls);
    cr_assert_eq(mode_of(longest + 5), -1);
}

Test(listener, a_folder_that_is_not_there_is_an_error)
{
    does_not_open("unix:/tmp/curlew-no-such-folder/socket", "No such file");
}

Test(listener, a_group_that_is_not_there_is_an_error)
{
    cr_assert_eq(listener_list_open(&ls, address, 0600, "no-such-group", &err), -1);
    cr_assert_not_null(strstr(err.detail, "no-such-group"));
    cr_assert_eq(ls.count, 0);
}

Test(listener, a_group_is_a_name_or_a_number)
{
    struct group *mine = getgrgid(getgid());
    char number[16];

    snprintf(number, sizeof number, "%d", (int)getgid());
    cr_assert_eq(listener_list_open(&ls, address, 0660, number, &err), 0, "%s", err.detail);
    listener_list_close(&ls);
    if (mine != NULL)
        cr_assert_eq(listener_list_open(&ls, address, 0660, mine->gr_name, &err), 0, "%s",
                     err.detail);
}

/* -- HOST:PORT ----------------------------------------------------------- */

static int
port_of(int fd)
{
    struct sockaddr_storage a;
    socklen_t n = sizeof a;

    cr_assert_eq(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    return ntohs(a.ss_family == AF_INET ? ((struct sockaddr_in *)&a)->sin_port
                                        : ((struct sockaddr_in6 *)&a)->sin6_port);
}

static int
dial_tcp(int port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    int fd = socket(AF_INET, SOCK_STREAM, 0), rc;

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    rc = connect(fd, (struct sockaddr *)&a, sizeof a);
    close(fd);
    return rc;
}

Test(listener, a_port_is_listened_on)
{
    opens("127.0.0.1:0", 0);
    cr_assert_gt(port_of(ls.items[0].fd), 0);
    cr_assert_eq(dial_tcp(port_of(ls.items[0].fd)), 0);
    listener_list_close(&ls);
}

static int
option_of(int fd, int level, int name)
{
    int value = -1;
    socklen_t n = sizeof value;

    cr_assert_eq(getsockopt(fd, level, name, &value, &n), 0);
    return value;
}

Test(listener, a_peer_that_vanished_is_probed_for)
{
    struct sockaddr_in a = { .sin_family = AF_INET };
    int caller = socket(AF_INET, SOCK_STREAM, 0), accepted;

    opens("127.0.0.1:0", 0);
    a.sin_port = htons((uint16_t)port_of(ls.items[0].fd));
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    cr_assert_eq(connect(caller, (struct sockaddr *)&a, sizeof a), 0);
    accepted = accept(ls.items[0].fd, NULL, NULL);
    cr_assert_geq(accepted, 0);

    cr_assert_eq(option_of(accepted, SOL_SOCKET, SO_KEEPALIVE), 1);
    cr_assert_eq(option_of(accepted, IPPROTO_TCP, TCP_KEEPIDLE), 30);
    cr_assert_eq(option_of(accepted, IPPROTO_TCP, TCP_KEEPINTVL), 10);
    cr_assert_eq(option_of(accepted, IPPROTO_TCP, TCP_KEEPCNT), 3);
    close(accepted);
    close(caller);
    listener_list_close(&ls);
}

Test(listener, a_name_and_an_IPv6_address_are_understood)
{
    opens("localhost:0", 0);
    err = (struct failure){ 0 };
    if (listener_list_open(&ls, "[::1]:0", 0, NULL, &err) == 0)
        cr_assert_eq(ls.count, 2);
    else
        cr_assert_not_null(strstr(err.detail, "bind"), "no IPv6 on this machine: %s", err.detail);
}

Test(listener, a_port_in_use_is_an_error)
{
    char again[32];

    opens("127.0.0.1:0", 0);
    snprintf(again, sizeof again, "127.0.0.1:%d", port_of(ls.items[0].fd));
    does_not_open(again, "Address already in use");
}

Test(listener, what_is_no_address_is_an_error)
{
    does_not_open("", "neither unix:PATH nor HOST:PORT nor fd:N");
    does_not_open("9000", "neither");
    does_not_open(":9000", "neither");
    does_not_open("127.0.0.1:", "neither");
    does_not_open("127.0.0.1:x", "neither");
    does_not_open("127.0.0.1:65536", "neither");
    does_not_open("127.0.0.1:-1", "neither");
    does_not_open("127.0.0.1:80 ", "neither");
    does_not_open("no-such-name.invalid:9000", "no-such-name.invalid");
}

static void
check_both(const char *first, const char *second, int rc)
{
    char *const both[] = { (char *)first, (char *)"127.0.0.1:9000", (char *)second };

    err = (struct failure){ 0 };
    cr_assert_eq(listener_check_addresses(both, 3, &err), rc, "%s %s", first, second);
}

Test(listener, an_address_may_be_there_once)
{
    check_both("unix:/a", "unix:/b", 0);
    check_both("unix:/a:0", "unix:/a:0", -1);
    cr_assert_str_eq(err.detail, "listen: \"unix:/a:0\" is there twice");
    check_both("[::1]:80", "[::1]:80", -1);
    check_both("fd:0", "fd:0", -1);
    check_both("[::1]:0", "[::1]:0", 0);
    check_both("[::1]:1", "9000", -1);
    cr_assert_not_null(strstr(err.detail, "neither"), "%s", err.detail);
}

/* -- fd:N ---------------------------------------------------------------- */

Test(listener, a_descriptor_that_listens_is_taken)
{
    struct listener_list made = { 0 };
    char where[16];
    int fd;

    cr_assert_eq(listener_list_open(&made, "127.0.0.1:0", 0, NULL, &err), 0);
    fd = dup(made.items[0].fd);
    cr_assert(listener_fd_listens(fd));
    snprintf(where, sizeof where, "fd:%d", fd);
    opens(where, 0);
    cr_assert_eq(ls.items[0].fd, fd);
    cr_assert_eq(dial_tcp(port_of(fd)), 0);
    listener_list_close(&made);
}

Test(listener, any_other_descriptor_is_not)
{
    int pair[2];
    char where[16];

    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    snprintf(where, sizeof where, "fd:%d", pair[0]);
    does_not_open(where, "not a listening stream socket");
    does_not_open("fd:999", "not a listening stream socket");
    does_not_open("fd:", "neither");
    does_not_open("fd:x", "neither");
    does_not_open("fd:3x", "neither");
    does_not_open("fd:-1", "neither");
    does_not_open("fd:99999999999999999999", "neither");
    cr_assert_not(listener_fd_listens(-1));
    cr_assert_not(listener_fd_listens(STDIN_FILENO));
}

/* -- systemd's sockets --------------------------------------------------- */

static int
inherited(const char *pid, const char *count)
{
    if (pid != NULL)
        setenv("LISTEN_PID", pid, 1);
    else
        unsetenv("LISTEN_PID");
    if (count != NULL)
        setenv("LISTEN_FDS", count, 1);
    else
        unsetenv("LISTEN_FDS");
    return listener_inherited_count();
}

Test(listener, sockets_that_systemd_passed_to_this_very_process_count)
{
    char me[16], other[16];

    snprintf(me, sizeof me, "%d", (int)getpid());
    snprintf(other, sizeof other, "%d", (int)getpid() + 1);
    cr_assert_eq(inherited(me, "2"), 2);
    cr_assert_eq(inherited(other, "2"), 0);
    cr_assert_eq(inherited(NULL, "2"), 0);
    cr_assert_eq(inherited(me, NULL), 0);
    cr_assert_eq(inherited(me, "0"), 0);
    cr_assert_eq(inherited(me, "-3"), 0);
    cr_assert_eq(inherited(me, "x"), 0);
    cr_assert_eq(inherited(me, "99999999"), 0);
}

/* -- for the log --------------------------------------------------------- */

Test(listener, says_where_each_one_listens)
{
    char text[200], wanted[200];

    opens(address, 0600);
    opens("127.0.0.1:0", 0600);
    listener_list_describe(&ls, text, sizeof text);
    snprintf(wanted, sizeof wanted, "%s, 127.0.0.1:", address);
    cr_assert_eq(strncmp(text, wanted, strlen(wanted)), 0, "%s", text);
    cr_assert_neq(strtol(text + strlen(wanted), NULL, 10), 0, "the kernel's port: %s", text);
    if (listener_list_open(&ls, "[::1]:0", 0, NULL, &err) != 0)
        return; /* a machine without IPv6 */
    listener_list_describe(&ls, text, sizeof text);
    cr_assert_not_null(strstr(text, ", [::1]:"), "%s", text);
}

Test(listener, says_the_path_of_a_socket_that_was_passed_on)
{
    char text[200], fd[16];

    opens(address, 0600);
    snprintf(fd, sizeof fd, "fd:%d", dup(ls.items[0].fd));
    listener_list_close(&ls);
    opens(fd, 0);
    listener_list_describe(&ls, text, sizeof text);
    cr_assert_str_eq(text, address);
}

Test(listener, leaves_out_the_addresses_that_do_not_fit)
{
    char text[100] = "?";

    opens(address, 0600);
    listener_list_describe(&ls, text, strlen(address));
    cr_assert_str_eq(text, "");
    listener_list_describe(&ls, text, strlen(address) + 3);
    cr_assert_str_eq(text, address);
}
