// SPDX-License-Identifier: GPL-2.0-only
/* measure EMPTY.o SECONDS, or measure serve ADDRESS.... Started by tests/bench/bench, which makes the networks. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bench.h"

void die(const char *format, ...)
{
	va_list args;

	fputs("bench: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static void print_cpu(void)
{
	FILE *info = fopen("/proc/cpuinfo", "r");
	char line[256], model[128] = "unknown";

	while (info && fgets(line, sizeof(line), info))
		if (sscanf(line, "model name : %127[^\n]", model) == 1)
			break;
	if (info)
		fclose(info);
	printf("%s, %ld CPUs", model, sysconf(_SC_NPROCESSORS_ONLN));
}

static void print_machine(void)
{
	struct utsname name;

	uname(&name);
	print_cpu();
	printf(", %s, Linux %s. Medians of %d rounds, in each of which every side had its turn.\n", name.machine,
	       name.release, ROUNDS);
	fflush(stdout);
}

/* What of `seconds` one of `turns` gets when there are two kinds of turns, in ms. */
static int share(double seconds, int turns)
{
	double ms = seconds * 1000 / 2 / turns;

	return ms < 2 ? 2 : ms;
}

/*
 * BENCH_ONLY names parts (hooks peers builds names memory life loading passes tenants), BENCH_HOOK the one hook to measure,
 * BENCH_BEFORE another build's program, without which there is no `builds`.
 */
static bool wanted(const char *part)
{
	const char *only = getenv("BENCH_ONLY");

	return !only || !*only || strstr(only, part);
}

int main(int argc, char **argv)
{
	if (argc < 3)
		die("usage: measure EMPTY.o SECONDS | measure serve ADDRESS...");
	if (!strcmp(argv[1], "serve"))
		serve(argv + 2);
	print_machine();
	if (wanted("hooks"))
		bench_hooks(share(atof(argv[2]), HOOK_TURNS), argv[1]);
	if (wanted("peers"))
		bench_peers(share(atof(argv[2]), PEER_TURNS), argv[1]);
	if (wanted("builds"))
		bench_builds(share(atof(argv[2]), BUILD_TURNS));
	if (wanted("names"))
		bench_names();
	if (wanted("memory"))
		bench_memory();
	if (wanted("life"))
		bench_life();
	if (wanted("loading"))
		bench_loading();
	if (wanted("passes"))
		bench_passes();
	if (wanted("tenants"))
		bench_tenants(); /* last: they stay until the namespaces end */
	return 0;
}
