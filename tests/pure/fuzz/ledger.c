// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading a ledger: whatever is in the file, it is opened or refused with a line, what it holds is read or refused, in
 * bounded time; and in one that is found right, rows, days and months have the same sums.
 */
#include <fcntl.h>
#include <unistd.h>

#include "calendar.h"
#include "ledger.h"
#include "meter.h"
#include "support.h"

#define ALL (&(struct ledger_query){ .to = INT64_MAX, .by = -1 })

#define PAGE 512

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);

static char path[64];

static void remove_file(void)
{
	char *end = path + strlen(path);

	unlink(path);
	strcpy(end, "-shm"); /* of a file that says it is in WAL mode */
	unlink(path);
	strcpy(end, "-wal");
	unlink(path);
	*end = '\0';
}

static void remove_folder(void)
{
	remove_file();
	*strrchr(path, '/') = '\0';
	rmdir(path);
}

static void write_file(const uint8_t *data, size_t size)
{
	int fd;

	if (!*path) {
		snprintf(path, sizeof(path), "%s/fuzz-ledger-XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
		must_hold(mkdtemp(path), "there is room for a file");
		strcat(path, "/ledger");
		atexit(remove_folder);
	}
	remove_file();
	fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	must_hold(fd >= 0 && write(fd, data, size) == (ssize_t)size, "there is room for a file");
	close(fd);
}

static void must_tell(int err, struct fault *fault)
{
	must_hold(err <= 0, "0 or an error number");
	must_hold(!err || *fault->text, "what is wrong is said");
	fault->text[0] = '\0';
}

static void add_row(const struct interval *interval, void *data)
{
	struct sw_meter *sum = data;

	must_hold(interval->billing < SW_BILLINGS, "a kind of billing");
	traffic_add(&sum->of[interval->billing][SW_EGRESS], &interval->traffic[SW_EGRESS]);
	traffic_add(&sum->of[interval->billing][SW_INGRESS], &interval->traffic[SW_INGRESS]);
}

/* What the ledger says of each period, added up. */
static int add_periods(struct ledger *ledger, int by, struct sw_meter *sum, struct fault *fault)
{
	struct ledger_query query = { .to = INT64_MAX, .by = by };
	struct usages usages = { 0 };
	int err = ledger_usage(ledger, &query, &usages, fault);

	for (size_t i = 0; i < usages.rows.n; i++) {
		traffic_add(&sum->of[usages.rows.v[i].billing][SW_EGRESS], &usages.rows.v[i].traffic[SW_EGRESS]);
		traffic_add(&sum->of[usages.rows.v[i].billing][SW_INGRESS], &usages.rows.v[i].traffic[SW_INGRESS]);
	}
	must_hold(!err || !usages.rows.v, "nothing is left of what could not be read");
	free(usages.rows.v);
	return err;
}

static void read_all(struct ledger *ledger, struct fault *fault)
{
	struct ledger_checked checked;
	int right = ledger_check(ledger, NULL, NULL, &checked, fault), err;
	struct sw_meter rows = { 0 };
	__u64 bytes;
	__s64 last;

	must_tell(right, fault);
	err = ledger_intervals(ledger, ALL, add_row, &rows, fault);
	must_tell(err, fault);
	for (int by = -1; by < CALENDAR_UNITS; by++) {
		struct sw_meter sum = { 0 };
		int failed = add_periods(ledger, by, &sum, fault);

		must_tell(failed, fault);
		must_hold(right || err || failed || !memcmp(&rows, &sum, sizeof(sum)), "sums are of the rows");
	}
	must_tell(ledger_spent(ledger, "t0", SW_MONTH, 1795608000, &bytes, fault), fault);
	ledger_lost_since(ledger, "machine", "another");
	must_tell(ledger_last(ledger, &last, fault), fault);
}

/* Mostly within a page, of those of the seeds: a file in which bytes have moved is soon refused. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
	size_t pages = size / PAGE, len;
	uint8_t page[PAGE];

	if (!pages || seed % 8 == 0)
		return LLVMFuzzerMutate(data, size, max);
	data += seed / 8 % pages * PAGE;
	memcpy(page, data, PAGE);
	len = LLVMFuzzerMutate(page, PAGE, PAGE);
	memcpy(data, page, len);
	return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fault fault = { 0 };
	struct ledger *ledger = NULL;
	int err;

	write_file(data, size);
	err = ledger_open(&ledger, path, LEDGER_READING, &fault);
	must_hold(!err == !!ledger, "there is a ledger, or an error");
	must_tell(err, &fault);
	if (ledger)
		read_all(ledger, &fault);
	ledger_close(ledger);
	return 0;
}
