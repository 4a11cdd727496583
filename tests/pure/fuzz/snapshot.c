// SPDX-License-Identifier: GPL-2.0-only
/* The reader of the daemon's answer: it fails with a message, or gives what can be printed, and written again. */
#include "snapshot.h"
#include "support.h"

static char *rewritten(const struct snapshot *snapshot, size_t *len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, len);

	snapshot_write(snapshot, out);
	fclose(out);
	return text;
}

/* The form has more than one way to say the same: what is written again is what is compared. */
static void check_again(const struct snapshot *snapshot)
{
	struct snapshot again;
	struct fault fault;
	size_t len, again_len;
	char *text = rewritten(snapshot, &len), *again_text;

	must_hold(!snapshot_read(text, len, &again, &fault), "what was read is written for a reader");
	again_text = rewritten(&again, &again_len);
	must_hold(len == again_len && !memcmp(text, again_text, len), "what was read is written as it was");
	snapshot_free(&again);
	free(again_text);
	free(text);
}

static void check_printing(const struct reports *reports)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	for (size_t i = 0; i < reports->of.n; i++)
		report_print(&reports->of.v[i], &reports->support, out);
	fclose(out);
	free(text);
}

static void check(const char *data, size_t size)
{
	struct fault fault = { 0 };
	struct snapshot snapshot;
	char *exact = malloc(size + !size); /* so that a read behind the end is seen */

	memcpy(exact, data, size);
	if (snapshot_read(exact, size, &snapshot, &fault)) {
		must_hold(*fault.text, "there is a snapshot, or there is a message");
	} else {
		check_again(&snapshot);
		check_printing(&snapshot.reports);
		snapshot_free(&snapshot);
	}
	free(exact);
}

/* As it is, and behind the head of this build, which a fuzzer would take long to guess. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct snapshot empty;
	size_t len;
	char *text = rewritten(&empty, &len);

	check(size ? (const char *)data : "", size);
	text = realloc(text, SNAPSHOT_HEAD + size + 1);
	memcpy(text + SNAPSHOT_HEAD, size ? data : (const uint8_t *)"", size);
	check(text, SNAPSHOT_HEAD + size);
	free(text);
	return 0;
}
