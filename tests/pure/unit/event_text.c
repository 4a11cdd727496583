// SPDX-License-Identifier: GPL-2.0-only
/* The log: a denial and a closing as a line, and as JSON; and the head of what the daemon answers. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "event.h"
#include "prefix.h"
#include "rule_text.h"
#include "test.h"

#define TIME 1795341600250 /* 2026-11-22T10:00:00.250Z */

static struct event event(__u8 hook, const char *peer, __u16 port)
{
	struct event event = {
		.time = TIME,
		.of = {
			.image = 3,
			.serial = 9,
			.denial = { .flow.port = port, .pid = 123, .hook = hook, .family = AF_INET, .protocol = IPPROTO_TCP },
			.tenant = "shop",
			.policy = "appengine",
		},
	};

	memcpy(event.of.denial.comm, "php", 3);
	if (peer)
		assert_null(addr_parse(peer, &event.of.denial.flow.peer));
	return event;
}

static struct event closing(const char *peer, __u16 port, __u32 cause)
{
	struct event closing = event(SW_HOOK_PASS, peer, port);

	closing.of.closing = (struct sw_closing){ .idle = 602345, .bytes = { 1229, 3482 }, .cause = cause };
	return closing;
}

static void assert_line(const struct event *event, const char *want)
{
	static const char before[] = "2026-11-22T10:00:00.250Z ";
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	event_print(event, out);
	fclose(out);
	assert_memory_equal(text, before, sizeof(before) - 1);
	assert_string_equal(text + sizeof(before) - 1, want);
	free(text);
}

static void assert_json(const struct event *event, const char *want)
{
	static const char before[] = "{\"time\":\"2026-11-22T10:00:00.250Z\",";
	char *text = NULL;
	size_t len;
	struct json json = { .out = open_memstream(&text, &len) };

	event_json(event, &json);
	fclose(json.out);
	assert_memory_equal(text, before, sizeof(before) - 1);
	assert_string_equal(text + sizeof(before) - 1, want);
	free(text);
}

static void denials(void **state)
{
	struct event by_rule = event(SW_HOOK_CONNECT4, "203.0.113.5", 25);
	struct event any = event(SW_HOOK_CONNECT6, "::", 0);

	(void)state;
	by_rule.of.denial.rule = 6;
	by_rule.of.line = 22;
	strcpy(by_rule.of.text, "deny: {port: 25}");
	assert_line(&by_rule,
		    "shop php[123] connect4 tcp 203.0.113.5:25 denied: rule 7, appengine:22 deny: {port: 25}\n");
	assert_json(&by_rule,
		    "\"tenant\":\"shop\",\"policy\":\"appengine\",\"pid\":123,\"comm\":\"php\",\"hook\":\"connect4\","
		    "\"family\":\"inet\",\"protocol\":\"tcp\",\"peer\":\"203.0.113.5\",\"port\":25,\"reason\":\"rule\","
		    "\"rule\":7,\"line\":22,\"file\":\"appengine\",\"text\":\"deny: {port: "
		    "25}\",\"audit\":false,\"dropped\":0}\n");
	rule_pack(by_rule.of.text,
		  (const char *const[]){ "deny: {port: 25}", "house", "no-mail", "Mail goes\nby the relay" });
	assert_line(&by_rule,
		    "shop php[123] connect4 tcp 203.0.113.5:25 denied: rule 7 (no-mail), house:22 deny: {port: 25} "
		    "# Mail goes?by the relay\n");
	assert_json(
		&by_rule,
		"\"tenant\":\"shop\",\"policy\":\"appengine\",\"pid\":123,\"comm\":\"php\",\"hook\":\"connect4\","
		"\"family\":\"inet\",\"protocol\":\"tcp\",\"peer\":\"203.0.113.5\",\"port\":25,\"reason\":\"rule\","
		"\"rule\":7,\"line\":22,\"file\":\"house\",\"id\":\"no-mail\",\"description\":\"Mail goes\\u000aby the "
		"relay\",\"text\":\"deny: {port: 25}\",\"audit\":false,\"dropped\":0}\n");
	any.of.denial.reason = SW_REASON_CLOSED;
	any.of.dropped = 4;
	assert_line(&any, "shop php[123] connect6 tcp [::]:0 denied: closed (4 before it not logged)\n");
}

static struct event made(int family, int type, int protocol)
{
	struct event made = event(SW_HOOK_SOCK_CREATE, NULL, 0);

	made.of.denial.family = family;
	made.of.denial.type = type;
	made.of.denial.protocol = protocol;
	made.of.denial.reason = SW_REASON_PROTOCOL;
	return made;
}

static void sockets(void **state)
{
	static const struct {
		int family, type, protocol;
		const char *text;
	} all[] = {
		{ AF_INET, SOCK_STREAM, IPPROTO_TCP, "tcp" },
		{ AF_INET, SOCK_STREAM, 262, "mptcp" },
		{ AF_INET6, SOCK_STREAM, 262, "inet6 mptcp" },
		{ AF_INET, SOCK_RAW, IPPROTO_ICMP, "raw icmp" },
		{ AF_INET, SOCK_DGRAM, IPPROTO_ICMP, "dgram icmp" },
		{ AF_INET6, SOCK_RAW, 58, "inet6 raw icmpv6" },
		{ AF_INET, SOCK_RAW, IPPROTO_RAW, "raw raw" },
		{ AF_INET, SOCK_RAW, IPPROTO_TCP, "raw tcp" },
		{ AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE, "udplite" },
		{ AF_INET, SOCK_STREAM, IPPROTO_SCTP, "sctp" },
		{ AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP, "seqpacket sctp" },
		{ AF_INET, SOCK_DCCP, IPPROTO_DCCP, "dccp" },
		{ AF_PACKET, SOCK_RAW, 768, "packet raw protocol-768" },
		{ 99, 98, 97, "family-99 type-98 protocol-97" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct event of = made(all[i].family, all[i].type, all[i].protocol);
		char line[128];

		snprintf(line, sizeof(line), "shop php[123] sock_create %s denied: protocol\n", all[i].text);
		assert_line(&of, line);
	}
}

static void sockets_as_json(void **state)
{
	struct event of = made(AF_INET6, SOCK_RAW, 58);

	(void)state;
	assert_json(&of, "\"tenant\":\"shop\",\"policy\":\"appengine\",\"pid\":123,\"comm\":\"php\","
			 "\"hook\":\"sock_create\",\"family\":\"inet6\",\"protocol\":\"icmpv6\",\"type\":\"raw\","
			 "\"reason\":\"protocol\",\"audit\":false,\"dropped\":0}\n");
}

/* Whatever the reason: what is not about a peer says nothing of one. */
static void options(void **state)
{
	struct event mark = event(SW_HOOK_SETSOCKOPT, NULL, 0), other = event(SW_HOOK_GETSOCKOPT, NULL, 0);

	(void)state;
	mark.of.denial.reason = SW_REASON_TRANSFER;
	mark.of.denial.type = SOL_SOCKET;
	mark.of.denial.protocol = SO_MARK;
	assert_line(&mark, "shop php[123] setsockopt option SO_MARK denied: transfer\n");
	assert_json(&mark, "\"tenant\":\"shop\",\"policy\":\"appengine\",\"pid\":123,\"comm\":\"php\","
			   "\"hook\":\"setsockopt\",\"family\":\"inet\",\"option\":\"SO_MARK\",\"level\":\"socket\","
			   "\"reason\":\"transfer\",\"audit\":false,\"dropped\":0}\n");
	other.of.denial.reason = SW_REASON_OPTION;
	other.of.denial.type = 300;
	other.of.denial.protocol = 7;
	assert_line(&other, "shop php[123] getsockopt option 300:7 denied: option\n");
	assert_json(&other,
		    "\"tenant\":\"shop\",\"policy\":\"appengine\",\"pid\":123,\"comm\":\"php\","
		    "\"hook\":\"getsockopt\",\"family\":\"inet\",\"option\":\"300:7\",\"level\":\"protocol-300\","
		    "\"reason\":\"option\",\"audit\":false,\"dropped\":0}\n");
}

static void other_protocols(void **state)
{
	struct event sctp = event(SW_HOOK_EGRESS, "203.0.113.5", 0);

	(void)state;
	sctp.of.denial.reason = SW_REASON_PROTOCOL;
	sctp.of.denial.flow.proto = SW_PROTOS;
	sctp.of.denial.protocol = IPPROTO_SCTP;
	assert_line(&sctp, "shop php[123] egress sctp 203.0.113.5 denied: protocol\n");
	sctp.of.denial.protocol = 253;
	assert_line(&sctp, "shop php[123] egress protocol-253 203.0.113.5 denied: protocol\n");
}

static void closings(void **state)
{
	struct event idle = closing("203.0.113.5", 443, SW_CAUSE_IDLE);
	struct event transfer = closing("2001:db8::1", 443, SW_CAUSE_TRANSFER);
	struct event revoked = closing("203.0.113.5", 53, SW_CAUSE_REVOKED);

	(void)state;
	assert_line(&idle, "shop php[123] pass tcp 203.0.113.5:443 closed: idle for 10m2s, sent 1.2 KiB, "
			   "received 3.4 KiB\n");
	assert_json(
		&idle,
		"\"tenant\":\"shop\",\"policy\":\"appengine\",\"pid\":123,\"comm\":\"php\",\"hook\":\"pass\","
		"\"family\":\"inet\",\"protocol\":\"tcp\",\"peer\":\"203.0.113.5\",\"port\":443,\"closed\":\"idle\","
		"\"idle_ms\":602345,\"sent_bytes\":1229,\"received_bytes\":3482,\"audit\":false,"
		"\"dropped\":0}\n");
	assert_line(&transfer, "shop php[123] pass tcp [2001:db8::1]:443 closed: transfer, sent 1.2 KiB, "
			       "received 3.4 KiB\n");
	revoked.of.denial.flow.proto = SW_UDP;
	revoked.of.audit = 1;
	revoked.of.denial.pid = 0;
	assert_line(&revoked,
		    "shop pass udp 203.0.113.5:53 would be closed: revoked, sent 1.2 KiB, received 3.4 KiB\n");
}

static void unix_sockets(void **state)
{
	struct event refused = event(SW_HOOK_SENDMSG_UNIX, "0.0.0.0", 0);

	(void)state;
	refused.of.denial.reason = SW_REASON_UNIX;
	refused.of.denial.family = AF_UNIX;
	refused.of.line = 0;
	strcpy(refused.of.text, "/dev/log\n");
	assert_line(&refused, "shop php[123] sendmsg_unix /dev/log? denied: unix\n");
	assert_json(
		&refused,
		"\"tenant\":\"shop\",\"policy\":\"appengine\",\"pid\":123,\"comm\":\"php\",\"hook\":\"sendmsg_unix\","
		"\"family\":\"unix\",\"path\":\"/dev/"
		"log\\u000a\",\"reason\":\"unix\",\"audit\":false,\"dropped\":0}\n");
}

static void closings_without_a_peer(void **state)
{
	struct event tcp = closing(NULL, 0, SW_CAUSE_TRANSFER), udp = closing(NULL, 0, SW_CAUSE_IDLE);
	struct event listener = event(SW_HOOK_SOCKOPS, "0.0.0.0", 8080);

	(void)state;
	assert_line(&tcp, "shop php[123] pass tcp, no peer closed: transfer, sent 1.2 KiB, received 3.4 KiB\n");
	udp.of.denial.protocol = IPPROTO_UDP;
	assert_line(&udp, "shop php[123] pass udp, no peer closed: idle for 10m2s, sent 1.2 KiB, received 3.4 KiB\n");
	assert_json(&udp,
		    "\"tenant\":\"shop\",\"policy\":\"appengine\",\"pid\":123,\"comm\":\"php\",\"hook\":\"pass\","
		    "\"family\":\"inet\",\"protocol\":\"udp\",\"peer\":null,\"port\":0,\"closed\":\"idle\","
		    "\"idle_ms\":602345,\"sent_bytes\":1229,\"received_bytes\":3482,\"audit\":false,\"dropped\":0}\n");
	listener.of.closing.cause = SW_CAUSE_LISTEN;
	assert_line(&listener, "shop php[123] sockops tcp port 8080 closed: listen, sent 0 B, received 0 B\n");
}

static void heads(void **state)
{
	const struct event_head head = event_head(7);
	struct event_head other = head;
	struct fault fault;

	(void)state;
	assert_int_equal(event_head_check(&head, &fault), 0);
	other.version[0]++;
	assert_int_equal(event_head_check(&other, &fault), -EBADMSG);
	other = head;
	other.size++;
	assert_int_equal(event_head_check(&other, &fault), -EBADMSG);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(denials),
		cmocka_unit_test(sockets),
		cmocka_unit_test(sockets_as_json),
		cmocka_unit_test(options),
		cmocka_unit_test(other_protocols),
		cmocka_unit_test(closings),
		cmocka_unit_test(closings_without_a_peer),
		cmocka_unit_test(unix_sockets),
		cmocka_unit_test(heads),
	};

	return cmocka_run_group_tests_name("event_text", tests, NULL, NULL);
}
