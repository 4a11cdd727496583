// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "intern.h"
#include "metrics.h"
#include "utf8.h"

struct metrics {
	FILE *out;
	enum metrics_format format;
	enum metrics_type type; /* of the family begun last */
	char *name;             /* as its samples are called; NULL: no family yet */
	size_t len, base;       /* of the name, and of what is before _total or _info */
	struct intern families; /* by base: OpenMetrics has one space of names for all types */
	struct intern series;   /* of the family, by the text of their labels */
	struct order {
		int n;
		const char *name[METRICS_LABELS]; /* as they were given: literals, which are compared as pointers */
		int at[METRICS_LABELS];           /* where each of them stands in a line */
	} order;                                  /* of the labels of the family's last sample */
	char *line; /* that is being made; there are some hundred thousand of them in a text */
	size_t used, room;
	bool failed;
	struct fault fault;
};

struct metrics *metrics_new(FILE *out, enum metrics_format format)
{
	struct metrics *metrics = mem_alloc(1, sizeof(*metrics));

	metrics->out = out;
	metrics->format = format;
	return metrics;
}

#define refuse(metrics, ...) ((metrics)->failed = true, (void)fault_set(&(metrics)->fault, EINVAL, __VA_ARGS__))

/* Names that begin with an underscore are the scraper's, those with a colon its recording rules'. */
static bool is_name(const char *name)
{
	if (!isascii(*name) || !isalpha(*name))
		return false;
	for (; *name; name++)
		if (!isascii(*name) || (!isalnum(*name) && *name != '_'))
			return false;
	return true;
}

/* The length before `suffix`, or 0 if that is not what the first `len` bytes end in. */
static size_t before_suffix(const char *name, size_t len, const char *suffix)
{
	size_t end = strlen(suffix);

	return len > end && !memcmp(name + len - end, suffix, end) ? len - end : 0;
}

/* What the samples of some type end in: a family of that ending could be read as another's samples. */
static const char *reserved_suffix(const char *name, size_t len)
{
	static const char *const suffixes[] = { "_total", "_info", "_created", "_bucket",
						"_count", "_sum",  "_gcount",  "_gsum" };

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++)
		if (before_suffix(name, len, suffixes[i]))
			return suffixes[i];
	return NULL;
}

/* Length of the name before its type's suffix; 0 if it lacks that. */
static size_t base_len(const char *name, enum metrics_type type)
{
	static const char *const suffix[] = {
		[METRICS_COUNTER] = "_total", [METRICS_GAUGE] = "", [METRICS_INFO] = "_info"
	};

	return before_suffix(name, strlen(name), suffix[type]);
}

static bool is_unit(const char *name, size_t base, const char *unit)
{
	size_t before = before_suffix(name, base, unit);

	return is_name(unit) && before > 1 && name[before - 1] == '_';
}

static bool is_new(struct intern *set, const void *data, size_t len)
{
	size_t before = set->items.n;

	return intern(set, data, len) == before;
}

static bool family_is_good(struct metrics *metrics, const char *name, enum metrics_type type, const char *unit)
{
	size_t base = base_len(name, type);
	const char *suffix = reserved_suffix(name, base);

	if (!is_name(name))
		refuse(metrics, "'%s' is no name of a metric", name);
	else if (!base)
		refuse(metrics, "%s does not end in %s", name, type == METRICS_COUNTER ? "_total" : "_info");
	else if (suffix)
		refuse(metrics, "%s: %s is the ending of another type", name, suffix);
	else if (unit && (type == METRICS_INFO || !is_unit(name, base, unit)))
		refuse(metrics, "%s does not name its unit, %s", name, unit);
	else if (!is_new(&metrics->families, name, base))
		refuse(metrics, "%s: a family of this name was written before", name);
	return !metrics->failed;
}

/* ---- the line ------------------------------------------------------------------------------------------------ */

static void make_room(struct metrics *metrics, size_t len)
{
	metrics->room = 2 * (metrics->used + len);
	metrics->line = mem_resize(metrics->line, metrics->room, 1);
}

static inline void put(struct metrics *metrics, const char *text, size_t len)
{
	if (metrics->used + len > metrics->room)
		make_room(metrics, len);
	memcpy(metrics->line + metrics->used, text, len);
	metrics->used += len;
}

static inline void put_text(struct metrics *metrics, const char *text)
{
	put(metrics, text, strlen(text));
}

/* With at least so many digits. */
static void put_number(struct metrics *metrics, __u64 value, int digits)
{
	char text[24], *end = text + sizeof(text), *at = end;

	for (; value || digits > 0; value /= 10, digits--)
		*--at = '0' + value % 10;
	put(metrics, at, end - at);
}

/* How many bytes stand for themselves. */
static size_t plain_len(const unsigned char *s, bool quoted)
{
	size_t len = 0;

	while (s[len] && s[len] < 0x80 && s[len] != '\n' && s[len] != '\\' && (s[len] != '"' || !quoted))
		len++;
	return len;
}

/* `quoted`: a double quote is escaped, too. */
static void put_escaped(struct metrics *metrics, const char *text, bool quoted)
{
	const unsigned char *s = (const unsigned char *)text;

	for (;;) {
		size_t plain = plain_len(s, quoted);
		int len;

		put(metrics, (const char *)s, plain);
		s += plain;
		if (!*s)
			return;
		len = utf8_len(s);
		if (*s == '\n')
			put_text(metrics, "\\n");
		else if (len == 1) /* a backslash, or a quote */
			put(metrics, (const char[]){ '\\', *s }, 2);
		else if (!len)
			put_text(metrics, "\xef\xbf\xbd");
		else
			put(metrics, (const char *)s, len);
		s += len ? len : 1;
	}
}

static void write_line(struct metrics *metrics)
{
	put(metrics, "\n", 1);
	fwrite(metrics->line, 1, metrics->used, metrics->out);
	metrics->used = 0;
}

/* ---- families ------------------------------------------------------------------------------------------------ */

static void write_comment(struct metrics *metrics, const char *what, size_t len, const char *text, bool quoted)
{
	put_text(metrics, what);
	put(metrics, metrics->name, len);
	put(metrics, " ", 1);
	put_escaped(metrics, text, quoted);
	write_line(metrics);
}

static void write_head(struct metrics *metrics, const char *unit, const char *help)
{
	static const char *const types[] = {
		[METRICS_COUNTER] = "counter", [METRICS_GAUGE] = "gauge", [METRICS_INFO] = "info"
	};
	bool open = metrics->format == METRICS_OPENMETRICS;
	size_t len = open ? metrics->base : metrics->len;

	write_comment(metrics, "# HELP ", len, help, open);
	write_comment(metrics, "# TYPE ", len,
		      types[!open && metrics->type == METRICS_INFO ? METRICS_GAUGE : metrics->type], false);
	if (open && unit)
		write_comment(metrics, "# UNIT ", len, unit, false);
}

void metrics_family(struct metrics *metrics, const char *name, enum metrics_type type, const char *unit,
		    const char *help)
{
	if (metrics->failed || !family_is_good(metrics, name, type, unit))
		return;
	free(metrics->name);
	metrics->name = mem_strdup(name);
	metrics->len = strlen(name);
	metrics->base = base_len(name, type);
	metrics->type = type;
	metrics->order.n = 0;
	intern_free(&metrics->series);
	write_head(metrics, unit, help);
}

/* ---- samples ------------------------------------------------------------------------------------------------- */

static bool label_is_good(struct metrics *metrics, const char *name)
{
	bool own = strlen(name) == metrics->base && !memcmp(name, metrics->name, metrics->base);

	if (!is_name(name))
		refuse(metrics, "%s: '%s' is no name of a label", metrics->name, name);
	else if (!strcmp(name, "le") || !strcmp(name, "quantile") || own || !strcmp(name, metrics->name))
		refuse(metrics, "%s: the label %s is reserved", metrics->name, name);
	return !metrics->failed;
}

static int count_labels(const struct label *labels)
{
	int n = 0;

	while (labels && labels[n].name)
		n++;
	return n;
}

static bool is_ordered(const struct order *order, const struct label *labels, int n)
{
	if (n != order->n)
		return false;
	for (int i = 0; i < n; i++)
		if (labels[i].name != order->name[i])
			return false;
	return true;
}

/* Where the label stands among the others, by their names. */
static int place_of(const struct label *labels, int n, const struct label *label)
{
	int place = 0;

	for (int i = 0; i < n; i++)
		place += strcmp(labels[i].name, label->name) < 0;
	return place;
}

/* False after a mistake. */
static bool set_order(struct metrics *metrics, const struct label *labels, int n)
{
	unsigned taken = 0;

	if (n > METRICS_LABELS)
		refuse(metrics, "%s: more than %d labels", metrics->name, METRICS_LABELS);
	for (int i = 0; i < n && !metrics->failed; i++) {
		int place = place_of(labels, n, &labels[i]);

		if (label_is_good(metrics, labels[i].name) && taken & 1U << place)
			refuse(metrics, "%s: the label %s is there twice", metrics->name, labels[i].name);
		taken |= 1U << place;
		metrics->order.name[i] = labels[i].name;
		metrics->order.at[place] = i;
	}
	metrics->order.n = n;
	return !metrics->failed;
}

/* {a="b",c="d"}, or nothing. Without what a scraper does not see, so that the text is the series. */
static void put_labels(struct metrics *metrics, const struct label *labels)
{
	const char *before = "{";

	for (int i = 0; i < metrics->order.n; i++) {
		const struct label *label = &labels[metrics->order.at[i]];

		if (!label->value || !*label->value)
			continue;
		put(metrics, before, 1);
		put_text(metrics, label->name);
		put(metrics, "=\"", 2);
		put_escaped(metrics, label->value, true);
		put(metrics, "\"", 1);
		before = ",";
	}
	if (*before == ',')
		put(metrics, "}", 1);
}

/* Everything of a sample but its value. False, and nothing written, if it may not stand here. */
static bool begin_sample(struct metrics *metrics, const struct label *labels)
{
	int n = count_labels(labels);

	if (!metrics->failed && !metrics->name)
		refuse(metrics, "a sample comes before any family");
	if (metrics->failed || (!is_ordered(&metrics->order, labels, n) && !set_order(metrics, labels, n)))
		return false;
	put(metrics, metrics->name, metrics->len);
	put_labels(metrics, labels);
	if (!is_new(&metrics->series, metrics->line + metrics->len, metrics->used - metrics->len))
		refuse(metrics, "the series %.*s is there twice", (int)metrics->used, metrics->line);
	put(metrics, " ", 1);
	return !metrics->failed;
}

void metrics_sample(struct metrics *metrics, const struct label *labels, __u64 value)
{
	if (!metrics->failed && metrics->name && metrics->type == METRICS_INFO && value != 1)
		refuse(metrics, "%s: the value of an info is 1", metrics->name);
	if (!begin_sample(metrics, labels))
		return;
	put_number(metrics, value, 1);
	write_line(metrics);
}

static void sample_fraction(struct metrics *metrics, const struct label *labels, __u64 value, unsigned one, int digits)
{
	if (!metrics->failed && metrics->name && metrics->type == METRICS_INFO)
		refuse(metrics, "%s: the value of an info is 1", metrics->name);
	if (!begin_sample(metrics, labels))
		return;
	put_number(metrics, value / one, 1);
	put(metrics, ".", 1);
	put_number(metrics, value % one, digits);
	write_line(metrics);
}

void metrics_sample_seconds(struct metrics *metrics, const struct label *labels, __u64 milliseconds)
{
	sample_fraction(metrics, labels, milliseconds, 1000, 3);
}

void metrics_sample_nanoseconds(struct metrics *metrics, const struct label *labels, __u64 nanoseconds)
{
	sample_fraction(metrics, labels, nanoseconds, 1000000000, 9);
}

int metrics_end(struct metrics *metrics, struct fault *fault)
{
	int err = 0;

	if (!metrics->failed && metrics->format == METRICS_OPENMETRICS)
		fputs("# EOF\n", metrics->out);
	if (metrics->failed)
		err = fault_set(fault, EINVAL, "%s", metrics->fault.text);
	else if (fflush(metrics->out) || ferror(metrics->out))
		err = fault_set(fault, EIO, "the metrics could not be written");
	intern_free(&metrics->families);
	intern_free(&metrics->series);
	free(metrics->name);
	free(metrics->line);
	free(metrics);
	return err;
}
