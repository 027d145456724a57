/*
 * system_ca.h - the certificates of the authorities that are trusted where nobody names others.
 *
 * A libcurl has the path of a bundle built in, which is that of the system it was built for.  A
 * library that comes from elsewhere, such as curl_cffi's, may name a file that this machine lacks.
 */
#ifndef LIBCURL_SYSTEM_CA_H
#define LIBCURL_SYSTEM_CA_H

/*
 * The bundle to name to libcurl: the system's, or else the environment's SSL_CERT_FILE.  NULL:
 * libcurl's own will do, or there is none.  It is looked for once.
 */
const char *system_ca_file(void);

/* The first of these files that can be read, or else `fallback` if it can; NULL: none. */
const char *system_ca_find(const char *const *paths, const char *fallback);

#endif
