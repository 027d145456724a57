/* impersonate_targets.c - the names of browsers, and which of them libcurl can wear. */

#include "libcurl/impersonate_targets.h"

#include "libcurl/curl_memory.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

#define OTHERS_MAX 64 /* targets that are not in the table, which requests have named */
#define NAME_SIZE  64

struct family {
    const char *aliases[3];
    const char *targets[24]; /* from new to old; the last one is NULL */
};

/* clang-format off */
static const struct family families[] = {
    { { "chrome" },
      { "chrome152", "chrome151", "chrome150", "chrome146", "chrome145", "chrome142", "chrome136",
        "chrome133a", "chrome131", "chrome124", "chrome123", "chrome120", "chrome119", "chrome116",
        "chrome110", "chrome107", "chrome104", "chrome101", "chrome100", "chrome99" } },
    { { NULL }, { "chrome152_macos", "chrome151_macos" } },
    { { "chrome_android" }, { "chrome131_android", "chrome99_android" } },
    { { "edge" }, { "edge101", "edge99" } },
    { { "safari", "safari_beta" },
      { "safari270", "safari2601", "safari260", "safari184", "safari180", "safari170", "safari155",
        "safari153" } },
    { { "safari_ios", "safari_ios_beta" },
      { "safari270_ios", "safari260_ios", "safari184_ios", "safari180_ios", "safari172_ios" } },
    { { "firefox" },
      { "firefox155", "firefox154", "firefox153", "firefox147", "firefox144", "firefox135",
        "firefox133" } },
    { { "tor" }, { "tor145" } },
};
/* clang-format on */

#define FAMILIES    (sizeof families / sizeof families[0])
#define TARGETS_MAX (sizeof families[0].targets / sizeof families[0].targets[0])
#define ALIASES_MAX (sizeof families[0].aliases / sizeof families[0].aliases[0])

static pthread_once_t looked_up = PTHREAD_ONCE_INIT;
static impersonate_targets_wear *wear; /* written once */

static pthread_once_t asked = PTHREAD_ONCE_INIT;
static bool taken[FAMILIES][TARGETS_MAX]; /* written once */

static pthread_mutex_t others_lock = PTHREAD_MUTEX_INITIALIZER;
static char others[OTHERS_MAX][NAME_SIZE];
static size_t other_count;

static void
look_up(void)
{
    wear = (impersonate_targets_wear *)dlsym(RTLD_DEFAULT, "curl_easy_impersonate");
}

impersonate_targets_wear *
impersonate_targets_function(void)
{
    pthread_once(&looked_up, look_up);
    return wear;
}

static bool
takes(CURL *easy, const char *target)
{
    if (easy == NULL)
        return false;
    curl_easy_reset(easy);
    return wear(easy, target, 1) == CURLE_OK;
}

/* The engine may not have begun yet: a configuration is read before. */
static void
ask_for_all(void)
{
    CURL *easy = curl_memory_init() == 0 ? curl_easy_init() : NULL;

    for (size_t i = 0; i < FAMILIES; i++)
        for (size_t k = 0; families[i].targets[k] != NULL; k++)
            taken[i][k] = takes(easy, families[i].targets[k]);
    curl_easy_cleanup(easy);
}

static const char *
newest(size_t family)
{
    for (size_t k = 0; families[family].targets[k] != NULL; k++)
        if (taken[family][k])
            return families[family].targets[k];
    return NULL;
}

static bool
is_alias(size_t family, const char *name)
{
    for (size_t k = 0; k < ALIASES_MAX && families[family].aliases[k] != NULL; k++)
        if (strcmp(families[family].aliases[k], name) == 0)
            return true;
    return false;
}

/* One that the table has; *known: it has the name, whether the library takes it or not. */
static const char *
find_in_table(const char *name, bool *known)
{
    *known = true;
    for (size_t i = 0; i < FAMILIES; i++) {
        if (is_alias(i, name))
            return newest(i);
        for (size_t k = 0; families[i].targets[k] != NULL; k++)
            if (strcmp(families[i].targets[k], name) == 0)
                return taken[i][k] ? families[i].targets[k] : NULL;
    }
    *known = false;
    return NULL;
}

static const char *
find_other(const char *name)
{
    CURL *easy;
    bool good;

    for (size_t i = 0; i < other_count; i++)
        if (strcmp(others[i], name) == 0)
            return others[i];
    if (other_count == OTHERS_MAX || strlen(name) >= NAME_SIZE)
        return NULL;
    easy = curl_easy_init();
    good = takes(easy, name);
    curl_easy_cleanup(easy);
    return good ? strcpy(others[other_count++], name) : NULL;
}

const char *
impersonate_targets_find(const char *name)
{
    const char *found;
    bool known;

    if (impersonate_targets_function() == NULL)
        return NULL;
    pthread_once(&asked, ask_for_all);
    found = find_in_table(name, &known);
    if (known)
        return found;
    pthread_mutex_lock(&others_lock);
    found = find_other(name);
    pthread_mutex_unlock(&others_lock);
    return found;
}

const char *
impersonate_targets_get(size_t i)
{
    if (impersonate_targets_function() == NULL)
        return NULL;
    pthread_once(&asked, ask_for_all);
    for (size_t family = 0; family < FAMILIES; family++)
        for (size_t k = 0; families[family].targets[k] != NULL; k++)
            if (taken[family][k] && i-- == 0)
                return families[family].targets[k];
    return NULL;
}
