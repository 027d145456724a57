/* json_split.c - a document whose long lists are read element by element. */

#include "json/json_split.h"

#include <stdbool.h>
#include <string.h>

size_t
json_split_string(const char *text, size_t i, size_t size)
{
    while (i < size && text[i] != '"')
        i += text[i] == '\\' ? 2 : 1;
    return i < size ? i + 1 : size;
}

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static size_t
skip_space(const char *text, size_t i, size_t end)
{
    while (i < end && is_space(text[i]))
        i++;
    return i;
}

/* The bracket that closes what is open at `i`, whichever bracket that is; or `end`. */
static size_t
find_closing(const char *text, size_t i, size_t end)
{
    size_t depth = 1;

    while (i < end) {
        char c = text[i];

        if (c == '[' || c == '{')
            depth++;
        else if ((c == ']' || c == '}') && --depth == 0)
            return i;
        i = c == '"' ? json_split_string(text, i + 1, end) : i + 1;
    }
    return end;
}

/* A character is one column, of however many bytes. */
static void
add_blank(struct buffer *to, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (text[i] == '\n')
            buffer_addc(to, '\n');
        else if (((unsigned char)text[i] & 0xC0) != 0x80)
            buffer_addc(to, ' ');
}

/* A walk through the top-level object. */
struct walk {
    size_t keys;   /* so many colons have been seen */
    size_t copied; /* into the rest, up to here */
};

static void
add_list(struct walk *w, const char *text, const struct json_list *list, struct buffer *rest)
{
    buffer_add(rest, text + w->copied, list->start - w->copied);
    add_blank(rest, text + list->start, list->end - list->start);
    w->copied = list->end;
}

/* Returns where the value that opens at `i` is over, or its text ends. */
static size_t
skip_value(const char *text, size_t i, size_t size, struct json_list *list)
{
    size_t end = find_closing(text, i + 1, size);

    *list = (struct json_list){ .start = i + 1, .end = i + 1 };
    if (end == size)
        return size;
    if (text[i] == '[' && text[end] == ']')
        list->end = end;
    return end + 1;
}

size_t
json_split_lists(const char *text, size_t size, struct json_list *lists, size_t max,
                 struct buffer *rest)
{
    size_t i = skip_space(text, 0, size), count = 0;
    struct walk w = { 0 };

    if (i < size && text[i] == '{')
        i++;
    else
        i = size;
    while (i < size && text[i] != '}' && text[i] != ']') {
        struct json_list list;

        w.keys += text[i] == ':';
        if (text[i] == '"') {
            i = json_split_string(text, i + 1, size);
        } else if (text[i] == '[' || text[i] == '{') {
            i = skip_value(text, i, size, &list);
            list.key = w.keys;
            if (list.end > list.start && count < max) {
                add_list(&w, text, &list, rest);
                lists[count++] = list;
            }
        } else {
            i++;
        }
    }
    buffer_add(rest, text + w.copied, size - w.copied);
    return count;
}

size_t
json_split_element(const char *text, size_t start, size_t end)
{
    size_t i = start;

    while (i < end && text[i] != ',') {
        if (text[i] == '"') {
            i = json_split_string(text, i + 1, end);
        } else if (text[i] == '[' || text[i] == '{') {
            i = find_closing(text, i + 1, end);
            i += i < end;
        } else {
            i++;
        }
    }
    return i < end ? i : end;
}

size_t
json_split_count(const char *text, const struct json_list *list)
{
    size_t count = 0;

    if (skip_space(text, list->start, list->end) == list->end)
        return 0;
    for (size_t at = list->start; at <= list->end; count++)
        at = json_split_element(text, at, list->end) + 1;
    return count;
}
