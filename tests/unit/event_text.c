// SPDX-License-Identifier: GPL-2.0-only
/* The log: a denial and a closing as a line, and as JSON. */
#include <netinet/in.h>
#include <time.h>

#include "events.h"
#include "prefix.h"
#include "publish.h"
#include "test.h"

static const struct sw_settings settings[4] = { [3] = { .serial = 9 } };
static const struct host host = { .settings = settings };

/* The one thing the texts ask of the kernel. */
int published_text(const struct host *of, __u32 number, __u32 rule, struct sw_text *out)
{
	assert_ptr_equal(of, &host);
	assert_int_equal(number, 3);
	snprintf(out->text, sizeof(out->text), "deny: {port: %u}", rule);
	return 0;
}

static struct sw_event event(__u8 hook, const char *peer, __u16 port)
{
	struct sw_event event = {
		.image = 3,
		.serial = 9,
		.denial = { .flow.port = port, .pid = 123, .hook = hook, .family = AF_INET, .protocol = IPPROTO_TCP },
		.tenant = "shop",
		.policy = "appengine",
	};

	memcpy(event.denial.comm, "php", 3);
	if (peer)
		assert_null(addr_parse(peer, &event.denial.flow.peer));
	return event;
}

static struct sw_event closing(const char *peer, __u16 port, __u32 cause)
{
	struct sw_event closing = event(SW_HOOK_PASS, peer, port);

	closing.closing = (struct sw_closing){ .idle = 602345, .bytes = { 1229, 3482 }, .cause = cause };
	return closing;
}

/* The line behind the date, which is the clock's. */
static void assert_line(const struct sw_event *event, const char *want)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	event_print(&host, event, out);
	fclose(out);
	assert_true(len > 25 && text[23] == 'Z' && text[24] == ' ');
	assert_string_equal(text + 25, want);
	free(text);
}

static void assert_json(const struct sw_event *event, const char *want)
{
	static const char before[] = "{\"time\":\"2026-11-22T10:00:00.000Z\",";
	char *text = NULL;
	size_t len;
	struct json json = { .out = open_memstream(&text, &len) };

	event_json(&host, event, &json);
	fclose(json.out);
	assert_true(len > sizeof(before));
	assert_string_equal(text + sizeof(before) - 1, want);
	free(text);
}

static void denials(void **state)
{
	struct sw_event by_rule = event(SW_HOOK_CONNECT4, "203.0.113.5", 25);
	struct sw_event any = event(SW_HOOK_CONNECT6, "::", 0);

	(void)state;
	by_rule.denial.rule = 6;
	by_rule.line = 22;
	assert_line(&by_rule,
		    "shop php[123] connect4 tcp 203.0.113.5:25 denied: rule 7, appengine:22 deny: {port: 6}\n");
	assert_json(&by_rule,
		    "\"tenant\":\"shop\",\"policy\":\"appengine\",\"pid\":123,\"comm\":\"php\",\"hook\":\"connect4\","
		    "\"family\":2,\"protocol\":6,\"peer\":\"203.0.113.5\",\"port\":25,\"reason\":\"rule\","
		    "\"rule\":7,\"line\":22,\"text\":\"deny: {port: 6}\",\"audit\":false,\"dropped\":0}\n");
	any.denial.reason = SW_REASON_CLOSED;
	any.dropped = 4;
	assert_line(&any, "shop php[123] connect6 tcp [::]:0 denied: closed (4 before it not logged)\n");
}

static void closings(void **state)
{
	struct sw_event idle = closing("203.0.113.5", 443, SW_CAUSE_IDLE);
	struct sw_event transfer = closing("2001:db8::1", 443, SW_CAUSE_TRANSFER);
	struct sw_event revoked = closing("203.0.113.5", 53, SW_CAUSE_REVOKED);

	(void)state;
	assert_line(&idle, "shop php[123] pass tcp 203.0.113.5:443 closed: idle for 10m2s, sent 1.2 KiB, "
			   "received 3.4 KiB\n");
	assert_json(&idle,
		    "\"tenant\":\"shop\",\"policy\":\"appengine\",\"pid\":123,\"comm\":\"php\",\"hook\":\"pass\","
		    "\"family\":2,\"protocol\":6,\"peer\":\"203.0.113.5\",\"port\":443,\"closed\":\"idle\","
		    "\"idle_ms\":602345,\"sent_bytes\":1229,\"received_bytes\":3482,\"audit\":false,"
		    "\"dropped\":0}\n");
	assert_line(&transfer, "shop php[123] pass tcp [2001:db8::1]:443 closed: transfer, sent 1.2 KiB, "
			       "received 3.4 KiB\n");
	revoked.denial.flow.proto = SW_UDP;
	revoked.audit = 1;
	revoked.denial.pid = 0;
	assert_line(&revoked,
		    "shop pass udp 203.0.113.5:53 would be closed: revoked, sent 1.2 KiB, received 3.4 KiB\n");
}

static void closings_without_a_peer(void **state)
{
	struct sw_event tcp = closing(NULL, 0, SW_CAUSE_TRANSFER), udp = closing(NULL, 0, SW_CAUSE_IDLE);
	struct sw_event listener = event(SW_HOOK_SOCKOPS, "0.0.0.0", 8080);

	(void)state;
	assert_line(&tcp, "shop php[123] pass tcp, no peer closed: transfer, sent 1.2 KiB, received 3.4 KiB\n");
	udp.denial.protocol = IPPROTO_UDP;
	assert_line(&udp, "shop php[123] pass udp, no peer closed: idle for 10m2s, sent 1.2 KiB, received 3.4 KiB\n");
	assert_json(&udp,
		    "\"tenant\":\"shop\",\"policy\":\"appengine\",\"pid\":123,\"comm\":\"php\",\"hook\":\"pass\","
		    "\"family\":2,\"protocol\":17,\"peer\":null,\"port\":0,\"closed\":\"idle\","
		    "\"idle_ms\":602345,\"sent_bytes\":1229,\"received_bytes\":3482,\"audit\":false,\"dropped\":0}\n");
	listener.closing.cause = SW_CAUSE_LISTEN;
	assert_line(&listener, "shop php[123] sockops tcp port 8080 closed: listen, sent 0 B, received 0 B\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(denials),
		cmocka_unit_test(closings),
		cmocka_unit_test(closings_without_a_peer),
	};

	return cmocka_run_group_tests_name("event_text", tests, NULL, NULL);
}
