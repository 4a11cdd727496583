// SPDX-License-Identifier: GPL-2.0-only
/*
 * A ledger that was damaged at random is refused, or has the figures that it had. Usage: damaged [ROUNDS [SEED]].
 * Each round damages a copy once, and asks it for usage in all its forms. What counts is who got other figures, and
 * was told that all was well.
 */
#include <fcntl.h>

#include "calendar.h"
#include "support.h"

#define TENANTS 20
#define TICKS   60
#define PAGE    4096
#define SECTOR  512

struct file {
	__u8 *data;
	size_t size;
};

static __u64 state;

static __u64 random_below(__u64 n)
{
	state = state * 6364136223846793005 + 1442695040888963407;
	return (state >> 33) % n;
}

static struct file read_file(const char *path)
{
	struct file file = { 0 };
	FILE *in = fopen(path, "r");

	assert_non_null(in);
	fseek(in, 0, SEEK_END);
	file.size = ftell(in);
	file.data = mem_alloc(1, file.size);
	rewind(in);
	assert_int_equal(fread(file.data, 1, file.size, in), file.size);
	fclose(in);
	return file;
}

static void write_file(const char *path, const struct file *file)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, file->data, file->size), file->size);
	close(fd);
}

/* ---- damages ---- */

static __u8 *some_page(const struct file *file)
{
	return file->data + random_below(file->size / PAGE) * PAGE;
}

static void one_bit(struct file *file)
{
	file->data[random_below(file->size)] ^= 1 << random_below(8);
}

static void one_byte(struct file *file)
{
	file->data[random_below(file->size)] += 1 + random_below(255);
}

static void some_bytes(struct file *file)
{
	for (__u64 n = 2 + random_below(15); n; n--)
		one_byte(file);
}

static void head_of_page(struct file *file)
{
	some_page(file)[random_below(32)] += 1 + random_below(255);
}

static void zero_sector(struct file *file)
{
	memset(file->data + random_below(file->size / SECTOR) * SECTOR, 0, SECTOR);
}

static void zero_page(struct file *file)
{
	memset(some_page(file), 0, PAGE);
}

static void noise_sector(struct file *file)
{
	__u8 *at = file->data + random_below(file->size / SECTOR) * SECTOR;

	for (int i = 0; i < SECTOR; i++)
		at[i] = random_below(256);
}

static void copied_page(struct file *file)
{
	memmove(some_page(file), some_page(file), PAGE);
}

static void cut_off(struct file *file)
{
	file->size = random_below(file->size);
}

static const struct damage {
	const char *name;
	void (*make)(struct file *file);
} damages[] = {
	{ "a bit", one_bit },
	{ "a byte", one_byte },
	{ "some bytes", some_bytes },
	{ "a byte of a page's head", head_of_page },
	{ "a sector of zeros", zero_sector },
	{ "a page of zeros", zero_page },
	{ "a sector of noise", noise_sector },
	{ "a page over another", copied_page },
	{ "the end cut off", cut_off },
};

/* ---- what usage says ---- */

static const struct ledger_query queries[] = {
	{ NULL, 0, INT64_MAX, -1 },
	{ NULL, 0, INT64_MAX, CALENDAR_DAY },
	{ NULL, 0, INT64_MAX, CALENDAR_MONTH },
	{ NULL, 0, INT64_MAX, CALENDAR_HOUR },
	{ "t3", 0, INT64_MAX, -1 },
	{ NULL, NOON + 86400 + 3600, NOON + 3 * 86400, -1 },
	{ NULL, NOON + 86400 + 3600, NOON + 3 * 86400, CALENDAR_DAY },
};

#define FORMS (COUNT(queries) + 1)

struct answer {
	int err;
	struct usages usages;
};

static struct answer ask(struct scene *scene, size_t form)
{
	struct answer answer = { .err = reopen(scene, LEDGER_READING) };

	scene->intervals.n = 0;
	if (!answer.err && form < COUNT(queries))
		answer.err = ledger_usage(scene->ledger, &queries[form], &answer.usages, &scene->fault);
	else if (!answer.err)
		answer.err = ledger_intervals(scene->ledger, ALL, keep_interval, scene, &scene->fault);
	return answer;
}

/* Of what is compared byte by byte, all bytes are set. */
static struct file figures(struct scene *scene, const struct answer *answer, size_t form)
{
	if (form < COUNT(queries))
		return (struct file){ (__u8 *)answer->usages.rows.v,
				      answer->usages.rows.n * sizeof(*answer->usages.rows.v) };
	return (struct file){ (__u8 *)scene->intervals.v, scene->intervals.n * sizeof(*scene->intervals.v) };
}

static struct file copy(struct file file)
{
	struct file same = { mem_alloc(1, file.size + 1), file.size };

	if (file.size)
		memcpy(same.data, file.data, file.size);
	return same;
}

static void make(struct scene *scene)
{
	static char names[TENANTS][4];

	assert_int_equal(reopen(scene, LEDGER_BOOKING), 0);
	for (unsigned i = 0; i < TENANTS; i++) {
		snprintf(names[i], sizeof(names[i]), "t%u", i);
		attach(scene, names[i], i + 1)->hash[0] = i % 3;
	}
	for (unsigned tick = 0; tick < TICKS; tick++) {
		for (unsigned i = 0; i < TENANTS; i++)
			send_bytes(&scene->items[i], i % 2 ? SW_EXEMPT : SW_BILLABLE, 1000 * i + tick + 1);
		assert_int_equal(book_after(scene, 5000), 0);
	}
	ledger_close(scene->ledger);
	scene->ledger = NULL;
}

struct counts {
	unsigned same, refused, other;
};

static void count(struct scene *scene, const struct file *right, struct counts *counts)
{
	for (size_t form = 0; form < FORMS; form++) {
		struct answer answer = ask(scene, form);
		struct file got = figures(scene, &answer, form);

		if (answer.err)
			counts->refused++;
		else if (got.size == right[form].size && !memcmp(got.data, right[form].data, got.size))
			counts->same++;
		else
			counts->other++;
		free(answer.usages.rows.v);
	}
}

static unsigned run(struct scene *scene, unsigned rounds)
{
	struct file whole, right[FORMS];
	unsigned other = 0;

	make(scene);
	whole = read_file(scene->path);
	for (size_t form = 0; form < FORMS; form++) {
		struct answer answer = ask(scene, form);

		assert_int_equal(answer.err, 0);
		right[form] = copy(figures(scene, &answer, form));
		free(answer.usages.rows.v);
	}
	for (size_t i = 0; i < COUNT(damages); i++) {
		struct counts counts = { 0 };

		for (unsigned round = 0; round < rounds; round++) {
			struct file damaged = copy(whole);

			damages[i].make(&damaged);
			write_file(scene->path, &damaged);
			free(damaged.data);
			count(scene, right, &counts);
		}
		printf("%s %zu - %s: %u answers are refused, %u the same, %u others\n", counts.other ? "not ok" : "ok",
		       i + 1, damages[i].name, counts.refused, counts.same, counts.other);
		other += counts.other;
	}
	for (size_t form = 0; form < FORMS; form++)
		free(right[form].data);
	free(whole.data);
	return other;
}

int main(int argc, char **argv)
{
	unsigned rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 60, other;
	struct scene *scene;

	state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	printf("1..%zu\n", COUNT(damages));
	scene_begin((void **)&scene);
	other = run(scene, rounds);
	scene_end((void **)&scene);
	return other != 0;
}
