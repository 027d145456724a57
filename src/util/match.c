/* match.c - which items of one list are those of another, in n log n steps. */

#include "util/match.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

/* The compare function that is in use: qsort() passes on no argument that C has. */
struct entry {
    const void *item;
    match_compare *compare;
    size_t at;
};

static int
compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = x->compare(x->item, y->item);

    if (order != 0)
        return order;
    return x->at < y->at ? -1 : x->at > y->at;
}

/* NULL: no memory. */
static struct entry *
sort(const struct match_list *list, match_compare *compare)
{
    struct entry *all = calloc(list->count + 1, sizeof all[0]);

    for (size_t i = 0; all != NULL && i < list->count; i++)
        all[i] = (struct entry){ (const char *)list->items + i * list->size, compare, i };
    if (all != NULL)
        qsort(all, list->count, sizeof all[0], compare_entries);
    return all;
}

/* Both lists are sorted: one walk through them. */
static void
walk(size_t *found, const struct entry *a, size_t a_count, const struct entry *b, size_t b_count,
     bool nth)
{
    size_t k = 0;

    for (size_t i = 0; i < a_count; i++) {
        match_compare *compare = a[i].compare;

        while (k < b_count && compare(b[k].item, a[i].item) < 0)
            k++;
        if (k < b_count && compare(b[k].item, a[i].item) == 0) {
            found[a[i].at] = b[k].at;
            k += nth;
        } else {
            found[a[i].at] = MATCH_NONE;
        }
    }
}

static int
match(size_t *found, const struct match_list *a, const struct match_list *b, match_compare *compare,
      bool nth)
{
    struct entry *of_a = sort(a, compare), *of_b = sort(b, compare);
    int rc = of_a != NULL && of_b != NULL ? 0 : -1;

    if (rc == 0)
        walk(found, of_a, a->count, of_b, b->count, nth);
    free(of_a);
    free(of_b);
    return rc;
}

int
match_first(size_t *found, const struct match_list *a, const struct match_list *b,
            match_compare *compare)
{
    return match(found, a, b, compare, false);
}

int
match_nth(size_t *found, const struct match_list *a, const struct match_list *b,
          match_compare *compare)
{
    return match(found, a, b, compare, true);
}
