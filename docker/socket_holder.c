/*
 * socket_holder.c - a listening socket that outlives each container of curlewd.
 *
 *     socket-holder hold DOOR SOCKET MODE GROUP    listens on SOCKET, and hands it out at DOOR
 *     socket-holder run DOOR COMMAND...            takes it, and becomes COMMAND
 *
 * docker compose ends the old container before it starts the new one.  Meanwhile connections wait
 * in the holder's socket, as they wait in systemd's: COMMAND gets it as LISTEN_FDS says.  Both are
 * paths of unix sockets; DOOR is open to the holder's own user alone.
 *
 * A holder that starts again has a new socket.  So its end is told to COMMAND as SIGQUIT, on which
 * curlewd drains: what restarts the container has it take the new one.  Not as SIGTERM: where both
 * containers are stopped, that would be its second one, which ends it at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG      4096 /* the kernel cuts it to net.core.somaxconn */
#define LISTEN_FD    3    /* SD_LISTEN_FDS_START */
#define PATIENCE_MS  60000
#define TRY_EVERY_MS 50

static const char *paths[2]; /* to be removed at the end, if they are still … */
static struct stat made[2];  /* … what was made there */

static _Noreturn void
fail(const char *what)
{
    fprintf(stderr, "socket-holder: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int
open_socket(struct sockaddr_un *addr, const char *path)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if (fd < 0)
        fail("socket");
    if (strlen(path) >= sizeof addr->sun_path) {
        errno = ENAMETOOLONG;
        fail(path);
    }
    strcpy(addr->sun_path, path);
    return fd;
}

/* -- hold ---------------------------------------------------------------- */

/* What an earlier holder has left there is replaced. Nobody connects before the mode is set. */
static int
listen_at(int which, const char *path, mode_t mode, const char *group)
{
    struct sockaddr_un addr;
    int fd = open_socket(&addr, path);

    umask(0777);
    unlink(path);
    if (bind(fd, (struct sockaddr *)&addr, sizeof addr) != 0 ||
        (group != NULL && chown(path, (uid_t)-1, (gid_t)strtoul(group, NULL, 10)) != 0) ||
        chmod(path, mode) != 0 || listen(fd, BACKLOG) != 0 || stat(path, &made[which]) != 0)
        fail(path);
    paths[which] = path;
    return fd;
}

static void
leave(int signal_number)
{
    struct stat now;

    (void)signal_number;
    for (int i = 0; i < 2; i++)
        if (paths[i] != NULL && stat(paths[i], &now) == 0 && now.st_dev == made[i].st_dev &&
            now.st_ino == made[i].st_ino)
            unlink(paths[i]);
    _exit(0);
}

static void
send_socket(int conn, int fd)
{
    char byte = 0, room[CMSG_SPACE(sizeof fd)] = { 0 };
    struct iovec data = { .iov_base = &byte, .iov_len = 1 };
    struct msghdr message = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room
    };
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);

    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(head), &fd, sizeof fd);
    if (sendmsg(conn, &message, MSG_NOSIGNAL) != 1)
        _exit(1); /* which the other end sees */
}

/* A process for each that has taken the socket: the end of its connection is the holder's. */
static void
attend(int conn, int fd)
{
    char byte;

    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    send_socket(conn, fd);
    while (read(conn, &byte, 1) > 0)
        ;
    _exit(0);
}

static void
hold(const char *door_path, const char *path, const char *mode, const char *group)
{
    int fd = listen_at(0, path, (mode_t)strtoul(mode, NULL, 8), group);
    int door = listen_at(1, door_path, 0600, NULL);

    signal(SIGTERM, leave); /* process 1 has no default action */
    signal(SIGINT, leave);
    signal(SIGCHLD, SIG_IGN);
    printf("socket-holder: it holds %s\n", path);
    fflush(stdout);
    for (;;) {
        int conn = accept4(door, NULL, NULL, SOCK_CLOEXEC);

        if (conn >= 0 && fork() == 0)
            attend(conn, fd);
        if (conn < 0)
            usleep(TRY_EVERY_MS * 1000);
        else
            close(conn);
    }
}

/* -- run ----------------------------------------------------------------- */

/* The holder may start later than we. */
static int
connect_to(const char *path)
{
    struct sockaddr_un addr;
    int fd = open_socket(&addr, path);

    for (int waited = 0; connect(fd, (struct sockaddr *)&addr, sizeof addr) != 0;
         waited += TRY_EVERY_MS) {
        /* EACCES: it has no mode yet. */
        if (waited >= PATIENCE_MS ||
            (errno != ENOENT && errno != ECONNREFUSED && errno != EACCES && errno != EAGAIN))
            fail(path);
        usleep(TRY_EVERY_MS * 1000);
    }
    return fcntl(fd, F_DUPFD_CLOEXEC, LISTEN_FD + 1);
}

static int
receive_socket(int conn)
{
    char byte, room[CMSG_SPACE(sizeof(int))];
    struct iovec data = { .iov_base = &byte, .iov_len = 1 };
    struct msghdr message = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room
    };
    struct cmsghdr *head;
    int fd;

    if (recvmsg(conn, &message, MSG_CMSG_CLOEXEC) != 1 || (head = CMSG_FIRSTHDR(&message)) == NULL)
        fail("the holder has sent no socket");
    memcpy(&fd, CMSG_DATA(head), sizeof fd);
    return fd;
}

/* A child, as the process itself becomes the command; that finds SIGQUIT blocked, and none lost. */
static void
watch_holder(int conn)
{
    pid_t command = getpid();
    sigset_t set;
    char byte;

    sigemptyset(&set);
    sigaddset(&set, SIGQUIT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    if (fork() != 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != command)
        _exit(0);
    close(LISTEN_FD);
    while (read(conn, &byte, 1) > 0)
        ;
    if (getppid() == command)
        kill(command, SIGQUIT);
    _exit(0);
}

static _Noreturn void
give_up(int signal_number)
{
    _exit(128 + signal_number);
}

static void
run(const char *door, char **command)
{
    char pid[24];
    int conn;

    signal(SIGTERM, give_up); /* process 1 has no default action */
    signal(SIGINT, give_up);
    conn = connect_to(door);
    /* It may be that number already, and close with exec then. */
    if (dup2(receive_socket(conn), LISTEN_FD) != LISTEN_FD || fcntl(LISTEN_FD, F_SETFD, 0) != 0)
        fail("the socket");
    watch_holder(conn);
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    setenv("LISTEN_PID", pid, 1);
    setenv("LISTEN_FDS", "1", 1);
    execvp(command[0], command);
    fail(command[0]);
}

int
main(int argc, char **argv)
{
    if (argc == 6 && strcmp(argv[1], "hold") == 0)
        hold(argv[2], argv[3], argv[4], argv[5]);
    if (argc >= 4 && strcmp(argv[1], "run") == 0)
        run(argv[2], argv + 3);
    fprintf(stderr, "Usage: socket-holder hold DOOR SOCKET MODE GROUP\n"
                    "       socket-holder run DOOR COMMAND...\n");
    return 2;
}
