// SPDX-License-Identifier: GPL-2.0-only
/* The name servers of resolv.conf(5), as glibc reads them. */
#include "resolv.h"
#include "image.h"
#include "test.h"

/* The text, and its servers with a space behind each. */
static const struct file {
	const char *text, *servers;
} files[] = {
	{ "", "" },
	{ "\n\n", "" },
	{ "nameserver 192.0.2.1\n", "192.0.2.1 " },
	{ "nameserver 192.0.2.1", "192.0.2.1 " },
	{ "nameserver\t 192.0.2.1  \n", "192.0.2.1 " },
	{ "nameserver 192.0.2.1\r\n", "192.0.2.1 " },
	{ "nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch example.com\n", "127.0.0.53 " },
	/* all of them, in order, each once */
	{ "nameserver 192.0.2.3\nnameserver 192.0.2.1\nnameserver 192.0.2.3\nnameserver 192.0.2.2\nnameserver ::1\n",
	  "192.0.2.3 192.0.2.1 192.0.2.2 ::1 " },
	/* what a stub adds behind the address, and a second address, which is none to glibc */
	{ "nameserver 192.0.2.1 # the router\nnameserver 192.0.2.2 192.0.2.3\n", "192.0.2.1 192.0.2.2 " },
	/* comments, and lines that do not begin with the keyword */
	{ "#nameserver 192.0.2.1\n;nameserver 192.0.2.1\n nameserver 192.0.2.1\n\tnameserver 192.0.2.1\n", "" },
	{ "nameservers 192.0.2.1\nnameserver:192.0.2.1\nNameserver 192.0.2.1\nnameserver192.0.2.1\n", "" },
	/* IPv6, with a scope and as IPv4 */
	{ "nameserver fe80::1%eth0\nnameserver 2001:DB8::53\nnameserver ::ffff:192.0.2.1\n",
	  "fe80::1 2001:db8::53 192.0.2.1 " },
	{ "nameserver 192.0.2.1\nnameserver ::ffff:192.0.2.1\n", "192.0.2.1 " },
	/* forms of IPv4 that inet_aton(3) takes */
	{ "nameserver 127.1\nnameserver 0x7f000002\n", "127.0.0.1 127.0.0.2 " },
	/* mistakes are passed over, and nothing more than they */
	{ "nameserver\nnameserver \nnameserver dns.example.com\nnameserver 192.0.2.256\nnameserver 192.0.2.1/24\n"
	  "nameserver [::1]\nnameserver 192.0.2.1%eth0\nnameserver ::1%\nnameserver 192.0.2.9\n",
	  "::1 192.0.2.9 " },
};

static void servers_are_those_of_glibc(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(files); i++) {
		struct prefixes servers = { 0 };
		char all[512] = "", text[SW_PREFIX_TEXT];

		resolv_parse(files[i].text, strlen(files[i].text), &servers);
		for (size_t j = 0; j < servers.n; j++)
			sprintf(all + strlen(all), "%s ", prefix_format(&servers.v[j], text));
		if (strcmp(all, files[i].servers))
			fail_msg("%s\nhas '%s', not '%s'", files[i].text, all, files[i].servers);
		prefixes_free(&servers);
	}
}

/* The text, and its search list likewise. */
static const struct file lists[] = {
	{ "", "" },
	{ "nameserver 192.0.2.1\noptions ndots:5\n", "" },
	{ "search example.com\n", "example.com " },
	{ "search\tA.Example.com. b.example.com\t c.example.com \r\n", "a.example.com b.example.com c.example.com " },
	{ "domain example.com example.org\n", "example.com " },
	/* the last line counts, of either kind, unless there is nothing in it */
	{ "search a.example\nsearch b.example\n", "b.example " },
	{ "domain a.example\nsearch b.example c.example\n", "b.example c.example " },
	{ "search b.example c.example\ndomain a.example\nsearch\nsearch \n", "a.example " },
	/* a Kubernetes pod's */
	{ "search default.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n",
	  "default.svc.cluster.local svc.cluster.local cluster.local " },
	/* what is no domain is left out, and each is kept once */
	{ "search . a.example A.example. b_c.example *.example # -x.example\n", "a.example b_c.example " },
	{ " search a.example\nSearch a.example\nsearchlist a.example\n#search a.example\n", "" },
};

static void the_search_list_is_glibcs(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(lists); i++) {
		struct domains domains = { 0 };
		char all[512] = "";

		resolv_search_parse(lists[i].text, strlen(lists[i].text), &domains);
		for (size_t j = 0; j < domains.n; j++) {
			sprintf(all + strlen(all), "%s ", domains.v[j]);
			free(domains.v[j]);
		}
		if (strcmp(all, lists[i].servers))
			fail_msg("%s\nhas '%s', not '%s'", lists[i].text, all, lists[i].servers);
		free(domains.v);
	}
}

/* The text need not end in a NUL, and one inside ends its line. */
static void the_end_is_the_length(void **state)
{
	struct prefixes servers = { 0 };

	(void)state;
	resolv_parse("nameserver 192.0.2.10", strlen("nameserver 192.0.2.1"), &servers);
	resolv_parse("nameserver 192.0.2\0.7\nnameserver 192.0.2.8", 42, &servers);
	assert_int_equal(servers.n, 3);
	assert_int_equal(servers.v[0].addr.b[15], 1);
	assert_int_equal(servers.v[2].addr.b[15], 8);
	prefixes_free(&servers);
}

static bool nobody(void *data, const char *from, const char *text, struct prefixes *out, struct diags *diags)
{
	(void)data, (void)from, (void)out, (void)diags;
	return !strcmp(text, SET_RESOLVERS);
}

/* What a policy of one rule about an empty set answers, and that its author is told. */
static bool answer_of(const char *text)
{
	struct sw_flow flow = { .port = 53, .proto = SW_UDP };
	struct diags diags = { 0 };
	struct policy *policy =
		policy_read("x.yaml", text, strlen(text), &(struct policy_source){ .net = nobody }, &diags);
	struct image *image;
	bool allow;

	assert_non_null(policy);
	assert_int_equal(diags.n, 1);
	assert_int_equal(diags.errors, 0);
	image = compile(policy, &diags);
	assert_null(addr_parse("192.0.2.1", &flow.peer));
	allow = image_decide(image, &flow).allow;
	assert_null(addr_parse("2001:db8::1", &flow.peer));
	assert_int_equal(image_decide(image, &flow).allow, allow);
	image_free(image);
	policy_free(policy);
	diags_free(&diags);
	return allow;
}

static void a_rule_about_nobody_matches_nothing(void **state)
{
	(void)state;
	assert_false(answer_of("rules: [{allow: {net: resolvers, port: 53}}]\ndefault: deny\n"));
	assert_false(answer_of("rules: [{allow: {net: resolvers}}]\ndefault: deny\n"));
	assert_true(answer_of("rules: [{deny: {net: resolvers}}]\ndefault: allow\n"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(servers_are_those_of_glibc),
		cmocka_unit_test(the_search_list_is_glibcs),
		cmocka_unit_test(the_end_is_the_length),
		cmocka_unit_test(a_rule_about_nobody_matches_nothing),
	};

	return cmocka_run_group_tests_name("resolv", tests, NULL, NULL);
}
