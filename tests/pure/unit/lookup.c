// SPDX-License-Identifier: GPL-2.0-only
/* Whether the C library comes to ask DNS, by nsswitch.conf(5). */
#include "lookup.h"
#include "test.h"

/* `way` where systemd-resolved answers nobody, `resolved` where it does; a service behind each that is in the way. */
static const struct order {
	const char *text, *way, *resolved, *before;
} orders[] = {
	{ "", "dns", "dns", "" },
	{ "passwd: files sss\n", "dns", "dns", "" },
	{ "hosts: files dns\n", "dns", "dns", "" },
	{ "hosts:files dns", "dns", "dns", "" },
	{ "\thosts :\tfiles   dns # sss\n", "dns", "dns", "" },
	{ "#hosts: files\nhosts: dns\n", "dns", "dns", "" },
	{ "hosts: files\nhosts: files dns\n", "dns", "dns", "" },
	{ "hosts: files mdns4_minimal [NOTFOUND=return] dns\n", "dns", "dns", "" },
	{ "hosts: files\n", "none", "none", "" },
	{ "hosts:\n", "none", "none", "" },
	{ "hosts: files # dns\n", "none", "none", "" },
	{ "hosts: files myhostname\n", "none", "none", "" },
	{ "hosts: files [NOTFOUND=return] dns\n", "stops files", "stops files", "" },
	{ "hosts: files [notfound=RETURN] dns\n", "stops files", "stops files", "" },
	{ "hosts: files [!SUCCESS=return] dns\n", "stops files", "stops files", "" },
	{ "hosts: files [UNAVAIL=return TRYAGAIN=return] dns\n", "dns", "dns", "" },
	{ "hosts: files [!UNAVAIL=return NOTFOUND=continue] dns\n", "dns", "dns", "" },
	{ "hosts: files[NOTFOUND=return]dns\n", "stops files", "stops files", "" },
	{ "hosts: files [NOTFOUND=return\n", "stops files", "stops files", "" },
	/* Debian, Fedora and Ubuntu with systemd-resolved */
	{ "hosts: mymachines resolve [!UNAVAIL=return] files myhostname dns\n", "dns", "answers resolve", "" },
	{ "hosts: files dns resolve\n", "dns", "dns", "" },
	{ "hosts: files resolve\n", "none", "answers resolve", "" },
	{ "hosts: resolve [UNAVAIL=return] dns\n", "stops resolve", "answers resolve", "" },
	{ "hosts: resolve [SUCCESS=continue] dns\n", "dns", "dns", "" },
	/* who may know addresses from elsewhere */
	{ "hosts: files sss wins dns\n", "dns", "dns", "sss" },
	{ "hosts: files dns sss\n", "dns", "dns", "" },
	{ "hosts: files ldap [NOTFOUND=return] dns\n", "stops ldap", "stops ldap", "ldap" },
};

static void assert_way(const struct order *order, bool resolved)
{
	static const char *const ways[] = { "dns", "none", "stops ", "answers " };
	struct lookup lookup = lookup_parse(order->text, strlen(order->text), resolved);
	char said[64];

	snprintf(said, sizeof(said), "%s%s", ways[lookup.way], lookup.at);
	assert_string_equal(said, resolved ? order->resolved : order->way);
	assert_string_equal(lookup.before, order->before);
}

static void dns_is_asked_as_the_list_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(orders); i++) {
		assert_way(&orders[i], false);
		assert_way(&orders[i], true);
	}
}

static bool has_hosts(const char *text)
{
	return lookup_nscd_has_hosts(text, strlen(text));
}

static void nscd_answers_for_hosts_if_told_to(void **state)
{
	(void)state;
	assert_true(has_hosts("\tenable-cache\t\thosts\t\tyes\n"));
	assert_true(has_hosts("enable-cache hosts no\nenable-cache hosts yes"));
	assert_false(has_hosts(""));
	assert_false(has_hosts("enable-cache passwd yes\n"));
	assert_false(has_hosts("# enable-cache hosts yes\n"));
	assert_false(has_hosts("enable-cache hosts no\n"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(dns_is_asked_as_the_list_says),
		cmocka_unit_test(nscd_answers_for_hosts_if_told_to),
	};

	return cmocka_run_group_tests_name("lookup", tests, NULL, NULL);
}
