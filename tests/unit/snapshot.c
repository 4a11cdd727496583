// SPDX-License-Identifier: GPL-2.0-only
/* The daemon's answer: what is written is read back, anything else is refused, and a daemon can be asked for it. */
#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"
#include "test.h"

static struct fault fault;

/* Bytes that differ from each other; `text` ends in a NUL in each of its parts. */
static void fill(void *data, size_t size, unsigned char first)
{
	unsigned char *at = data;

	for (size_t i = 0; i < size; i++)
		at[i] = first + 11 * i;
}

static void fill_text(char *text, size_t size, unsigned char first)
{
	for (size_t i = 0; i + 1 < size; i++)
		text[i] = 1 + (first + i) % 255;
}

/* Every field has a value of its own, and every string is as long as it can be. */
static void add_full(struct snapshot *snapshot)
{
	struct report *report = list_add(&snapshot->reports.of);

	fill(&report->record, sizeof(report->record), 1);
	memset(report->record.name, 0, sizeof(report->record.name));
	memset(report->record.path, 0, sizeof(report->record.path));
	memset(report->record.policy, 0, sizeof(report->record.policy));
	fill_text(report->record.name, sizeof(report->record.name), 2);
	fill_text(report->record.path, sizeof(report->record.path), 3);
	fill_text(report->record.policy, sizeof(report->record.policy), 4);
	report->state = TENANT_GONE;
	fill(&report->settings, sizeof(report->settings), 5);
	memset(report->settings.pad, 0, sizeof(report->settings.pad));
	memset(report->settings.policy, 0, sizeof(report->settings.policy));
	fill_text(report->settings.policy, sizeof(report->settings.policy), 6);
	report->limit = SW_NO_LIMIT;
	fill(&report->counts, sizeof(report->counts), 7);
	fill(&report->meter, sizeof(report->meter), 8);
	for (int i = 0; i < 3; i++) {
		struct rule_hits *rule = list_add(&report->rules);

		rule->rule = i ? i : SW_RULE_DEFAULT;
		rule->hits = i ? (__u64)1 << (21 * i) : 0;
		rule->text.line = 128 << i;
		rule->text.allow = i & 1;
		fill_text(rule->text.text, sizeof(rule->text.text), 9 + i);
	}
}

static struct snapshot full(void)
{
	struct snapshot snapshot = { 0 };

	fill(&snapshot.daemon, sizeof(snapshot.daemon), 200);
	snapshot.reports.support = (struct support){ .closing = CLOSING_BY_NETLINK, .watches = 0x89abcdef };
	add_full(&snapshot);
	list_add(&snapshot.reports.of)->state = TENANT_INCOMPLETE;
	add_full(&snapshot);
	return snapshot;
}

static char *written(const struct snapshot *snapshot, size_t *len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, len);

	snapshot_write(snapshot, out);
	fclose(out);
	return text;
}

static void assert_same(const struct snapshot *a, const struct snapshot *b)
{
	assert_memory_equal(&a->daemon, &b->daemon, sizeof(a->daemon));
	assert_memory_equal(&a->reports.support, &b->reports.support, sizeof(a->reports.support));
	assert_int_equal(a->reports.of.n, b->reports.of.n);
	for (size_t i = 0; i < a->reports.of.n; i++) {
		const struct report *x = &a->reports.of.v[i], *y = &b->reports.of.v[i];

		assert_memory_equal(&x->record, &y->record, sizeof(x->record));
		assert_int_equal(x->state, y->state);
		assert_memory_equal(&x->settings, &y->settings, sizeof(x->settings));
		assert_true(x->limit == y->limit);
		assert_memory_equal(&x->counts, &y->counts, sizeof(x->counts));
		assert_memory_equal(&x->meter, &y->meter, sizeof(x->meter));
		assert_int_equal(x->rules.n, y->rules.n);
		if (x->rules.n)
			assert_memory_equal(x->rules.v, y->rules.v, x->rules.n * sizeof(*x->rules.v));
	}
}

static void reads_what_it_writes(void **state)
{
	struct snapshot before = full(), after;
	size_t len;
	char *text = written(&before, &len);

	(void)state;
	assert_int_equal(snapshot_read(text, len, &after, &fault), 0);
	assert_same(&before, &after);
	snapshot_free(&before);
	snapshot_free(&after);
	free(text);
}

/* What cannot be changed can be written. */
static void writes_constants(void **state)
{
	static const struct snapshot constant = { .daemon = { .started = -1, .interval = 60 } };
	struct snapshot after;
	size_t len;
	char *text = written(&constant, &len);

	(void)state;
	assert_int_equal(snapshot_read(text, len, &after, &fault), 0);
	assert_same(&constant, &after);
	free(text);
}

/* Thousands of tenants with nothing to tell must not cost what their structs take. */
static void is_small(void **state)
{
	struct snapshot snapshot = { 0 };
	size_t len;

	(void)state;
	for (int i = 0; i < 1000; i++)
		strcpy(list_add(&snapshot.reports.of)->record.name, "tenant-00000");
	free(written(&snapshot, &len));
	assert_in_range(len, 1, 150 * 1000);
	snapshot_free(&snapshot);
}

static void refuses_other_lengths(void **state)
{
	struct snapshot before = full(), after;
	size_t len;
	char *text = written(&before, &len);

	(void)state;
	for (size_t cut = 0; cut < len; cut++) {
		char *exact = malloc(cut + !cut); /* so that a sanitizer sees a read behind it */

		memcpy(exact, text, cut);
		assert_int_equal(snapshot_read(exact, cut, &after, &fault), -EBADMSG);
		free(exact);
	}
	text = realloc(text, len + 1);
	text[len] = 0;
	assert_int_equal(snapshot_read(text, len + 1, &after, &fault), -EBADMSG);
	free(text);
	snapshot_free(&before);
}

#define AT_STARTED 56 /* what is before is the head */

static void refuses_another_build(void **state)
{
	struct snapshot empty = { 0 }, after;
	size_t len;
	char *text = written(&empty, &len);

	(void)state;
	for (size_t i = 0; i < AT_STARTED; i++) {
		text[i] ^= 1;
		assert_int_equal(snapshot_read(text, len, &after, &fault), -EBADMSG);
		assert_non_null(strstr(fault.text, "older build"));
		text[i] ^= 1;
	}
	assert_int_equal(snapshot_read(text, len, &after, &fault), 0);
	snapshot_free(&after);
	free(text);
}

/* Reads a snapshot of one empty tenant, in which the byte at `at` is replaced by others. */
static int read_with(size_t at, const char *put, size_t put_len)
{
	struct snapshot snapshot = { 0 }, after;
	size_t len;
	char *text, *changed;
	int err;

	list_add(&snapshot.reports.of);
	text = written(&snapshot, &len);
	changed = malloc(len + put_len);
	memcpy(changed, text, at);
	memcpy(changed + at, put, put_len);
	memcpy(changed + at + put_len, text + at + 1, len - at - 1);
	err = snapshot_read(changed, len - 1 + put_len, &after, &fault);
	if (!err)
		snapshot_free(&after);
	snapshot_free(&snapshot);
	free(changed);
	free(text);
	return err;
}

#define AT_WAITING    (AT_STARTED + 10)
#define AT_INTERVAL   (AT_STARTED + 11)
#define AT_STUCK      (AT_STARTED + 21)
#define AT_CLOSING    (AT_STARTED + 22)
#define AT_WATCHES    (AT_STARTED + 23)
#define AT_TENANTS    (AT_STARTED + 24)
#define AT_NAME       (AT_TENANTS + 1 + 5 + 32)
#define AT_STATE      (AT_NAME + 3)
#define with(at, put) read_with(at, put, sizeof(put) - 1)

static void refuses_values_out_of_range(void **state)
{
	(void)state;
	assert_int_equal(with(AT_WAITING, "\x7f"), 0);
	assert_int_equal(with(AT_WAITING, "\x80\x00"), -EBADMSG); /* a zero, not in its shortest form */
	assert_int_equal(with(AT_WAITING, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), 0);
	assert_int_equal(with(AT_WAITING, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), -EBADMSG);
	assert_int_equal(with(AT_WAITING, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x00"), -EBADMSG);
	assert_int_equal(with(AT_INTERVAL, "\xff\xff\xff\xff\x0f"), 0);
	assert_int_equal(with(AT_INTERVAL, "\x80\x80\x80\x80\x10"), -EBADMSG); /* 2^32 */
	assert_int_equal(with(AT_STUCK, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), 0);
	assert_int_equal(with(AT_CLOSING, "\x02"), 0);
	assert_int_equal(with(AT_CLOSING, "\x03"), -EBADMSG);
	assert_int_equal(with(AT_WATCHES, "\xff\xff\xff\xff\x0f"), 0);
	assert_int_equal(with(AT_WATCHES, "\x80\x80\x80\x80\x10"), -EBADMSG);
	assert_int_equal(with(AT_TENANTS, "\x02"), -EBADMSG);
	assert_int_equal(with(AT_TENANTS, "\xff\xff\xff\xff\xff\xff\xff\x7f"), -EBADMSG);
	assert_int_equal(with(AT_NAME, "\x03"
				       "abc"),
			 0);
	assert_int_equal(with(AT_NAME, "\x03"
				       "a\0c"),
			 -EBADMSG);
	assert_int_equal(with(AT_NAME, "\x40"
				       "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
			 -EBADMSG);
	assert_int_equal(with(AT_STATE, "\x04"), 0);
	assert_int_equal(with(AT_STATE, "\x05"), -EBADMSG);
}

/* A socket in a folder of its own. */
struct place {
	char folder[32], path[48];
	int fd;
};

static void place_make(struct place *place)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	strcpy(place->folder, "/tmp/snapshot.XXXXXX");
	assert_non_null(mkdtemp(place->folder));
	snprintf(place->path, sizeof(place->path), "%s/sock", place->folder);
	strcpy(addr.sun_path, place->path);
	place->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(place->fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
}

static void place_remove(struct place *place)
{
	close(place->fd);
	unlink(place->path);
	rmdir(place->folder);
}

/* Asks where a process answers once with `text`. */
static int ask_with(const char *text, size_t len, struct snapshot *out)
{
	struct place place;
	int status, err;
	pid_t pid;

	place_make(&place);
	assert_int_equal(listen(place.fd, 1), 0);
	pid = fork();
	if (!pid) {
		char question[32] = "";
		int peer = accept(place.fd, NULL, NULL);

		if (recv(peer, question, sizeof(question) - 1, 0) < 0 || strcmp(question, "snapshot\n"))
			_exit(1);
		_exit(write(peer, text, len) != (ssize_t)len);
	}
	err = snapshot_ask(place.path, out, &fault);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	place_remove(&place);
	return err;
}

static void asks_a_daemon(void **state)
{
	struct snapshot before = full(), after;
	size_t len;
	char *text = written(&before, &len);

	(void)state;
	assert_int_equal(ask_with(text, len, &after), 0);
	assert_same(&before, &after);
	snapshot_free(&after);
	assert_int_equal(ask_with(text, len - 1, &after), -EBADMSG);
	assert_int_equal(ask_with("", 0, &after), -EBADMSG);
	snapshot_free(&before);
	free(text);
}

static void says_why_no_daemon_answers(void **state)
{
	struct snapshot out;
	struct place place;
	char path[300];

	(void)state;
	place_make(&place); /* bound, but nobody listens */
	assert_int_equal(snapshot_ask(place.path, &out, &fault), -ECONNREFUSED);
	assert_non_null(strstr(fault.text, place.path));
	assert_non_null(strstr(fault.text, "start 'sockwarden daemon'"));
	place_remove(&place);
	assert_int_equal(snapshot_ask(place.path, &out, &fault), -ENOENT);
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(snapshot_ask(path, &out, &fault), -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_it_writes),
		cmocka_unit_test(writes_constants),
		cmocka_unit_test(is_small),
		cmocka_unit_test(refuses_other_lengths),
		cmocka_unit_test(refuses_another_build),
		cmocka_unit_test(refuses_values_out_of_range),
		cmocka_unit_test(asks_a_daemon),
		cmocka_unit_test(says_why_no_daemon_answers),
	};

	return cmocka_run_group_tests_name("snapshot", tests, NULL, NULL);
}
