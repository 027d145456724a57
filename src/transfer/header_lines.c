/* header_lines.c - lines for CURLOPT_HTTPHEADER, in two blocks that are kept for the next one. */

#include "transfer/header_lines.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TEXT_USUAL 2048 /* bytes, and … */
#define ROOM_USUAL 32   /* … lines that are kept for the next request */
#define ROOM_FIRST 8

void
header_lines_init(struct header_lines *l)
{
    *l = (struct header_lines){ 0 };
    buffer_init(&l->text, SIZE_MAX / 2); /* prepare.c holds the real limit */
}

void
header_lines_destroy(struct header_lines *l)
{
    buffer_free(&l->text);
    free(l->nodes);
    header_lines_init(l);
}

static int
make_room(struct header_lines *l)
{
    size_t room = l->room > 0 ? 2 * l->room : ROOM_FIRST;
    struct curl_slist *nodes;

    if (l->count < l->room)
        return 0;
    if ((nodes = realloc(l->nodes, room * sizeof *nodes)) == NULL)
        return -1;
    l->nodes = nodes;
    l->room = room;
    return 0;
}

/* libcurl would leave out a field of such a value: to it "Name: " is "Name:". */
static bool
is_blank(const char *value)
{
    return value[strspn(value, " \t\v\f")] == '\0';
}

/* libcurl's notation: "Name: value", "Name;" for an empty value, "Name:" to leave its own out. */
int
header_lines_add(struct header_lines *l, const char *name, const char *value)
{
    if (make_room(l) != 0)
        return -1;
    buffer_adds(&l->text, name);
    if (value == NULL || is_blank(value)) {
        buffer_addc(&l->text, value == NULL ? ':' : ';');
    } else {
        buffer_adds(&l->text, ": ");
        buffer_adds(&l->text, value);
    }
    buffer_addc(&l->text, '\0');
    if (!buffer_ok(&l->text))
        return -1;
    l->count++;
    return 0;
}

/* The text may have moved with each line: only now are the places of all known. */
struct curl_slist *
header_lines_list(struct header_lines *l)
{
    char *at = l->text.data;

    for (size_t i = 0; i < l->count; i++) {
        l->nodes[i] = (struct curl_slist){ at, i + 1 < l->count ? &l->nodes[i + 1] : NULL };
        at += strlen(at) + 1;
    }
    return l->count > 0 ? l->nodes : NULL;
}

/* Behind the colon of a line of this name; NULL: it is of another, or has no value. */
static char *
value_of(char *line, const char *name)
{
    size_t n = strlen(name);

    return strncasecmp(line, name, n) == 0 && line[n] == ':' && line[n + 1] != '\0' ? line + n + 1
                                                                                    : NULL;
}

bool
header_lines_has(const struct header_lines *l, const char *name)
{
    for (size_t i = 0; i < l->count; i++)
        if (value_of(l->nodes[i].data, name) != NULL)
            return true;
    return false;
}

void
header_lines_leave_out(struct header_lines *l, const char *name)
{
    for (size_t i = 0; i < l->count; i++) {
        char *value = value_of(l->nodes[i].data, name);

        if (value != NULL)
            *value = '\0';
    }
}

void
header_lines_clear(struct header_lines *l)
{
    if (l->room > ROOM_USUAL || l->text.cap > TEXT_USUAL || !buffer_ok(&l->text))
        header_lines_destroy(l);
    buffer_clear(&l->text);
    l->count = 0;
}
