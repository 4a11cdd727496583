// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel allocates for a socket, under a policy and without: how many more objects there are of each size, for
 * each of very many sockets. That is a whole number, so what else the machine does meanwhile rounds to nothing.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define TIMES      3
#define CROWDS     5 /* clients, for a process may not have so many sockets */
#define CACHES_MAX 1024

enum who { NONE, OURS, WHO_COUNT };

/* /proc/slabinfo, whose lines stay the same */
struct slabs {
	int n;
	double objects[CACHES_MAX], size[CACHES_MAX];
};

static void slabs_read(struct slabs *slabs)
{
	FILE *info = fopen("/proc/slabinfo", "r");
	char line[512];

	slabs->n = 0;
	while (info && slabs->n < CACHES_MAX && fgets(line, sizeof(line), info))
		slabs->n += sscanf(line, "%*s %lf %*f %lf", &slabs->objects[slabs->n], &slabs->size[slabs->n]) == 2;
	if (!info || !slabs->n)
		die("/proc/slabinfo cannot be read");
	fclose(info);
}

static double bytes_of(const struct slabs *slabs)
{
	double sum = 0;

	for (int i = 0; i < slabs->n; i++)
		sum += slabs->objects[i] * slabs->size[i];
	return sum;
}

/* Much is freed only when nobody can be reading it any more. */
static void slabs_settle(struct slabs *slabs)
{
	double before;

	slabs_read(slabs);
	for (int i = 0; i < 40; i++) {
		usleep(250000);
		before = bytes_of(slabs);
		slabs_read(slabs);
		if (before - bytes_of(slabs) < 1e6)
			break;
	}
}

static long nearest(double x)
{
	return x < 0 ? x - 0.5 : x + 0.5;
}

static double for_each(struct client crowds[], enum load_id load)
{
	static struct slabs before, after;
	double sockets = CROWDS * loads[load].crowd, bytes = 0;

	slabs_settle(&before);
	for (int i = 0; i < CROWDS; i++)
		client_open(&crowds[i], load);
	slabs_settle(&after);
	for (int i = 0; i < CROWDS; i++)
		client_close(&crowds[i]);
	for (int i = 0; i < before.n; i++)
		bytes += nearest((after.objects[i] - before.objects[i]) / sockets) * before.size[i];
	return bytes;
}

static void row(struct client clients[][CROWDS], enum load_id load)
{
	double bytes[WHO_COUNT][TIMES];
	double medians[WHO_COUNT];

	for (int i = 0; i < TIMES; i++)
		for (int who = 0; who < WHO_COUNT; who++)
			bytes[who][i] = for_each(clients[who], load);
	cell("%s", loads[load].name);
	cell("%d", CROWDS * loads[load].crowd);
	for (int who = 0; who < WHO_COUNT; who++) {
		medians[who] = quartiles(bytes[who], TIMES).median;
		cell("%.0f", medians[who]);
	}
	cell("%.0f", medians[OURS] - medians[NONE]);
}

void bench_memory(void)
{
	static const char *const names[] = { "memory-none", "memory" };
	struct client clients[WHO_COUNT][CROWDS];
	char policy[SW_PATH_MAX];

	for (int who = 0; who < WHO_COUNT; who++)
		for (int i = 0; i < CROWDS; i++)
			client_start(&clients[who][i], names[who]);
	policy_write(10, 0, policy);
	attach(clients[OURS][0].cgroup, "bench-memory", policy);
	cell("sockets");
	cell("so many");
	cell("no policy");
	cell("sockwarden");
	cell("difference");
	row(clients, LOAD_HOLD_IDLE);
	row(clients, LOAD_HOLD_CONNECTED);
	for (int who = 0; who < WHO_COUNT; who++)
		for (int i = 0; i < CROWDS; i++)
			client_stop(&clients[who][i]);
	detach("bench-memory");
	table_print("The kernel's memory for a socket, bytes", 5);
}
