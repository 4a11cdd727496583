// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"

#define CELLS_MAX   512
#define COLUMNS_MAX 12
#define CELL_MAX    48

double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct quartiles quartiles(const double *v, int n)
{
	static double sorted[1 << 16];

	memcpy(sorted, v, n * sizeof(*v));
	qsort(sorted, n, sizeof(*v), compare);
	return (struct quartiles){ sorted[n / 4], sorted[n / 2], sorted[n - 1 - n / 4] };
}

struct quartiles ratios(const double *over, const double *under, int n)
{
	double v[ROUNDS];

	for (int i = 0; i < n; i++)
		v[i] = over[i] / under[i];
	return quartiles(v, n);
}

static char cells[CELLS_MAX][CELL_MAX];
static int used;

void cell(const char *format, ...)
{
	va_list args;

	if (used == CELLS_MAX)
		die("a table is too large");
	va_start(args, format);
	vsnprintf(cells[used++], CELL_MAX, format, args);
	va_end(args);
}

void cell_ratio(struct quartiles q)
{
	cell("%.3f", q.median);
	cell("%.3f-%.3f", q.low, q.high);
}

static void row_print(const int *width, int columns, int row)
{
	for (int i = 0; i < columns; i++) {
		const char *text = cells[row * columns + i];

		printf(i ? "| %*s " : "| %-*s ", width[i], text);
	}
	puts("|");
}

static void rule_print(const int *width, int columns)
{
	for (int i = 0; i < columns; i++) {
		printf("|%s", i ? "-" : ":");
		for (int j = 0; j < width[i]; j++)
			putchar('-');
		printf("%s", i ? ":" : "-");
	}
	puts("|");
}

void table_print(const char *title, int columns)
{
	int width[COLUMNS_MAX] = { 0 };

	for (int i = 0; i < used; i++) {
		int len = strlen(cells[i]);

		if (len > width[i % columns])
			width[i % columns] = len;
	}
	printf("\n### %s\n\n", title);
	for (int row = 0; row < used / columns; row++) {
		row_print(width, columns, row);
		if (!row)
			rule_print(width, columns);
	}
	used = 0;
	fflush(stdout);
}
