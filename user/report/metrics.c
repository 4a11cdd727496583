// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
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
	size_t base;            /* length of what is before _total or _info */
	struct intern families; /* by base: OpenMetrics has one space of names for all types */
	struct intern series;   /* of the family, by the text of their labels */
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

/* `quoted`: a double quote is escaped, too. */
static void escape(FILE *out, const char *text, bool quoted)
{
	const unsigned char *s = (const unsigned char *)text;
	int len;

	for (; *s; s += len ? len : 1) {
		len = utf8_len(s);
		if (*s == '\n')
			fputs("\\n", out);
		else if (*s == '\\' || (*s == '"' && quoted))
			fprintf(out, "\\%c", *s);
		else if (!len)
			fputs("\xef\xbf\xbd", out);
		else
			fwrite(s, 1, len, out);
	}
}

static void write_head(const struct metrics *metrics, const char *unit, const char *help)
{
	static const char *const types[] = {
		[METRICS_COUNTER] = "counter", [METRICS_GAUGE] = "gauge", [METRICS_INFO] = "info"
	};
	bool open = metrics->format == METRICS_OPENMETRICS;
	int len = open ? metrics->base : strlen(metrics->name);

	fprintf(metrics->out, "# HELP %.*s ", len, metrics->name);
	escape(metrics->out, help, open);
	fprintf(metrics->out, "\n# TYPE %.*s %s\n", len, metrics->name,
		types[!open && metrics->type == METRICS_INFO ? METRICS_GAUGE : metrics->type]);
	if (open && unit)
		fprintf(metrics->out, "# UNIT %.*s %s\n", len, metrics->name, unit);
}

void metrics_family(struct metrics *metrics, const char *name, enum metrics_type type, const char *unit,
		    const char *help)
{
	if (metrics->failed || !family_is_good(metrics, name, type, unit))
		return;
	free(metrics->name);
	metrics->name = mem_strdup(name);
	metrics->base = base_len(name, type);
	metrics->type = type;
	intern_free(&metrics->series);
	write_head(metrics, unit, help);
}

static bool label_is_good(struct metrics *metrics, const char *name)
{
	bool own = strlen(name) == metrics->base && !memcmp(name, metrics->name, metrics->base);

	if (!is_name(name))
		refuse(metrics, "%s: '%s' is no name of a label", metrics->name, name);
	else if (!strcmp(name, "le") || !strcmp(name, "quantile") || own || !strcmp(name, metrics->name))
		refuse(metrics, "%s: the label %s is reserved", metrics->name, name);
	return !metrics->failed;
}

/* Puts the label where it belongs in the order of names. */
static void place(struct label sorted[], size_t n, const struct label *label)
{
	for (; n && strcmp(sorted[n - 1].name, label->name) > 0; n--)
		sorted[n] = sorted[n - 1];
	sorted[n] = *label;
}

/* The number of labels, or -1 after a mistake. */
static int sort_labels(struct metrics *metrics, const struct label *labels, struct label sorted[METRICS_LABELS])
{
	int n = 0;

	for (; labels && labels->name; labels++) {
		if (!label_is_good(metrics, labels->name))
			return -1;
		if (n == METRICS_LABELS) {
			refuse(metrics, "%s: more than %d labels", metrics->name, METRICS_LABELS);
			return -1;
		}
		place(sorted, n++, labels);
	}
	for (int i = 1; i < n; i++) {
		if (!strcmp(sorted[i - 1].name, sorted[i].name)) {
			refuse(metrics, "%s: the label %s is there twice", metrics->name, sorted[i].name);
			return -1;
		}
	}
	return n;
}

/* {a="b",c="d"}, or nothing; to be freed. Without what a scraper does not see, so that the text is the series. */
static char *label_text(const struct label labels[], int n, size_t *len)
{
	char *text = NULL, before = '{';
	FILE *out = open_memstream(&text, len);

	if (!out)
		abort();
	for (int i = 0; i < n; i++) {
		if (!labels[i].value || !*labels[i].value)
			continue;
		fprintf(out, "%c%s=\"", before, labels[i].name);
		escape(out, labels[i].value, true);
		fputc('"', out);
		before = ',';
	}
	if (before == ',')
		fputc('}', out);
	if (fclose(out))
		abort();
	return text;
}

/* Everything of a sample but its value. False, and nothing written, if it may not stand here. */
static bool begin_sample(struct metrics *metrics, const struct label *labels)
{
	struct label sorted[METRICS_LABELS];
	size_t len;
	char *text;
	int n;

	if (!metrics->failed && !metrics->name)
		refuse(metrics, "a sample comes before any family");
	if (metrics->failed)
		return false;
	n = sort_labels(metrics, labels, sorted);
	if (n < 0)
		return false;
	text = label_text(sorted, n, &len);
	if (is_new(&metrics->series, text, len))
		fprintf(metrics->out, "%s%s ", metrics->name, text);
	else
		refuse(metrics, "the series %s%s is there twice", metrics->name, text);
	free(text);
	return !metrics->failed;
}

void metrics_sample(struct metrics *metrics, const struct label *labels, __u64 value)
{
	if (!metrics->failed && metrics->name && metrics->type == METRICS_INFO && value != 1)
		refuse(metrics, "%s: the value of an info is 1", metrics->name);
	if (begin_sample(metrics, labels))
		fprintf(metrics->out, "%" PRIu64 "\n", (uint64_t)value);
}

static void sample_fraction(struct metrics *metrics, const struct label *labels, __u64 value, unsigned one, int digits)
{
	if (!metrics->failed && metrics->name && metrics->type == METRICS_INFO)
		refuse(metrics, "%s: the value of an info is 1", metrics->name);
	if (begin_sample(metrics, labels))
		fprintf(metrics->out, "%" PRIu64 ".%0*u\n", (uint64_t)(value / one), digits, (unsigned)(value % one));
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
	free(metrics);
	return err;
}
