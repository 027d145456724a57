/* test_mailbox.c - hands owned objects from any thread to one thread. */

#include "event/mailbox.h"

#include "util/list.h"

#include <criterion/criterion.h>
#include <sched.h>

#define SENDERS 4
#define LETTERS 5000

struct letter {
    struct mail mail;
    int sender, number;
};

static struct mailbox box;
static struct letter letters[SENDERS][LETTERS];

static void
setup(void)
{
    mailbox_init(&box);
}

static void
teardown(void)
{
    mailbox_destroy(&box);
}

TestSuite(mailbox, .init = setup, .fini = teardown);

static struct letter *
letter_of(struct mail *m)
{
    return container_of(m, struct letter, mail);
}

Test(mailbox, is_empty_when_new)
{
    cr_assert_null(mailbox_take(&box));
}

Test(mailbox, gives_all_at_once_oldest_first)
{
    struct mail *one;

    for (int i = 0; i < 3; i++) {
        letters[0][i].number = i;
        mailbox_push(&box, &letters[0][i].mail);
    }
    one = mailbox_take(&box);
    for (int i = 0; i < 3; i++, one = one->next)
        cr_assert_eq(letter_of(one)->number, i);
    cr_assert_null(one);
    cr_assert_null(mailbox_take(&box));
}

Test(mailbox, asks_to_wake_the_receiver_only_when_it_was_empty)
{
    cr_assert(mailbox_push(&box, &letters[0][0].mail));
    cr_assert_not(mailbox_push(&box, &letters[0][1].mail));
    mailbox_take(&box);
    cr_assert(mailbox_push(&box, &letters[0][2].mail));
    mailbox_take(&box);
}

Test(mailbox, what_was_taken_can_be_sent_again)
{
    struct mail *one;

    mailbox_push(&box, &letters[0][0].mail);
    mailbox_push(&box, &letters[0][1].mail);
    one = mailbox_take(&box);
    mailbox_push(&box, one); /* its old `next` must not come along */

    one = mailbox_take(&box);
    cr_assert_eq(one, &letters[0][0].mail);
    cr_assert_null(one->next);
}

static void *
send_all(void *arg)
{
    struct letter *mine = arg;

    for (int i = 0; i < LETTERS; i++) {
        mine[i].number = i;
        mailbox_push(&box, &mine[i].mail);
    }
    return NULL;
}

/* Takes until all are there; each sender's letters must come in its own order. */
static void
receive_all(int next[SENDERS])
{
    int received = 0;

    while (received < SENDERS * LETTERS) {
        struct mail *one = mailbox_take(&box);

        if (one == NULL)
            sched_yield();
        for (; one != NULL; one = one->next, received++) {
            struct letter *l = letter_of(one);

            cr_assert_eq(l->number, next[l->sender]++, "sender %d", l->sender);
        }
    }
}

Test(mailbox, loses_and_reorders_nothing_when_several_threads_send, .timeout = 60)
{
    pthread_t threads[SENDERS];
    int next[SENDERS] = { 0 };

    for (int i = 0; i < SENDERS; i++) {
        for (int j = 0; j < LETTERS; j++)
            letters[i][j].sender = i;
        cr_assert_eq(pthread_create(&threads[i], NULL, send_all, letters[i]), 0);
    }
    receive_all(next);
    for (int i = 0; i < SENDERS; i++) {
        pthread_join(threads[i], NULL);
        cr_assert_eq(next[i], LETTERS);
    }
    cr_assert_null(mailbox_take(&box));
}
