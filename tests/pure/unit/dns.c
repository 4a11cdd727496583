// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is read in an answer of DNS (include/dns.h), case by case.
 *
 * Records are written OWNER TYPE[/CLASS] TTL DATA, with ` | ` between them. A name is dotted; or @N, a pointer to the
 * byte N; or =HEX, the bytes as they are, as any data may be. The question is at 12. That for `q` has its first record
 * at 19, and if the owner is a pointer there, the data of that is at 31.
 */
#include "test.h"

#include "../fuzz/dns_host.h"

#define X10     "xxxxxxxxxx"
#define X61     X10 X10 X10 X10 X10 X10 "x"
#define X63     X61 "xx"
#define ADDRESS "192.0.2.1"
#define FOUND   "192.0.2.1 60"

struct message {
	size_t len, records;
	uint8_t bytes[65536];
};

static const struct row {
	const char *what, *question, *records, *want;
	enum dns_reading reading;
	struct {
		size_t at; /* 0: nowhere */
		unsigned int value;
	} set;      /* 16 bits of the message */
	size_t cut; /* bytes of its end */
} rows[] = {
	{ "an address", "q", "@12 A 60 " ADDRESS, FOUND, DNS_READ },
	{ "written out, in another case", "q.Example", "Q.eXAMPLE A 60 " ADDRESS, FOUND, DNS_READ },
	{ "part of it written out", "q.example", "=0171c00e A 60 " ADDRESS, FOUND, DNS_READ },
	{ "IPv6", "q", "@12 AAAA 60 2001:db8::1", "2001:db8::1 60", DNS_READ },
	{ "both", "q", "@12 A 60 " ADDRESS " | @12 AAAA 50 2001:db8::1", FOUND ", 2001:db8::1 50", DNS_READ },
	{ "none", "q", "", "", DNS_READ },
	{ "the root", ".", "@12 A 60 " ADDRESS, FOUND, DNS_READ },
	{ "the root, written out", ".", ". A 60 " ADDRESS, FOUND, DNS_READ },
	{ "what is no address", "q", "@12 16 60 =0161 | @12 A 60 " ADDRESS " | . 41/4096 32768 =", FOUND, DNS_READ },

	/* headers and questions */
	{ "TC=1", "q", "@12 A 60 " ADDRESS, FOUND, DNS_READ, { 2, 0x8380 } },
	{ "QR=0", "q", "@12 A 60 " ADDRESS, "", DNS_REFUSED, { 2, 0x0180 } },
	{ "another opcode", "q", "@12 A 60 " ADDRESS, "", DNS_REFUSED, { 2, 0xa180 } },
	{ "SERVFAIL", "q", "@12 A 60 " ADDRESS, "", DNS_REFUSED, { 2, 0x8182 } },
	{ "NXDOMAIN", "q", "@12 A 60 " ADDRESS, "", DNS_REFUSED, { 2, 0x8183 } },
	{ "no question", "q", "@12 A 60 " ADDRESS, "", DNS_REFUSED, { 4, 0 } },
	{ "two questions", "q", "@12 A 60 " ADDRESS, "", DNS_REFUSED, { 4, 2 } },
	{ "a question of the class CH", "q", "@12 A 60 " ADDRESS, "", DNS_REFUSED, { 17, 3 } },
	{ "a name of 253 characters", X63 "." X63 "." X63 "." X61, "@12 A 60 " ADDRESS, FOUND, DNS_READ },
	{ "a name of 254", X63 "." X63 "." X63 "." X61 "x", "@12 A 60 " ADDRESS, "", DNS_REFUSED },
	{ "a label of 64", X63 "x", "@12 A 60 " ADDRESS, "", DNS_REFUSED },
	{ "a label of another kind", "=8171", "@12 A 60 " ADDRESS, "", DNS_REFUSED },
	{ "a dot in a label", "=03612e6100", "@12 A 60 " ADDRESS, "", DNS_REFUSED },
	{ "a NUL in a label", "=0361006100", "@12 A 60 " ADDRESS, "", DNS_REFUSED },
	{ "the question is a pointer to itself", "=c00c", "@12 A 60 " ADDRESS, "", DNS_REFUSED },

	/* owners */
	{ "another name", "q", "r A 60 " ADDRESS, "", DNS_READ },
	{ "a longer name", "q", "q.example A 60 " ADDRESS, "", DNS_READ },
	{ "a shorter one", "q.example", "q A 60 " ADDRESS, "", DNS_READ },
	{ "one after another name", "q", "r A 60 192.0.2.2 | q A 60 " ADDRESS, FOUND, DNS_READ },
	{ "a pointer to the name elsewhere", "q", "q A 60 " ADDRESS " | @19 A 60 192.0.2.2", FOUND ", 192.0.2.2 60",
	  DNS_READ },
	{ "a pointer to another name", "q", "r A 60 192.0.2.2 | @19 A 60 192.0.2.3 | @12 A 60 " ADDRESS, FOUND,
	  DNS_READ },
	{ "a pointer forwards", "q", "@40 A 60 " ADDRESS, "", DNS_BROKEN },
	{ "a pointer behind the end", "q", "@4095 A 60 " ADDRESS, "", DNS_BROKEN },
	{ "a pointer to itself", "q", "@19 A 60 " ADDRESS, "", DNS_BROKEN },
	{ "a label, and a pointer to it", "q", "=0171c013 A 60 " ADDRESS, "", DNS_BROKEN },
	{ "a label, and a pointer forwards", "q.x", "=0171c023 16 60 =017800 | @12 A 60 " ADDRESS, "", DNS_BROKEN },
	{ "pointers to each other", "q", "@12 16 60 =c021c01f | @33 A 60 " ADDRESS, "", DNS_BROKEN },
	{ "four pointers", "q", "@12 16 60 =c00cc01fc021 | @35 A 60 " ADDRESS, FOUND, DNS_READ },
	{ "five pointers", "q", "@12 16 60 =c00cc01fc021c023 | @37 A 60 " ADDRESS, "", DNS_BROKEN },
	{ "what is no host", "q", "=032a2a2a00 A 60 192.0.2.2 | @12 A 60 " ADDRESS, "", DNS_BROKEN },
	{ "what was found before", "q", "@12 A 60 " ADDRESS " | @99 A 60 192.0.2.2", FOUND, DNS_BROKEN },
	{ "an owner of 254 characters", "q", X63 "." X63 "." X63 "." X61 "x A 60 " ADDRESS, "", DNS_BROKEN },

	/* records */
	{ "of the class CH", "q", "@12 A/3 60 " ADDRESS, "", DNS_READ },
	{ "more are counted", "q", "@12 A 60 " ADDRESS, FOUND, DNS_BROKEN, { 6, 65535 } },
	{ "fewer are counted", "q", "@12 A 60 " ADDRESS " | @12 A 60 192.0.2.2", FOUND, DNS_READ, { 6, 1 } },
	{ "cut short", "q", "@12 A 60 " ADDRESS " | @12 A 60 192.0.2.2", FOUND, DNS_BROKEN, .cut = 1 },
	{ "cut in the TTL", "q", "@12 A 60 " ADDRESS " | @12 A 60 192.0.2.2", FOUND, DNS_BROKEN, .cut = 8 },
	{ "cut in a pointer", "q", "@12 A 60 " ADDRESS " | @12 A 60 192.0.2.2", FOUND, DNS_BROKEN, .cut = 15 },
	{ "data longer than the message", "q", "@12 A 60 " ADDRESS, "", DNS_BROKEN, { 29, 5 } },
	{ "an A of 5 bytes", "q", "@12 A 60 =c000020101", "", DNS_READ },
	{ "an A of 16", "q", "@12 A 60 =c0000201000000000000000000000000", "", DNS_READ },
	{ "an AAAA of 4", "q", "@12 AAAA 60 =c0000201", "", DNS_READ },

	/* times */
	{ "TTL 0", "q", "@12 A 0 " ADDRESS, "192.0.2.1 0", DNS_READ },
	{ "TTL 2^31 - 1", "q", "@12 A 2147483647 " ADDRESS, "192.0.2.1 2147483647", DNS_READ },
	{ "TTL 2^31 is none", "q", "@12 A 2147483648 " ADDRESS, "192.0.2.1 0", DNS_READ },
	{ "TTL 2^32 - 1", "q", "@12 A 4294967295 " ADDRESS, "192.0.2.1 0", DNS_READ },
	{ "the least of a chain", "q", "q CNAME 30 a | a CNAME 90 b | b A 60 " ADDRESS, "192.0.2.1 30", DNS_READ },
	{ "the address's is less", "q", "q CNAME 30 a | a CNAME 90 b | b A 9 " ADDRESS, "192.0.2.1 9", DNS_READ },
	{ "a chain for no time", "q", "q CNAME 2147483648 a | a A 60 " ADDRESS, "192.0.2.1 0", DNS_READ },
	{ "another name's does not count", "q", "r A 1 192.0.2.2 | q 16 2 = | q A 60 " ADDRESS, FOUND, DNS_READ },
	{ "the least so far", "q", "@12 A 60 " ADDRESS " | @12 A 20 192.0.2.2 | @12 A 60 192.0.2.3",
	  FOUND ", 192.0.2.2 20, 192.0.2.3 20", DNS_READ },

	/* chains; what is read again is found again */
	{ "a pointer for a target", "q.x", "@12 CNAME 60 =0161c00e | @33 A 60 " ADDRESS, FOUND, DNS_READ },
	{ "a chain in order", "q",
	  "q CNAME 60 a | a CNAME 60 b | b CNAME 60 c | c CNAME 60 d | d CNAME 60 e | e CNAME 60 f | f CNAME 60 g | "
	  "g CNAME 60 h | h CNAME 60 i | i CNAME 60 j | j A 60 " ADDRESS,
	  FOUND, DNS_READ },
	{ "7 links backwards", "q",
	  "g A 60 " ADDRESS " | f CNAME 60 g | e CNAME 60 f | d CNAME 60 e | c CNAME 60 d | b CNAME 60 c | "
	  "a CNAME 60 b | q CNAME 60 a",
	  FOUND, DNS_READ },
	{ "8 links backwards", "q",
	  "h A 60 " ADDRESS " | g CNAME 60 h | f CNAME 60 g | e CNAME 60 f | d CNAME 60 e | c CNAME 60 d | "
	  "b CNAME 60 c | a CNAME 60 b | q CNAME 60 a",
	  "", DNS_READ },
	{ "a signature between", "q", "q CNAME 60 a | q 46 60 =00 | a A 60 " ADDRESS, FOUND ", " FOUND, DNS_READ },
	{ "an alias of another name", "q", "r CNAME 60 s | s A 60 " ADDRESS, "", DNS_READ },
	{ "an alias to the question", "q", "r CNAME 60 q | q A 60 " ADDRESS, FOUND, DNS_READ },
	{ "an alias aside", "q", "q CNAME 60 a | b CNAME 60 c | c A 60 192.0.2.2", "", DNS_READ },
	{ "an alias of the class CH", "q", "q CNAME/3 60 a | a A 60 " ADDRESS, "", DNS_READ },
	{ "a circle", "q", "q CNAME 60 a | a CNAME 60 q | b A 60 " ADDRESS, "", DNS_READ },
	{ "an alias of itself", "q", "q CNAME 60 q | b A 60 " ADDRESS, "", DNS_READ },
	{ "a target forwards", "q", "q CNAME 60 @60 | a A 60 " ADDRESS, "", DNS_BROKEN },
	{ "a target that is the root", "q", "q CNAME 60 . | a A 60 " ADDRESS, "", DNS_READ },
	{ "a target that is no host", "q", "q CNAME 60 =032a2a2a00 | a A 60 " ADDRESS, "", DNS_BROKEN },
	{ "no target, at the end", "q", "a A 60 " ADDRESS " | @12 CNAME 60 =", "", DNS_BROKEN },
	{ "a label and half a pointer", "q", "a A 60 " ADDRESS " | @12 CNAME 60 =0161c0", "", DNS_BROKEN },
	{ "half a pointer, at the end", "q", "a A 60 " ADDRESS " | @12 CNAME 60 =c0", "", DNS_BROKEN },

	/* addresses that carry another */
	{ "mapped", "q", "@12 AAAA 60 ::ffff:10.0.0.1", "10.0.0.1 60", DNS_READ },
	{ "NAT64", "q", "@12 AAAA 60 64:ff9b::10.0.0.1", "64:ff9b::a00:1 60, 10.0.0.1 60", DNS_READ },
	{ "6to4", "q", "@12 AAAA 60 2002:a00:1::1", "2002:a00:1::1 60, 10.0.0.1 60", DNS_READ },
	{ "Teredo", "q", "@12 AAAA 60 2001::f5ff:fffe", "2001::f5ff:fffe 60, 10.0.0.1 60", DNS_READ },
};

/* ---- messages as they are on the wire ------------------------------------------------------------- */

static void put(struct message *m, const void *bytes, size_t n)
{
	memcpy(m->bytes + m->len, bytes, n);
	m->len += n;
}

static void put_16(struct message *m, unsigned int value)
{
	put(m, (uint8_t[]){ value >> 8, value }, 2);
}

static void put_hex(struct message *m, const char *hex)
{
	unsigned int byte;

	for (; sscanf(hex, "%2x", &byte) == 1; hex += 2)
		m->bytes[m->len++] = byte;
}

static void put_name(struct message *m, const char *name)
{
	if (*name == '=')
		return put_hex(m, name + 1);
	if (*name == '@')
		return put_16(m, 0xc000 | strtoul(name + 1, NULL, 10));
	for (size_t n; (n = strcspn(name, ".")); name += n + (name[n] == '.')) {
		m->bytes[m->len++] = n;
		put(m, name, n);
	}
	m->bytes[m->len++] = 0;
}

static void put_data(struct message *m, const char *type, const char *data)
{
	int family = strcmp(type, "AAAA") ? AF_INET : AF_INET6;
	uint8_t bytes[16];

	if (*data == '=' || !strcmp(type, "CNAME"))
		return put_name(m, data);
	assert_int_equal(inet_pton(family, data, bytes), 1);
	put(m, bytes, family == AF_INET ? 4 : 16);
}

static unsigned int type_number(const char *type)
{
	if (!strcmp(type, "A"))
		return 1;
	if (!strcmp(type, "AAAA"))
		return 28;
	return strcmp(type, "CNAME") ? strtoul(type, NULL, 10) : 5;
}

static void put_record(struct message *m, char *text)
{
	const char *owner = strtok(text, " "), *type = strtok(NULL, " "), *ttl = strtok(NULL, " ");
	char *class = strchr(type, '/');
	unsigned long seconds = strtoul(ttl, NULL, 10);
	size_t size;

	if (class)
		*class ++ = '\0';
	put_name(m, owner);
	put_16(m, type_number(type));
	put_16(m, class ? strtoul(class, NULL, 10) : 1);
	put_16(m, seconds >> 16);
	put_16(m, seconds);
	size = m->len;
	put_16(m, 0);
	put_data(m, type, strtok(NULL, " "));
	m->bytes[size] = (m->len - size - 2) >> 8;
	m->bytes[size + 1] = m->len - size - 2;
	m->bytes[6] = ++m->records >> 8;
	m->bytes[7] = m->records;
}

static void message_begin(struct message *m, const char *question)
{
	m->len = m->records = 0;
	put_hex(m, "535781800001000000000000");
	put_name(m, question);
	put_hex(m, "00010001");
}

static void message_make(struct message *m, const struct row *row)
{
	char text[2048], *rest = text, *end;

	message_begin(m, row->question);
	snprintf(text, sizeof(text), "%s", row->records);
	while (rest && *rest) {
		end = strstr(rest, " | ");
		if (end)
			*end = '\0';
		put_record(m, rest);
		rest = end ? end + 3 : NULL;
	}
	if (row->set.at) {
		m->bytes[row->set.at] = row->set.value >> 8;
		m->bytes[row->set.at + 1] = row->set.value;
	}
	m->len -= row->cut;
}

/* ---- what is read --------------------------------------------------------------------------------- */

static struct message made;

/* As memory may be that was used: behind the message are pointers to the question, or with `half` one's second byte. */
static enum dns_reading read_into(struct dns *dns, size_t len, bool half)
{
	memset(dns, 0, sizeof(*dns));
	for (size_t i = 0; i < sizeof(dns->msg); i++)
		dns->msg[i] = (i - len + half) % 2 ? 0x0c : 0xc0;
	return dns_read(dns, made.bytes, len);
}

static enum dns_reading read_made(struct dns *dns, size_t len)
{
	static struct dns other;
	enum dns_reading reading = read_into(dns, len, false);

	if (read_into(&other, len, true) != reading || other.count != dns->count ||
	    memcmp(other.found, dns->found, sizeof(dns->found)))
		fail_msg("what is behind these %zu bytes counts", len);
	return reading;
}

static const char *said(const struct dns *dns)
{
	static char all[65536];
	char text[INET6_ADDRSTRLEN];
	size_t n = 0;

	*all = '\0';
	for (__u32 i = 0; i < dns->count; i++) {
		const struct sw_addr *addr = &dns->found[i].addr;

		if (sw_addr_is_v4(addr))
			inet_ntop(AF_INET, &addr->w[3], text, sizeof(text));
		else
			inet_ntop(AF_INET6, addr, text, sizeof(text));
		n += snprintf(all + n, sizeof(all) - n, "%s%s %u", n ? ", " : "", text, dns->found[i].ttl);
	}
	return all;
}

static void answers_are_read(void **state)
{
	static const char *const readings[] = { "refused", "broken", "read" };
	static struct dns dns;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		enum dns_reading reading;

		message_make(&made, &rows[i]);
		reading = read_made(&dns, made.len);
		if (reading != rows[i].reading || strcmp(said(&dns), rows[i].want))
			fail_msg("%s: %s '%s', not %s '%s'", rows[i].what, readings[reading], said(&dns),
				 readings[rows[i].reading], rows[i].want);
	}
}

static void no_part_is_a_whole(void **state)
{
	static struct dns dns;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		message_make(&made, &rows[i]);
		for (size_t len = 0; rows[i].reading == DNS_READ && made.records && !rows[i].set.at && len < made.len;
		     len++)
			assert_int_not_equal(read_made(&dns, len), DNS_READ);
	}
}

/* Into `made`: as many records, each as it is written. */
static void make_many(const char *record, size_t n)
{
	char text[64];

	message_begin(&made, ".");
	while (n--) {
		snprintf(text, sizeof(text), "%s", record);
		put_record(&made, text);
	}
}

static void put_last(const char *record)
{
	char text[64];

	snprintf(text, sizeof(text), "%s", record);
	put_record(&made, text);
}

static void of_many_addresses_the_first(void **state)
{
	static struct dns dns;

	(void)state;
	make_many("@12 A 60 192.0.2.2", DNS_ADDRESSES - 1);
	put_last("@12 AAAA 60 64:ff9b::192.0.2.1");
	put_last("@12 A 60 192.0.2.3");
	assert_int_equal(read_made(&dns, made.len), DNS_READ);
	assert_int_equal(dns.count, DNS_ADDRESSES);
	assert_true(sw_addr_equal(&dns.found[DNS_ADDRESSES - 2].addr, &dns.found[0].addr));
	assert_int_equal(dns.found[DNS_ADDRESSES - 1].addr.w[0], htonl(0x64ff9b));
}

/* The shortest that there are: what is looked at of a message holds no more of them. */
static void an_address_behind_many_records(void **state)
{
	static struct dns dns;

	(void)state;
	make_many(". 16 60 =", 369);
	put_last(". A 60 " ADDRESS);
	assert_in_range(made.len, DNS_MAX - 10, DNS_MAX);
	assert_int_equal(read_made(&dns, made.len), DNS_READ);
	assert_string_equal(said(&dns), FOUND);
}

static void nothing_behind_4096_bytes(void **state)
{
	static struct dns dns;

	(void)state;
	message_begin(&made, ".");
	put_last(". A 60 " ADDRESS);
	for (int i = 0; i < 400; i++)
		put_last(". 16 60 =");
	put_last(". A 60 192.0.2.2");
	assert_true(made.len > DNS_MAX);
	assert_int_equal(read_made(&dns, made.len), DNS_BROKEN);
	assert_string_equal(said(&dns), FOUND);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_read),
		cmocka_unit_test(no_part_is_a_whole),
		cmocka_unit_test(of_many_addresses_the_first),
		cmocka_unit_test(an_address_behind_many_records),
		cmocka_unit_test(nothing_behind_4096_bytes),
	};

	return cmocka_run_group_tests_name("dns", tests, NULL, NULL);
}
