/* media_type.c - what Content-Type and Accept say. */

#include "http/media_type.h"

#include <string.h>
#include <strings.h>

static const char *
skip_blanks(const char *at)
{
    return at + strspn(at, " \t");
}

/* Behind the type that the text begins with; NULL: it is another. */
static const char *
skip_type(const char *text, const char *type)
{
    size_t n = strlen(type);

    if (strncasecmp(text, type, n) != 0)
        return NULL;
    text = skip_blanks(text + n);
    return *text == '\0' || *text == ';' || *text == ',' ? text : NULL;
}

bool
media_type_is(const char *content_type, const char *type)
{
    const char *rest = skip_type(skip_blanks(content_type), type);

    return rest != NULL && *rest != ',';
}

/* "q=0", with or without zeroes behind it, among the parameters up to a comma. */
static bool
is_refused(const char *parameters)
{
    while (*parameters == ';') {
        const char *at = skip_blanks(parameters + 1);

        if (strncasecmp(at, "q=0", 3) == 0) {
            at += 3;
            at += *at == '.' ? 1 + strspn(at + 1, "0") : 0;
            return strchr(" \t;,", *at) != NULL; /* the end of the text, too */
        }
        parameters = at + strcspn(at, ";,");
    }
    return false;
}

bool
media_type_is_accepted(const char *accept, const char *type)
{
    while (*(accept = skip_blanks(accept)) != '\0') {
        const char *parameters = skip_type(accept, type);

        if (parameters != NULL && !is_refused(parameters))
            return true;
        accept += strcspn(accept, ",");
        accept += *accept == ',';
    }
    return false;
}
