/* libcurl_choice.c - which file the process has its libcurl from. */

#include "libcurl/libcurl_choice.h"

#include "libcurl/curl_features.h"
#include "util/text.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Tells the program that it has been executed for this file. */
#define EXECUTED "CURLEW_LIBCURL_EXECUTED"

/* All that this program uses; a test compares the list with the program. */
static const char *const functions[] = {
    "curl_easy_cleanup",
    "curl_easy_getinfo",
    "curl_easy_init",
    "curl_easy_option_by_name",
    "curl_easy_pause",
    "curl_easy_reset",
    "curl_easy_setopt",
    "curl_easy_strerror",
    "curl_free",
    "curl_getdate",
    "curl_global_cleanup",
    "curl_global_init_mem",
    "curl_global_trace",
    "curl_mime_addpart",
    "curl_mime_data",
    "curl_mime_filename",
    "curl_mime_free",
    "curl_mime_headers",
    "curl_mime_init",
    "curl_mime_name",
    "curl_mime_type",
    "curl_multi_add_handle",
    "curl_multi_cleanup",
    "curl_multi_info_read",
    "curl_multi_init",
    "curl_multi_remove_handle",
    "curl_multi_setopt",
    "curl_multi_socket_action",
    "curl_multi_socket_all",
    "curl_multi_timeout",
    "curl_share_cleanup",
    "curl_share_init",
    "curl_share_setopt",
    "curl_slist_append",
    "curl_slist_free_all",
    "curl_url",
    "curl_url_cleanup",
    "curl_url_get",
    "curl_url_set",
    "curl_url_strerror",
    "curl_version",
    "curl_version_info",
};

/* What a libcurl-impersonate has beside them. */
static const char impersonate[] = "curl_easy_impersonate";

/* The file that the function comes from; "": nobody knows. */
static const char *
file_of(const char *function)
{
    void *address = dlsym(RTLD_DEFAULT, function);
    Dl_info info;

    if (address == NULL || dladdr(address, &info) == 0 || info.dli_fname == NULL)
        return "";
    return info.dli_fname;
}

const char *
libcurl_choice_file(void)
{
    return file_of(functions[0]);
}

static bool
is_same_file(const char *a, const char *b)
{
    char *real_a = realpath(a, NULL), *real_b = realpath(b, NULL);
    bool same = real_a != NULL && real_b != NULL && strcmp(real_a, real_b) == 0;

    free(real_a);
    free(real_b);
    return same;
}

static int
fail_mixed(const char *file, const char *function, struct failure *err)
{
    return failure_set(err, ERROR_INTERNAL, "two libcurls are mixed: %s has %s, and %s has %s",
                       file, functions[0], file_of(function), function);
}

static int
check_one_file(const char *file, struct failure *err)
{
    const char *impersonating = file_of(impersonate);

    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        if (strcmp(file_of(functions[i]), file) != 0)
            return fail_mixed(file, functions[i], err);
    if (*impersonating != '\0' && strcmp(impersonating, file) != 0)
        return fail_mixed(file, impersonate, err);
    return 0;
}

/* One that the program is linked to may have it, behind a plain one that is preloaded. */
static int
check_impersonation(const char *path, struct failure *err)
{
    if (strcmp(file_of(impersonate), libcurl_choice_file()) != 0)
        return failure_set(err, ERROR_UNSUPPORTED,
                           "libcurl: %s has no curl_easy_impersonate(): a libcurl-impersonate is "
                           "needed, such as _wrapper.abi3.so of curl_cffi",
                           path);
    return 0;
}

static int
check_chosen(const char *path, struct failure *err)
{
    if (!is_same_file(libcurl_choice_file(), path))
        return failure_set(err, ERROR_UNSUPPORTED,
                           "libcurl: %s could not be loaded, or exports no functions of libcurl. "
                           "curl_cffi's extension does from 0.16 on",
                           path);
    if (check_impersonation(path, err) != 0)
        return -1;
    return check_one_file(libcurl_choice_file(), err);
}

static int
check_path(const char *path, struct failure *err)
{
    if (*path != '/')
        return failure_set(err, ERROR_BAD_REQUEST, "libcurl: \"%s\" is no absolute path", path);
    if (path[strcspn(path, ": \t\n$")] != '\0') /* the dynamic linker's list has no escapes */
        return failure_set(err, ERROR_BAD_REQUEST,
                           "libcurl: \"%s\": colons, spaces and $ are not possible here", path);
    if (access(path, R_OK) != 0)
        return failure_set(err, ERROR_BAD_REQUEST, "libcurl: %s: %s", path, strerror(errno));
    return 0;
}

static int
execute_with(const char *path, char **argv, struct failure *err)
{
    const char *others = getenv("LD_PRELOAD");
    char program[PATH_MAX], *preload;
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);

    if (asprintf(&preload, "%s%s%s", path, others != NULL ? ":" : "",
                 others != NULL ? others : "") < 0)
        return failure_no_memory(err);
    if (n > 0) {
        program[n] = '\0';
        if (setenv("LD_PRELOAD", preload, 1) == 0 && setenv(EXECUTED, path, 1) == 0)
            execv(program, argv);
    }
    free(preload);
    return failure_set(err, ERROR_INTERNAL, "libcurl: cannot execute curlewd anew with %s: %s",
                       path, strerror(errno));
}

int
libcurl_choice_apply(const char *path, char **argv, struct failure *err)
{
    bool executed = getenv(EXECUTED) != NULL;

    unsetenv(EXECUTED);
    unsetenv("CURL_IMPERSONATE"); /* by it the library would impersonate in every transfer */
    if (path == NULL)
        return curl_features_check_version(err) == 0 ? check_one_file(libcurl_choice_file(), err)
                                                     : -1;
    if (check_path(path, err) != 0)
        return -1;
    if (executed || is_same_file(libcurl_choice_file(), path))
        return check_chosen(path, err);
    return execute_with(path, argv, err);
}

void
libcurl_choice_absent(void)
{
    abort();
}

char *
libcurl_choice_strtok(char *text, const char *separators)
{
    static _Thread_local char *rest;

    return strtok_r(text, separators, &rest);
}
