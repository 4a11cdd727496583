// SPDX-License-Identifier: GPL-2.0-only
/*
 * The writer of metrics, with names, labels and values as they come. Whatever it wrote, up to a mistake it refused,
 * a strict reader must take, and find the labels and values that were given.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>

#include "mem.h"
#include "metrics.h"
#include "support.h"

/* The input, taken in pieces. */
struct input {
	const uint8_t *at, *end;
};

static unsigned take_byte(struct input *input)
{
	return input->at < input->end ? *input->at++ : 0;
}

/* Up to a NUL; some of the time one that is likely to be good. To be freed. */
static char *take_text(struct input *input)
{
	static const char *const likely[] = { "a",      "a_total", "a_info", "b_bytes_total", "c_seconds",
					      "tenant", "le",      "rule",   "bytes",         "seconds" };
	unsigned byte = take_byte(input);
	const uint8_t *start = input->at;
	size_t len;

	if (byte < sizeof(likely) / sizeof(*likely))
		return mem_strdup(likely[byte]);
	while (input->at < input->end && *input->at)
		input->at++;
	len = input->at - start;
	input->at += input->at < input->end;
	return mem_strndup((const char *)start, len);
}

/* A series as it was given, or as it was read. */
struct series {
	char *name;
	char *labels[METRICS_LABELS][2];
	size_t n;
	uint64_t value;
	int decimals;
};

struct all {
	LIST(struct series) of;
	size_t families;
};

static void series_free(struct series *series)
{
	free(series->name);
	for (size_t i = 0; i < series->n; i++) {
		free(series->labels[i][0]);
		free(series->labels[i][1]);
	}
}

static void all_free(struct all *all)
{
	for (size_t i = 0; i < all->of.n; i++)
		series_free(&all->of.v[i]);
	free(all->of.v);
}

static void give_family(struct input *input, struct metrics *metrics, char **name)
{
	unsigned how = take_byte(input);
	char *unit = how & 4 ? take_text(input) : NULL, *help = take_text(input);

	free(*name);
	*name = take_text(input);
	metrics_family(metrics, *name, how % 3, unit, help);
	free(unit);
	free(help);
}

static void give_sample(struct input *input, struct metrics *metrics, const char *name, struct series *series)
{
	struct label labels[METRICS_LABELS + 1] = { 0 };
	unsigned how = take_byte(input);

	series->name = mem_strdup(name);
	for (series->n = 0; series->n < how % METRICS_LABELS; series->n++) {
		series->labels[series->n][0] = take_text(input);
		series->labels[series->n][1] = take_text(input);
		labels[series->n] = (struct label){ series->labels[series->n][0], series->labels[series->n][1] };
	}
	for (unsigned i = 0; i < how / 32; i++)
		series->value = series->value << 8 | take_byte(input);
	series->value = series->value ? series->value : 1;
	series->decimals = how & 16 ? how & 8 ? 9 : 3 : 0;
	if (series->decimals == 9)
		metrics_sample_nanoseconds(metrics, labels, series->value);
	else if (series->decimals)
		metrics_sample_seconds(metrics, labels, series->value);
	else
		metrics_sample(metrics, labels, series->value);
}

/* Does what the input says, and keeps what was given. */
static char *give_all(struct input *input, enum metrics_format format, struct all *given, int *err, size_t *len)
{
	char *text = NULL, *name = mem_strdup("");
	FILE *out = open_memstream(&text, len);
	struct metrics *metrics = metrics_new(out, format);
	struct fault fault = { 0 };

	while (input->at < input->end) {
		if (take_byte(input) & 1)
			give_family(input, metrics, &name);
		else
			give_sample(input, metrics, name, list_add(&given->of));
	}
	*err = metrics_end(metrics, &fault);
	must_hold(!*err == !*fault.text, "there is a mistake, or there is none");
	fclose(out);
	free(name);
	return text;
}

static char *read_name(const char **at)
{
	const char *start = *at;

	must_hold(isascii(*start) && isalpha(*start), "a name begins with a letter");
	while (isascii(**at) && (isalnum(**at) || **at == '_'))
		++*at;
	return mem_strndup(start, *at - start);
}

/* Between double quotes. */
static char *read_value(const char **at)
{
	char *text = mem_alloc(strlen(*at), 1), *put = text;

	must_hold(*(*at)++ == '"', "a value begins with a quote");
	for (; **at != '"'; ++*at) {
		must_hold(**at && **at != '\n', "a value ends");
		if (**at == '\\') {
			++*at;
			must_hold(**at == 'n' || **at == '"' || **at == '\\', "an escape is one of three");
			*put++ = **at == 'n' ? '\n' : **at;
		} else {
			*put++ = **at;
		}
	}
	++*at;
	return text;
}

static void read_labels(const char **at, struct series *series)
{
	do {
		must_hold(series->n < METRICS_LABELS, "there are not too many labels");
		++*at;
		series->labels[series->n][0] = read_name(at);
		must_hold(*(*at)++ == '=', "a label has a value");
		series->labels[series->n++][1] = read_value(at);
	} while (**at == ',');
	must_hold(*(*at)++ == '}', "labels end");
}

static void read_sample(const char **at, struct all *read)
{
	struct series *series = list_add(&read->of);
	char *end;

	series->name = read_name(at);
	if (**at == '{')
		read_labels(at, series);
	must_hold(**at == ' ' && isdigit((*at)[1]), "a number follows");
	series->value = strtoull(*at + 1, &end, 10);
	if (*end == '.') {
		for (end++; isdigit(*end); end++, series->decimals++)
			series->value = series->value * 10 + (*end - '0');
	}
	must_hold(*end == '\n', "the line ends behind the number");
	*at = end + 1;
}

/* "# HELP name ...", "# TYPE name ...", "# UNIT name ..." */
static void read_head(const char **at, struct all *read)
{
	const char *kind = *at + 2;
	char *name;

	must_hold(!strncmp(kind, "HELP ", 5) || !strncmp(kind, "TYPE ", 5) || !strncmp(kind, "UNIT ", 5),
		  "a comment is one of three");
	read->families += *kind == 'T';
	*at = kind + 5;
	name = read_name(at);
	must_hold(**at == ' ', "something follows the name");
	free(name);
	*at = strchr(*at, '\n');
	must_hold(*at, "the line ends");
	++*at;
}

static void read_all(const char *text, bool ended, struct all *read)
{
	const char *at = text;

	while (*at && (!ended || strcmp(at, "# EOF\n"))) {
		if (*at == '#')
			read_head(&at, read);
		else
			read_sample(&at, read);
	}
	must_hold(!ended || *at, "OpenMetrics ends in its mark");
}

static const char *find_label(const struct series *series, const char *name)
{
	for (size_t i = 0; i < series->n; i++)
		if (!strcmp(series->labels[i][0], name))
			return series->labels[i][1];
	return "";
}

static bool is_ascii(const char *text)
{
	for (; *text; text++)
		if (!isascii(*text))
			return false;
	return true;
}

static void check_series(const struct series *given, const struct series *read)
{
	must_hold(!strcmp(given->name, read->name), "the name is the one given");
	must_hold(given->value == read->value && given->decimals == read->decimals, "the value is the one given");
	for (size_t i = 0; i < given->n; i++) {
		const char *value = find_label(read, given->labels[i][0]);

		must_hold(is_ascii(given->labels[i][1]) ? !strcmp(given->labels[i][1], value) : *value,
			  "the label is the one given");
	}
	for (size_t i = 0; i < read->n; i++)
		must_hold(*find_label(given, read->labels[i][0]), "no label is added");
}

static bool is_same(const struct series *a, const struct series *b)
{
	if (strcmp(a->name, b->name) || a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->labels[i][1], find_label(b, a->labels[i][0])))
			return false;
	return true;
}

static void check(struct input input, enum metrics_format format)
{
	struct all given = { 0 }, read = { 0 };
	size_t len;
	int err;
	char *text = give_all(&input, format, &given, &err, &len);

	must_hold(strlen(text) == len, "there is no NUL");
	read_all(text, format == METRICS_OPENMETRICS && !err, &read);
	must_hold(err ? read.of.n <= given.of.n : read.of.n == given.of.n, "each sample is there");
	for (size_t i = 0; i < read.of.n; i++) {
		check_series(&given.of.v[i], &read.of.v[i]);
		for (size_t j = 0; j < i; j++)
			must_hold(!is_same(&read.of.v[i], &read.of.v[j]), "no series is there twice");
	}
	free(text);
	all_free(&given);
	all_free(&read);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, data + size };

	check(input, METRICS_TEXT);
	check(input, METRICS_OPENMETRICS);
	return 0;
}
