/* batch.c - JSON to a batch: its requests, read one by one as they are started. */

#include "message/batch.h"

#include "http/request_merge.h"
#include "message/request_json.h"

#include <stdlib.h>
#include <string.h>

struct batch {
    json_t *root;     /* the document, which owns the requests */
    json_t *requests; /* null in place of each that has been read */
    struct request defaults;
    int parallel;
    bool in_order;
};

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
read_requests(struct batch *b, const struct json_path *at, json_t *list, struct failure *err)
{
    const json_t *item;
    size_t i;

    if (!json_is_array(list))
        return json_path_refuse(at, err, "expected a list of request objects");
    if (json_array_size(list) > BATCH_REQUESTS_MAX)
        return json_path_refuse(at, err, "%zu requests, at most %d are allowed",
                                json_array_size(list), BATCH_REQUESTS_MAX);
    json_array_foreach(list, i, item)
    {
        struct json_path here = { at, NULL, i };

        if (!json_is_object(item))
            return json_path_refuse(&here, err, "a request is a JSON object");
    }
    b->requests = list;
    return 0;
}

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
read_key(struct batch *b, const char *name, json_t *value, struct failure *err)
{
    struct json_path at = { NULL, name, 0 };

    if (strcmp(name, "requests") == 0)
        return read_requests(b, &at, value, err);
    if (strcmp(name, "defaults") == 0)
        return read_defaults(b, &at, value, err);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (strcmp(name, keys[i].name) == 0)
            return field_json_read(b, &keys[i], value, &at, err);
    return json_path_unknown_key(&at, err);
}

static int
read_batch(struct batch *b, struct failure *err)
{
    const char *name;
    json_t *value;

    if (!json_is_object(b->root))
        return json_path_refuse(NULL, err, "a batch is a JSON object");
    json_object_foreach(b->root, name, value)
    {
        if (read_key(b, name, value, err) != 0)
            return -1;
    }
    if (b->requests == NULL)
        return json_path_refuse(&(struct json_path){ NULL, "requests", 0 }, err, "required");
    return 0;
}

/* -- the batch ----------------------------------------------------------- */

struct batch *
batch_from_text(const char *text, size_t size, struct failure *err)
{
    struct batch *b = calloc(1, sizeof *b);

    if (b == NULL) {
        failure_no_memory(err);
        return NULL;
    }
    request_init(&b->defaults);
    b->parallel = BATCH_PARALLEL;
    if ((b->root = json_parse(text, size, err)) == NULL || read_batch(b, err) != 0) {
        batch_free(b);
        return NULL;
    }
    return b;
}

void
batch_free(struct batch *b)
{
    if (b == NULL)
        return;
    json_decref(b->root);
    request_destroy(&b->defaults);
    free(b);
}

size_t
batch_count(const struct batch *b)
{
    return json_array_size(b->requests);
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

int
batch_read(struct batch *b, size_t i, struct request *r, struct failure *err)
{
    const json_t *object = json_array_get(b->requests, i);
    int rc = request_json_read(r, object, err);

    if (rc != 0)
        find_tag(b, r, object);
    else
        rc = complete(b, r, err);
    json_array_set_new(b->requests, i, json_null());
    return rc;
}
