/*
 * json_memory.h - jansson's memory: each document lies in blocks of its own, which are bounded.
 *
 * Small JSON values take up to seventy times their text.  So what jansson allocates for one
 * document is counted, and refused past a limit.  The blocks come from the kernel and go back to it
 * whole, so that one large request does not leave the process large.
 *
 * One thread at a time owns a document.  It may be parsed on one thread and freed on another.
 */
#ifndef JSON_JSON_MEMORY_H
#define JSON_JSON_MEMORY_H

#include <jansson.h>
#include <stddef.h>

enum json_memory_end {
    JSON_MEMORY_OK,
    JSON_MEMORY_FULL, /* the document needs more bytes than allowed */
    JSON_MEMORY_NONE, /* the system had no memory */
};

/*
 * From here on, what jansson allocates on this thread belongs to one new document of at most `max`
 * bytes.  `text_size` bytes will be parsed.  -1: no memory.
 */
int json_memory_begin(size_t max, size_t text_size);

/*
 * In between, json_loadb().  If an allocation fails while jansson (2.14) reads a string, it loses
 * bytes, misses the string's end and writes past its buffer.  So jansson is never told: it is left
 * by longjmp(), and json_memory_finish() frees what it had.  NULL then, and if the text is
 * malformed.
 */
json_t *json_memory_load(const char *text, size_t size, size_t flags, json_error_t *error);

/* The document is complete.  What was refused since json_memory_begin(), the first cause. */
enum json_memory_end json_memory_finish(void);

/* Bytes that the document of this value holds; 0 of a value outside any document. */
size_t json_memory_bytes(const json_t *value);

/*
 * Frees the whole document of `root` at once, without a walk through its values.  There must be no
 * other reference to any of them.  NULL is allowed.
 */
void json_memory_release(json_t *root);

/* For text from json_dumps(), which is jansson's memory, too.  NULL is allowed. */
void json_memory_free(void *p);

#endif
