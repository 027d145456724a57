/*
 * notify.h - status messages to systemd: the sd_notify(3) protocol.
 */
#ifndef UTIL_NOTIFY_H
#define UTIL_NOTIFY_H

/* Send `state`, such as "READY=1", to $NOTIFY_SOCKET; does nothing where that is not set. */
void notify_send(const char *state);

/* RELOADING=1, with the time that systemd asks for. */
void notify_reloading(void);

#endif
