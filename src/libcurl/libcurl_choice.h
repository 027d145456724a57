/*
 * libcurl_choice.h - which file the process has its libcurl from: the system's, or one that the
 * operator names (CURLEW_LIBCURL, `libcurl`), such as the libcurl-impersonate inside curl_cffi.
 *
 * The dynamic linker binds functions at start, so another library needs another start: the program
 * executes itself with it preloaded.  Functions of two libcurls must never be mixed, as a library
 * that lacks some of them would have it; that is checked.
 */
#ifndef LIBCURL_LIBCURL_CHOICE_H
#define LIBCURL_LIBCURL_CHOICE_H

#include "util/failure.h"

/*
 * First of all, before libcurl is used and threads are started.  `path`: of a libcurl-impersonate;
 * NULL: what the dynamic linker has found.  0: all of libcurl comes from one file, from `path`
 * where that is given.  -1 with `err` otherwise.  It may not return, but execute `argv` anew.
 */
int libcurl_choice_apply(const char *path, char **argv, struct failure *err)
    __attribute__((warn_unused_result));

/* The file that libcurl is in; "" where that is not known. */
const char *libcurl_choice_file(void);

/*
 * Stands in for the functions of Python that curl_cffi's extension needs: it is a
 * libcurl-impersonate with a Python module around it.  Without Python the dynamic linker would
 * refuse it for the module's sake, of which nothing is ever called.  The Makefile gives this
 * function all their names (PYTHON_SYMBOLS), and exports them.  It ends the process.
 */
void libcurl_choice_absent(void) __attribute__((noreturn));

/*
 * The program's strtok(), and so its libraries': each thread has a place of its own.  The C
 * library's has one for all, and libcurl-impersonate calls it as it opens an HTTP/2 connection: two
 * threads at once would mix the settings of two fetches.
 */
char *libcurl_choice_strtok(char *text, const char *separators);

#endif
