// SPDX-License-Identifier: GPL-2.0-only
/* The reader of the daemon's answer: it fails with a message, or gives what is written again as it was. */
#include "snapshot.h"
#include "support.h"

/* What a reader of reports goes by. */
static void check_report(const struct report *report)
{
	must_hold(report->state < TENANT_STATES, "the state is one of those there are");
	must_hold(strnlen(report->record.name, SW_NAME_MAX) < SW_NAME_MAX, "the name ends");
	must_hold(strnlen(report->record.path, SW_PATH_MAX) < SW_PATH_MAX, "the path ends");
	must_hold(strnlen(report->record.policy, SW_PATH_MAX) < SW_PATH_MAX, "the policy's place ends");
	must_hold(strnlen(report->settings.policy, SW_NAME_MAX) < SW_NAME_MAX, "the policy's name ends");
	for (size_t i = 0; i < report->rules.n; i++)
		must_hold(strnlen(report->rules.v[i].text.text, SW_TEXT_MAX) < SW_TEXT_MAX, "a rule's text ends");
}

static void check_again(const struct snapshot *snapshot, const char *data, size_t size)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	snapshot_write(snapshot, out);
	fclose(out);
	must_hold(len == size && !memcmp(text, data, len), "what was read is written as it was");
	free(text);
}

/* The head of this build, which a fuzzer would take long to guess, with the input behind it. */
static char *behind_head(const uint8_t *data, size_t size, size_t *len)
{
	struct snapshot empty = { 0 };
	char *text = NULL;
	size_t head, behind = 23; /* the numbers of a snapshot without tenants */
	FILE *out = open_memstream(&text, len);

	snapshot_write(&empty, out);
	fflush(out);
	head = *len - behind;
	fseek(out, head, SEEK_SET);
	fwrite(data, 1, size, out);
	fclose(out);
	*len = head + size;
	return text;
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
		must_hold(snapshot.reports.support.closing < CLOSING_BYS, "what closes is one of those there are");
		for (size_t i = 0; i < snapshot.reports.of.n; i++)
			check_report(&snapshot.reports.of.v[i]);
		check_again(&snapshot, exact, size);
		snapshot_free(&snapshot);
	}
	free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len;
	char *text = behind_head(data, size, &len);

	check(size ? (const char *)data : "", size);
	check(text, len);
	free(text);
	return 0;
}
