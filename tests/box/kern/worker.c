// SPDX-License-Identifier: GPL-2.0-only
/* Workers that are given up: who held one is left alone, for a time even when a signal has ended the wait. */
#include "../../pure/unit/test.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "worker.h"

#define SHOP  7U  /* a slot */
#define SPACE 99U /* a network namespace */

static void wait_for_ever(int out, void *data)
{
	(void)out;
	(void)data;
	pause();
}

/* Until a worker has stood for so long, in ms. */
static __s64 stands(const struct losses *losses, __u32 slot, struct worker *worker)
{
	__s64 began = clock_ms(CLOCK_MONOTONIC);
	struct fault fault;

	assert_int_equal(worker_start(worker, wait_for_ever, NULL, -1, &fault), 0);
	worker->patience = losses_patience(losses, slot, SPACE);
	while (!worker_is_held(worker))
		poll(NULL, 0, 5);
	return clock_ms(CLOCK_MONOTONIC) - began;
}

/* One is given up at the space: how long it stood, in ms. */
static __s64 give_up(struct losses *losses)
{
	struct worker worker;
	__s64 stood = stands(losses, SHOP, &worker);

	worker_leave(&worker, losses, true, &(struct lost){ .slot = SHOP, .netns = SPACE });
	assert_int_equal(losses->of.n, 1);
	assert_true(losses_has_netns(losses, SPACE));
	return stood;
}

static void until_it_has_ended(struct losses *losses)
{
	do {
		poll(NULL, 0, 5);
		losses_check(losses);
	} while (losses->of.v[0].pid);
}

static void who_held_one_is_left_alone_when_it_has_ended(void **state)
{
	struct losses losses = { 0 };

	(void)state;
	assert_true(give_up(&losses) >= WORKER_PATIENCE);
	until_it_has_ended(&losses);
	assert_int_equal(losses.of.n, 1);
	assert_true(lost_is_held(&losses.of.v[0]));
	assert_true(losses_has_netns(&losses, SPACE));
	assert_false(losses_has_netns(&losses, SPACE + 1));
	free(losses.of.v);
}

static void it_is_tried_again_with_less_patience(void **state)
{
	struct losses losses = { 0 };

	(void)state;
	give_up(&losses);
	until_it_has_ended(&losses);
	losses.of.v[0].until = clock_ms(CLOCK_MONOTONIC);
	losses_check(&losses);
	assert_false(losses_has_netns(&losses, SPACE));
	assert_int_equal(losses_patience(&losses, SHOP, 0), WORKER_PATIENCE_AGAIN);
	assert_int_equal(losses_patience(&losses, 0, SPACE), WORKER_PATIENCE_AGAIN);
	assert_int_equal(losses_patience(&losses, SHOP + 1, SPACE + 1), WORKER_PATIENCE);
	give_up(&losses);
	until_it_has_ended(&losses);
	free(losses.of.v);
}

static void one_that_said_all_is_not_remembered(void **state)
{
	struct losses losses = { 0 };
	struct worker worker;

	(void)state;
	stands(&losses, SHOP, &worker);
	kill(worker.pid, SIGKILL);
	worker_leave(&worker, &losses, false, &(struct lost){ .slot = SHOP });
	assert_int_equal(losses_patience(&losses, SHOP, SPACE), WORKER_PATIENCE);
	while (losses.of.n) {
		poll(NULL, 0, 5);
		losses_check(&losses);
	}
	assert_int_equal(losses_patience(&losses, SHOP, SPACE), WORKER_PATIENCE);
	free(losses.of.v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_held_one_is_left_alone_when_it_has_ended),
		cmocka_unit_test(it_is_tried_again_with_less_patience),
		cmocka_unit_test(one_that_said_all_is_not_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
