/* multipart.c - a multipart/form-data body (RFC 7578) for libcurl. */

#include "transfer/multipart.h"

#include "transfer/hop.h"

#include <stdio.h>
#include <stdlib.h>

/* libcurl takes the list over. */
static int
add_part_headers(struct curlew_fetch *f, curl_mimepart *mime, const struct headers *p)
{
    struct curl_slist *lines = NULL, *longer;
    char *line;

    for (size_t i = 0; i < p->count; i++) {
        longer = NULL;
        if (asprintf(&line, "%s: %s", p->items[i].name, p->items[i].value) >= 0) {
            longer = curl_slist_append(lines, line);
            free(line);
        }
        if (longer == NULL) {
            curl_slist_free_all(lines);
            return failure_no_memory(&f->failure);
        }
        lines = longer;
    }
    if (curl_mime_headers(mime, lines, 1) == CURLE_OK)
        return 0;
    curl_slist_free_all(lines);
    return failure_no_memory(&f->failure);
}

static int
add_mime_part(struct curlew_fetch *f, const struct part *part)
{
    curl_mimepart *mime = curl_mime_addpart(f->hop->mime);

    if (mime == NULL || curl_mime_name(mime, part->name) != CURLE_OK ||
        curl_mime_data(mime, part->data, part->size) != CURLE_OK)
        return failure_no_memory(&f->failure);
    if (part->filename != NULL && curl_mime_filename(mime, part->filename) != CURLE_OK)
        return failure_no_memory(&f->failure);
    if (part->content_type != NULL && curl_mime_type(mime, part->content_type) != CURLE_OK)
        return failure_no_memory(&f->failure);
    return part->headers.count > 0 ? add_part_headers(f, mime, &part->headers) : 0;
}

int
multipart_set(struct curlew_fetch *f)
{
    if ((f->hop->mime = curl_mime_init(f->hop->easy)) == NULL)
        return failure_no_memory(&f->failure);
    for (size_t i = 0; i < f->request.part_count; i++)
        if (add_mime_part(f, &f->request.parts[i]) != 0)
            return -1;
    hop_set(f->hop, CURLOPT_MIMEPOST, f->hop->mime);
    return 0;
}
