// SPDX-License-Identifier: GPL-2.0-only
/* The daemon's answer: what is written is read back, anything else is refused, and a daemon can be asked for it. */
#include <errno.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"
#include "test.h"

static struct fault fault;

/* Every byte of it, so that no field has to be named: some zero, some not, in rows of any length. */
static void fill(void *data, size_t size, unsigned first)
{
	for (unsigned char *at = data, *end = at + size; at < end; at++, first = first * 1103515245 + 12345)
		*at = first >> 30 ? first >> 22 : 0;
}

#define end(text) ((text)[sizeof(text) - 1] = '\0')

static void add_full(struct snapshot *snapshot, unsigned first)
{
	struct report *report = list_add(&snapshot->reports.of);

	fill(report, offsetof(struct report, rules), first);
	end(report->record.name);
	end(report->record.path);
	end(report->record.policy);
	end(report->settings.policy);
	report->state = TENANT_UNPROTECTED;
	for (unsigned i = 0; i < first; i++) {
		struct rule_hits *rule = list_add(&report->rules);

		fill(rule, sizeof(*rule), first + i);
		end(rule->text.text);
	}
}

static struct snapshot full(void)
{
	struct snapshot snapshot = { 0 };

	fill(&snapshot.daemon, sizeof(snapshot.daemon), 9);
	snapshot.reports.support = (struct support){ .closing = CLOSING_BY_NETLINK, .watches = 0x89abcdef };
	add_full(&snapshot, 3);
	list_add(&snapshot.reports.of);
	add_full(&snapshot, 1);
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

static int read_text(const char *text, size_t len)
{
	struct snapshot out;
	int err = snapshot_read(text, len, &out, &fault);

	if (!err)
		snapshot_free(&out);
	return err;
}

static int read_again(const struct snapshot *snapshot)
{
	size_t len;
	char *text = written(snapshot, &len);
	int err = read_text(text, len);

	free(text);
	return err;
}

static void assert_same(const struct snapshot *a, const struct snapshot *b)
{
	assert_memory_equal(&a->daemon, &b->daemon, sizeof(a->daemon));
	assert_memory_equal(&a->reports.support, &b->reports.support, sizeof(a->reports.support));
	assert_int_equal(a->reports.of.n, b->reports.of.n);
	for (size_t i = 0; i < a->reports.of.n; i++) {
		const struct report *x = &a->reports.of.v[i], *y = &b->reports.of.v[i];

		assert_memory_equal(x, y, offsetof(struct report, rules));
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

/* Thousands of tenants with nothing to tell must not cost what their structs take. */
static void is_small(void **state)
{
	struct snapshot snapshot = { 0 };
	size_t len;

	(void)state;
	for (int i = 0; i < 1000; i++)
		strcpy(list_add(&snapshot.reports.of)->record.name, "tenant-00000");
	free(written(&snapshot, &len));
	assert_in_range(len, 1, 100 * 1000);
	snapshot_free(&snapshot);
}

static void refuses_other_lengths(void **state)
{
	struct snapshot before = full();
	size_t len;
	char *text = written(&before, &len);

	(void)state;
	for (size_t cut = 0; cut < len; cut++) {
		char *exact = malloc(cut + !cut); /* so that a sanitizer sees a read behind it */

		memcpy(exact, text, cut);
		assert_int_equal(read_text(exact, cut), -EBADMSG);
		assert_non_null(strstr(fault.text, "cut short"));
		free(exact);
	}
	text = realloc(text, len + 1);
	text[len] = 1;
	assert_int_equal(read_text(text, len + 1), -EBADMSG);
	free(text);
	snapshot_free(&before);
}

static void refuses_another_build(void **state)
{
	struct snapshot empty = { 0 };
	size_t len;
	char *text = written(&empty, &len);

	(void)state;
	for (size_t i = 0; i < SNAPSHOT_HEAD; i++) {
		text[i] ^= 1;
		assert_int_equal(read_text(text, len), -EBADMSG);
		assert_non_null(strstr(fault.text, "the daemon is of another build: restart it"));
		text[i] ^= 1;
	}
	assert_int_equal(read_text(text, len), 0);
	free(text);
}

static void refuses_what_no_reader_expects(void **state)
{
	struct snapshot snapshot = full();
	struct report *last = &snapshot.reports.of.v[2];
	struct {
		char *text;
		size_t size;
	} texts[] = { { last->record.name, SW_NAME_MAX },
		      { last->record.path, SW_PATH_MAX },
		      { last->record.policy, SW_PATH_MAX },
		      { last->settings.policy, SW_NAME_MAX },
		      { last->rules.v[0].text.text, SW_TEXT_MAX } };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		memset(texts[i].text, 'x', texts[i].size);
		assert_int_equal(read_again(&snapshot), -EBADMSG);
		texts[i].text[texts[i].size - 1] = '\0';
		assert_int_equal(read_again(&snapshot), 0);
	}
	last->state = TENANT_STATES;
	assert_int_equal(read_again(&snapshot), -EBADMSG);
	last->state = TENANT_STATES - 1;
	assert_int_equal(read_again(&snapshot), 0);
	snapshot.reports.support.closing = CLOSING_BYS;
	assert_int_equal(read_again(&snapshot), -EBADMSG);
	snapshot_free(&snapshot);
}

/* The snapshot, of which the count at the end is 0, with one of 16,843,009 in its place. */
static void assert_lie_is_seen(const struct snapshot *snapshot)
{
	struct rlimit all, few = { .rlim_cur = 1 << 28 };
	size_t len;
	char *text = written(snapshot, &len);

	assert_int_equal(text[len - 1], 0);
	text = realloc(text, len + 8);
	memcpy(text + len - 1, "\1\1\1\1\1\0\0\0\0", 9);
	getrlimit(RLIMIT_AS, &all);
	few.rlim_max = all.rlim_max;
	setrlimit(RLIMIT_AS, &few);
	assert_int_equal(read_text(text, len + 8), -EBADMSG);
	setrlimit(RLIMIT_AS, &all);
	free(text);
}

static void a_count_that_lies_costs_nothing(void **state)
{
	struct snapshot snapshot = { .reports.support.watches = ~0U };

	(void)state;
	assert_lie_is_seen(&snapshot);
	memset(&list_add(&snapshot.reports.of)->meter, 1, sizeof(struct sw_meter));
	assert_lie_is_seen(&snapshot);
	snapshot_free(&snapshot);
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
		cmocka_unit_test(is_small),
		cmocka_unit_test(refuses_other_lengths),
		cmocka_unit_test(refuses_another_build),
		cmocka_unit_test(refuses_what_no_reader_expects),
		cmocka_unit_test(a_count_that_lies_costs_nothing),
		cmocka_unit_test(asks_a_daemon),
		cmocka_unit_test(says_why_no_daemon_answers),
	};

	return cmocka_run_group_tests_name("snapshot", tests, NULL, NULL);
}
