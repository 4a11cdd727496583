// SPDX-License-Identifier: GPL-2.0-only
/* What became of a tenant, for people and as JSON: the sockets that were closed, and what closes them. */
#include "report.h"
#include "prefix.h"
#include "test.h"

static const struct support by_iterator = { CLOSING_BY_ITERATOR, 1U << SW_WATCH_RECEIVE | 1U << SW_WATCH_SHUTDOWN };

static struct report tenant(__u32 idle_timeout)
{
	struct report report = {
		.record.name = "shop",
		.limit = SW_NO_LIMIT,
		.settings = { .serial = 3, .policy = "appengine", .idle_timeout = idle_timeout, .budget = SW_NO_LIMIT },
		.counts.denied[SW_REASON_RULE] = 2,
	};

	return report;
}

static char *printed(const struct report *report, const struct support *support)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	report_print(report, support, out);
	fclose(out);
	return text;
}

static char *as_json(const struct report *report, const struct support *support)
{
	char *text = NULL;
	size_t len;
	struct json json = { .out = open_memstream(&text, &len) };

	report_json(report, support, &json);
	fclose(json.out);
	return text;
}

static void assert_has(char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in:\n%s", part, text);
	free(text);
}

static void closed_sockets_by_cause(void **state)
{
	struct report report = tenant(600);

	(void)state;
	report.counts.closed[SW_CAUSE_IDLE] = 7;
	report.counts.closed[SW_CAUSE_TRANSFER] = 1;
	assert_int_equal(report_closed(&report), 8);
	assert_int_equal(report_denied(&report), 2);
	assert_has(printed(&report, &by_iterator),
		   "  denied              2\n"
		   "           2  rule: the policy's rules or its default refuse this peer\n"
		   "  closed              8\n"
		   "           7  idle: no operation on it for as long as the policy's idle-timeout\n"
		   "           1  transfer: a process had it that is not of the tenant it was made in\n"
		   "  idle              10m until closed by bpf_sock_destroy\n");
	assert_has(as_json(&report, &by_iterator), "\"closed\":{\"idle\":7,\"revoked\":0,\"transfer\":1,\"listen\":0,"
						   "\"no-room\":0,\"gate\":0,\"lingering\":0,\"detached\":0},"
						   "\"idle_timeout_seconds\":600,"
						   "\"closing\":\"bpf_sock_destroy\",");
}

static void when_idle_sockets_are_closed(void **state)
{
	const struct support by_netlink = { .closing = CLOSING_BY_NETLINK }, unknown = { 0 };
	struct report never = tenant(0), after = tenant(90), incomplete = tenant(90);
	char *text;

	(void)state;
	assert_has(printed(&never, &by_iterator), "  closed              0\n  idle            never closed\n");
	assert_has(printed(&after, &by_netlink), "  idle              90s until closed by SOCK_DESTROY\n");
	assert_has(printed(&after, &unknown), "  idle              90s until the daemon closes it\n");
	assert_has(printed(&after, NULL), "  idle              90s until the daemon closes it\n");
	never.meter.of[SW_BILLABLE][SW_EGRESS].packets = 1;
	never.counts.log_dropped = 1;
	assert_has(printed(&never, NULL), "0 B in 1 packet\n");
	assert_has(printed(&never, NULL), "  1 denial not logged, but counted\n");
	assert_has(as_json(&never, &unknown), "\"idle_timeout_seconds\":0,\"closing\":null,");
	incomplete.settings.serial = 0;
	text = printed(&incomplete, &by_iterator);
	assert_null(strstr(text, "until closed"));
	free(text);
	text = as_json(&after, NULL);
	assert_null(strstr(text, "closing"));
	free(text);
}

static void what_closes_has_a_name(void **state)
{
	(void)state;
	assert_string_equal(closing_by_name(CLOSING_UNKNOWN), "none yet");
	assert_string_equal(closing_by_name(CLOSING_BYS), "?");
}

static void names_and_what_they_opened(void **state)
{
	struct report report = tenant(600);

	(void)state;
	if (strstr(as_json(&report, &by_iterator), "learned"))
		fail_msg("a policy without names speaks of them");
	report.settings.named = 1;
	report.names.n[SW_NAMING_LEARNED] = 21;
	report.names.n[SW_NAMING_CLOSED] = 3;
	*list_add(&report.learned) = (struct learned){
		.left = 48, .age = 12, .ttl = 30, .asked = "files.pypi.org", .pattern = "*.pypi.org"
	};
	assert_null(addr_parse("198.51.100.7", &report.learned.v[0].addr));
	assert_has(
		printed(&report, &by_iterator),
		"  names              21 addresses learned\n"
		"           3  closed: addresses that a name may not open: private ones, or an earlier rule decides\n"
		"              files.pypi.org: 198.51.100.7 for another 48s, by *.pypi.org\n");
	assert_has(as_json(&report, &by_iterator),
		   "\"learned\":[{\"name\":\"files.pypi.org\",\"pattern\":\"*.pypi.org\",\"address\":\"198.51.100.7\","
		   "\"age_seconds\":12,\"left_seconds\":48,\"ttl_seconds\":30}]");
	assert_has(as_json(&report, &by_iterator), "\"learned\":21,\"renewed\":0");
	report_free(&report);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(closed_sockets_by_cause),
		cmocka_unit_test(names_and_what_they_opened),
		cmocka_unit_test(when_idle_sockets_are_closed),
		cmocka_unit_test(what_closes_has_a_name),
	};

	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
