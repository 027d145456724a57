/* batch.c - JSON to a batch: its requests, read one by one as they are started. */

#include "message/batch.h"

#include "http/request_merge.h"
#include "message/request_json.h"
#include "json/json_split.h"

#include <stdlib.h>
#include <string.h>

#define LISTS_MAX 4 /* more than a batch has */

struct batch {
    const char *text;      /* the document, which is the caller's */
    struct element *items; /* its requests */
    size_t count;
    struct request defaults;
    int parallel;
    bool in_order;
};

/* A request that was read with the batch: large ones would take long when they are started. */
struct early {
    struct request request;
    struct failure failure;
};

struct element {
    size_t start, end;   /* bytes of the text */
    struct early *early; /* or NULL */
};

/* A document that is being read. */
struct batch_reader {
    struct batch *b;
    struct failure *err;
    struct json_list lists[LISTS_MAX];
    size_t list_count;
    size_t key; /* its number, from 1 */
    bool has_requests;
};

/* -- the requests --------------------------------------------------------- */

/* Of the list, whose elements the rest of the document lacks; NULL: the list is empty. */
static const struct json_list *
find_list(const struct batch_reader *rd)
{
    for (size_t i = 0; i < rd->list_count; i++)
        if (rd->lists[i].key == rd->key)
            return &rd->lists[i];
    return NULL;
}

static bool
is_large(const struct element *item)
{
    return item->end - item->start > BATCH_LARGE;
}

/* NULL, with err: it is no JSON, or no object. */
static json_t *
parse_element(const struct batch *b, size_t i, struct failure *err)
{
    static const struct json_path list = { NULL, "requests", 0 };
    const struct json_path at = { &list, NULL, i };
    json_t *value = json_parse_piece(b->text, b->items[i].start, b->items[i].end, err);

    if (value == NULL || json_is_object(value))
        return value;
    json_memory_release(value);
    json_path_refuse(&at, err, "a request is a JSON object");
    return NULL;
}

/*
 * What is in it is read when it is started, but whether it is JSON must be known now.  A large one
 * is read early, and only then parsed.
 */
static int
check_element(const struct batch *b, size_t i, struct failure *err)
{
    json_t *value;

    if (is_large(&b->items[i]))
        return 0;
    if ((value = parse_element(b, i, err)) == NULL)
        return -1;
    json_memory_release(value);
    return 0;
}

static int
read_elements(struct batch_reader *rd, const struct json_list *list)
{
    struct batch *b = rd->b;
    size_t start = list->start;

    for (size_t i = 0; i < b->count; i++) {
        b->items[i].start = start;
        b->items[i].end = json_split_element(b->text, start, list->end);
        if (check_element(b, i, rd->err) != 0)
            return -1;
        start = b->items[i].end + 1;
    }
    return 0;
}

static int
read_requests(struct batch_reader *rd, const struct json_path *at, const json_t *value)
{
    const struct json_list *list = find_list(rd);
    struct batch *b = rd->b;

    if (!json_is_array(value))
        return json_path_refuse(at, rd->err, "expected a list of request objects");
    rd->has_requests = true;
    if (list == NULL || (b->count = json_split_count(b->text, list)) == 0)
        return 0;
    if (b->count > BATCH_REQUESTS_MAX)
        return json_path_refuse(at, rd->err, "%zu requests, at most %d are allowed", b->count,
                                BATCH_REQUESTS_MAX);
    if ((b->items = calloc(b->count, sizeof b->items[0])) == NULL)
        return failure_no_memory(rd->err);
    return read_elements(rd, list);
}

/* -- the keys ------------------------------------------------------------ */

static const char *const orders[] = { "completed", "input", NULL };

static const struct field keys[] = {
    { .name = "max_parallel",
      .kind = FIELD_INT,
      .at = offsetof(struct batch, parallel),
      .min = 1,
      .max = BATCH_PARALLEL_MAX },
    { .name = "order",
      .kind = FIELD_TWO_WAY,
      .at = offsetof(struct batch, in_order),
      .words = orders },
};

static int
read_default(struct batch *b, const struct json_path *at, const json_t *value, struct failure *err)
{
    struct request_context rd = { .r = &b->defaults, .err = err };
    enum request_key key = request_json_find(at->name);

    if (key == KEY_COUNT)
        return json_path_unknown_key(at, err);
    if (key == KEY_FORWARD_HEADERS)
        return json_path_refuse(at, err, "can only be used in a handoff");
    if (!(request_key_field(key)->flags & REQUEST_IN_SESSION) && key != KEY_SESSION)
        return json_path_refuse(at, err, "belongs to a single request");
    return request_json_read_key(&rd, key, at, value);
}

static int
read_defaults(struct batch *b, const struct json_path *at, json_t *object, struct failure *err)
{
    const char *name;
    json_t *value;

    if (!json_is_object(object))
        return json_path_refuse(at, err, "expected an object of request keys");
    json_object_foreach(object, name, value)
    {
        struct json_path here = { at, name, 0 };

        if (read_default(b, &here, value, err) != 0)
            return -1;
    }
    return 0;
}

static int
read_key(struct batch_reader *rd, const char *name, json_t *value)
{
    struct json_path at = { NULL, name, 0 };

    if (strcmp(name, "requests") == 0)
        return read_requests(rd, &at, value);
    if (strcmp(name, "defaults") == 0)
        return read_defaults(rd->b, &at, value, rd->err);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (strcmp(name, keys[i].name) == 0)
            return field_json_read(rd->b, &keys[i], value, &at, rd->err);
    return json_path_unknown_key(&at, rd->err);
}

static int
read_keys(struct batch_reader *rd, const json_t *object)
{
    static const struct json_path requests = { NULL, "requests", 0 };
    const char *name;
    json_t *value;

    if (!json_is_object(object))
        return json_path_refuse(NULL, rd->err, "a batch is a JSON object");
    json_object_foreach((json_t *)object, name, value)
    {
        rd->key++;
        if (read_key(rd, name, value) != 0)
            return -1;
    }
    return rd->has_requests ? 0 : json_path_refuse(&requests, rd->err, "required");
}

/* All but the requests as a tree, and then each request for itself. */
static int
read_batch(struct batch *b, size_t size, struct failure *err)
{
    struct batch_reader rd = { .b = b, .err = err };
    struct buffer rest;
    json_t *object = NULL;
    int rc = -1;

    if (json_check(b->text, size, err) != 0)
        return -1;
    buffer_init(&rest, SIZE_MAX / 2);
    buffer_expect(&rest, size);
    rd.list_count = json_split_lists(b->text, size, rd.lists, LISTS_MAX, &rest);
    if (!buffer_ok(&rest))
        failure_no_memory(err);
    else
        object = json_parse_piece(rest.data, 0, rest.len, err);
    if (object != NULL)
        rc = read_keys(&rd, object);
    json_memory_release(object);
    buffer_free(&rest);
    return rc;
}

/* -- reading a request ---------------------------------------------------- */

/*
 * The tag of a request that is refused: the caller wants it back, also where what is wrong stands
 * before it.
 */
static void
find_tag(const struct batch *b, struct request *r, const json_t *object)
{
    static const struct json_path at = { NULL, "tag", 0 };
    struct failure ignored = { 0 };
    struct request_context rd = { .r = r, .err = &ignored };
    const json_t *tag = json_object_get(object, at.name);

    if (r->tag == NULL && tag != NULL)
        request_json_read_key(&rd, KEY_TAG, &at, tag);
    if (r->tag == NULL)
        request_key_copy(r, &b->defaults, KEY_TAG);
}

static int
complete(const struct batch *b, struct request *r, struct failure *err)
{
    if (r->session == NULL && request_key_copy(r, &b->defaults, KEY_SESSION) != 0)
        return failure_no_memory(err);
    return request_merge_defaults(r, &b->defaults, err);
}

static int
read_one(const struct batch *b, struct request *r, const json_t *object, struct failure *err)
{
    int rc;

    r->most = b->defaults.most;
    rc = request_json_read(r, object, err);
    if (rc != 0)
        find_tag(b, r, object);
    else
        rc = complete(b, r, err);
    return rc;
}

static int
read_early(struct batch *b, struct failure *err)
{
    for (size_t i = 0; i < b->count; i++) {
        struct element *item = &b->items[i];
        json_t *object;

        if (!is_large(item))
            continue;
        if ((object = parse_element(b, i, err)) == NULL)
            return -1;
        if ((item->early = calloc(1, sizeof *item->early)) == NULL) {
            json_memory_release(object);
            return failure_no_memory(err);
        }
        request_init(&item->early->request);
        read_one(b, &item->early->request, object, &item->early->failure);
        json_memory_release(object);
    }
    return 0;
}

static int
take_early(struct element *item, struct request *r, struct failure *err)
{
    struct early *early = item->early;

    request_destroy(r);
    *r = early->request;
    *err = early->failure;
    free(early);
    item->early = NULL;
    return err->error == ERROR_NONE ? 0 : -1;
}

/* -- the batch ----------------------------------------------------------- */

struct batch *
batch_from_text(const char *text, size_t size, const struct request_limits *most,
                struct failure *err)
{
    struct batch *b = calloc(1, sizeof *b);

    if (b == NULL) {
        failure_no_memory(err);
        return NULL;
    }
    request_init(&b->defaults);
    b->defaults.most = *most;
    b->text = text;
    b->parallel = BATCH_PARALLEL;
    if (read_batch(b, size, err) != 0 || read_early(b, err) != 0) {
        batch_free(b);
        return NULL;
    }
    return b;
}

static void
free_early(struct early *early)
{
    if (early != NULL)
        request_destroy(&early->request);
    free(early);
}

void
batch_free(struct batch *b)
{
    if (b == NULL)
        return;
    for (size_t i = 0; b->items != NULL && i < b->count; i++)
        free_early(b->items[i].early);
    free(b->items);
    request_destroy(&b->defaults);
    free(b);
}

size_t
batch_count(const struct batch *b)
{
    return b->count;
}

size_t
batch_parallel(const struct batch *b)
{
    return (size_t)b->parallel;
}

bool
batch_in_order(const struct batch *b)
{
    return b->in_order;
}

/* -- one request --------------------------------------------------------- */

int
batch_read(struct batch *b, size_t i, struct request *r, struct failure *err)
{
    struct element *item = &b->items[i];

    json_t *object;
    int rc;

    if (item->early != NULL)
        return take_early(item, r, err);
    if ((object = parse_element(b, i, err)) == NULL)
        return -1;
    rc = read_one(b, r, object, err);
    json_memory_release(object);
    return rc;
}
