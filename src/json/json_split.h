/*
 * json_split.h - a document whose long lists are read element by element, so that their tree is
 * never whole in memory.
 *
 * What is split is split by brackets, quotes and commas alone.  Whether a piece is JSON, the parser
 * says: if the rest and all the pieces are, so is the document.
 */
#ifndef JSON_JSON_SPLIT_H
#define JSON_JSON_SPLIT_H

#include "util/buffer.h"

#include <stddef.h>

struct json_list {
    size_t key;        /* of the document's top-level object its first, second … key's value */
    size_t start, end; /* its bytes in the text, without the brackets */
};

/*
 * The first `max` lists among the values of the top-level object, and in `rest` the document with
 * these lists empty: white space stands for what was in them, so that lines and columns are the
 * same.  Returns how many there are.  A document that is no object is all rest.
 */
size_t json_split_lists(const char *text, size_t size, struct json_list *lists, size_t max,
                        struct buffer *rest);

/* Where the element of a list ends that begins at `start`: at a comma, or at `end`. */
size_t json_split_element(const char *text, size_t start, size_t end);

/* How many elements a list has: the commas between them and one more, but none in white space. */
size_t json_split_count(const char *text, const struct json_list *list);

/* From just after a string's opening quote to just after its closing one. */
size_t json_split_string(const char *text, size_t i, size_t size);

#endif
