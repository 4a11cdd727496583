// SPDX-License-Identifier: GPL-2.0-only
/*
 * Answers of DNS, as the kernel reads them (include/dns.h): whatever the bytes, nothing behind them counts, and every
 * address is one that the question's name leads to, for no longer than that. All of them are found in an answer that
 * keeps to the rules, by two other readers: a naive one (dns_naive.h), in any order, and c-ares, which reads once and
 * follows each CNAME that comes.
 */
#include <ares.h>

#include "dns_host.h"
#include "dns_naive.h"
#include "support.h"

#define FOUND_MAX 1024

static struct found {
	size_t n;
	struct dns_address v[FOUND_MAX];
} ares;

static struct {
	unsigned long read, addresses, naive, ares;
} figures;

/* ---- ours ----------------------------------------------------------------------------------------- */

/* Behind the message in memory are pointers to the question, or first the second byte of one; `dns` was used. */
static void read_again(struct dns *dns, const uint8_t *data, size_t size, bool half, enum dns_reading reading)
{
	static struct dns first;

	first = *dns;
	for (size_t i = dns->len; i < sizeof(dns->msg); i++)
		dns->msg[i] = (i - dns->len + half) % 2 ? 0x0c : 0xc0;
	must_hold(dns_read(dns, data, size) == reading, "what is behind a message makes it no better or worse");
	must_hold(dns->count == first.count && !memcmp(dns->found, first.found, dns->count * sizeof(*dns->found)),
		  "what is behind a message gives no address");
}

static enum dns_reading read_all(struct dns *dns, const uint8_t *data, size_t size)
{
	enum dns_reading reading;

	memset(dns, 0, sizeof(*dns));
	reading = dns_read(dns, data, size);
	read_again(dns, data, size, false, reading);
	read_again(dns, data, size, true, reading);
	must_hold(dns->count <= DNS_ADDRESSES, "there are no more addresses than there is room for");
	must_hold(reading == DNS_REFUSED || (data[2] & 0xf8) == 0x80, "what is read is an answer");
	must_hold(reading == DNS_REFUSED || !(data[3] & 0x0f), "what is read is no error");
	return reading;
}

/* The name in question is that of the message, and one of letters and no pointers is taken. */
static void check_question(struct dns *dns, const struct naive *naive)
{
	const struct naive_name *name = &naive->names[0];
	size_t end = naive_skip(naive, 12), n = 0;
	bool whole = end && end + 4 <= dns->len && naive_16(naive, 4) == 1 && !(naive_16(naive, 2) & 0x7800) &&
		     naive_16(naive, end + 2) == 1;
	bool ours = !dns_question(dns);

	if (whole && name->host && end - 12 == name->len)
		must_hold(ours, "a plain question is read");
	if (!ours)
		return;
	must_hold(whole, "what is read is one whole question, of our class");
	must_hold(name->host, "the name in question is one of a host");
	for (size_t at = 0; name->wire[at]; at += 1 + name->wire[at]) {
		n += n ? 1 : 0;
		for (size_t i = 1; i <= name->wire[at]; i++, n++)
			must_hold(n < dns->n && dns->name.bytes[DNS_TEXT + DNS_KEY(n + 1)] == name->wire[at + i],
				  "the name in question is that of the message");
	}
	must_hold(n == dns->n, "the name in question has no more to it");
}

/* ---- the naive reader ----------------------------------------------------------------------------- */

/* The addresses of a record: one, or that and the one inside. How many they are. */
static size_t addresses_of(const void *bytes, size_t size, struct sw_addr v[2])
{
	v[0] = (struct sw_addr){ .w = { 0, 0, htonl(0xffff) } };
	memcpy(&v[0].b[16 - size], bytes, size);
	return 1 + sw_addr_embedded_v4(&v[0], &v[1]);
}

static void put(struct found *found, const void *bytes, size_t size, __u32 ttl)
{
	struct sw_addr v[2];
	size_t n = addresses_of(bytes, size, v);

	must_hold(found->n + n <= FOUND_MAX, "no message has so many addresses");
	for (size_t i = 0; i < n; i++)
		found->v[found->n++] = (struct dns_address){ v[i], ttl };
}

static bool has(const struct dns *dns, const struct sw_addr *addr)
{
	for (__u32 i = 0; i < dns->count; i++)
		if (!memcmp(&dns->found[i].addr, addr, sizeof(*addr)))
			return true;
	return false;
}

static bool gives(const struct naive *naive, const struct naive_record *record, const struct sw_addr *addr)
{
	struct sw_addr v[2];
	size_t n = addresses_of(&naive->msg[record->data], record->size, v);

	return !memcmp(&v[0], addr, sizeof(*addr)) || (n > 1 && !memcmp(&v[1], addr, sizeof(*addr)));
}

/* The most seconds that the answer gives the address. */
static int64_t naive_ttl(const struct naive *naive, const struct sw_addr *addr)
{
	int64_t most = NAIVE_NEVER;

	for (size_t i = 0; i < naive->n; i++) {
		const struct naive_record *record = &naive->records[i];
		int64_t ttl = naive_less(naive->leads[record->owner], record->ttl);

		if (ttl > most && naive_is_address(record) && gives(naive, record, addr))
			most = ttl;
	}
	return most;
}

static void check_sound(const struct dns *dns, const struct naive *naive)
{
	for (__u32 i = 0; i < dns->count; i++) {
		int64_t most = naive_ttl(naive, &dns->found[i].addr);

		must_hold(most != NAIVE_NEVER, "an address is one of a name that the question leads to");
		must_hold(dns->found[i].ttl <= most, "an address is found for no longer than the answer says");
	}
}

/* The CNAME of the name, or NULL; *more: there are several records that say what is behind the name. */
static const struct naive_record *cname_of(const struct naive *naive, size_t name, bool *more)
{
	const struct naive_record *cname = NULL;
	size_t others = 0;

	for (size_t i = 0; i < naive->n; i++) {
		const struct naive_record *record = &naive->records[i];

		if (record->owner != name || record->class != 1)
			continue;
		if (naive_is_cname(record) && !cname)
			cname = record;
		else
			others += naive_is_cname(record) || record->type == 1 || record->type == 28;
	}
	*more = cname && others;
	return cname;
}

/* The name at the end of the chain, if it is one that has an end, in so few links that any order of them is read. */
static bool chain_end(const struct naive *naive, size_t *name)
{
	*name = 0;
	for (int links = 0; links < DNS_PASSES; links++) {
		bool more;
		const struct naive_record *cname = cname_of(naive, *name, &more);

		if (more)
			return false;
		if (!cname)
			return true;
		*name = cname->target;
	}
	return false;
}

/* All that the last name of the chain has is found, and the time of one address is no less than what any of them has. */
static void check_complete(const struct dns *dns, const struct naive *naive)
{
	int64_t least = UINT32_MAX;
	size_t name;

	if (naive->n < naive->count || naive->count > DNS_RECORDS_MAX || !chain_end(naive, &name) ||
	    dns->count == DNS_ADDRESSES)
		return;
	figures.naive++;
	for (size_t i = 0; i < naive->n; i++) {
		const struct naive_record *record = &naive->records[i];
		struct sw_addr v[2];

		if (record->owner != name || record->class != 1 || (record->type != 1 && record->type != 28))
			continue;
		for (size_t n = naive_is_address(record) ? addresses_of(&naive->msg[record->data], record->size, v) : 0;
		     n;)
			must_hold(has(dns, &v[--n]), "every address of the name is found");
		least = naive_less(least, naive_less(naive->leads[name], record->ttl));
	}
	for (__u32 i = 0; i < dns->count; i++)
		must_hold(dns->found[i].ttl >= least, "an address is found for as long as the answer says");
}

/* ---- c-ares --------------------------------------------------------------------------------------- */

/*
 * c-ares reads as we do only what is straight. What it does otherwise:
 *   it takes any CNAME for the next link, whatever its owner; we want the owner to be the name
 *   it reads once, we read again when links are out of order
 *   it reads all records, we the first DNS_RECORDS_MAX
 *   it refuses a message with a name in it that cannot be read, also where that is no link of the chain
 */
static bool is_straight(const struct naive *naive, bool *late)
{
	size_t name = 0;
	bool address = false;

	*late = false;
	for (size_t i = 0; i < naive->n; i++) {
		const struct naive_record *record = &naive->records[i];

		if (!naive->names[record->owner].readable)
			return false;
		if (naive_is_cname(record)) {
			if (record->owner != name || !naive->names[record->target].host)
				return false;
			name = record->target;
			*late |= address;
		} else if (naive_is_address(record)) {
			if (record->owner != name && naive->leads[record->owner] != NAIVE_NEVER)
				return false;
			address = true;
		}
	}
	return naive->n == naive->count && naive->count <= DNS_RECORDS_MAX;
}

static void ares_read(const uint8_t *data, size_t size)
{
	static struct ares_addrttl v4[FOUND_MAX];
	static struct ares_addr6ttl v6[FOUND_MAX];
	int v4_n = FOUND_MAX, v6_n = FOUND_MAX;
	int a = ares_parse_a_reply(data, size, NULL, v4, &v4_n);
	int aaaa = ares_parse_aaaa_reply(data, size, NULL, v6, &v6_n);

	must_hold(a == ARES_SUCCESS || a == ARES_ENODATA, "c-ares takes what we take, for IPv4");
	must_hold(aaaa == ARES_SUCCESS || aaaa == ARES_ENODATA, "c-ares takes what we take, for IPv6");
	ares.n = 0;
	for (int i = 0; i < v4_n; i++)
		put(&ares, &v4[i].ipaddr, 4, v4[i].ttl < 0 ? 0 : v4[i].ttl);
	for (int i = 0; i < v6_n; i++)
		put(&ares, &v6[i].ip6addr, 16, v6[i].ttl < 0 ? 0 : v6[i].ttl);
}

/* The most seconds that c-ares gives the address; -1: it has none such. */
static int64_t ares_ttl(const struct sw_addr *addr)
{
	int64_t most = -1;

	for (size_t i = 0; i < ares.n; i++)
		if (!memcmp(&ares.v[i].addr, addr, sizeof(*addr)) && ares.v[i].ttl > most)
			most = ares.v[i].ttl;
	return most;
}

static void check_ares(const struct dns *dns, const struct naive *naive)
{
	bool late;

	if (naive->len > DNS_MAX || !is_straight(naive, &late))
		return;
	figures.ares++;
	ares_read(naive->msg, naive->len);
	for (__u32 i = 0; i < dns->count; i++) {
		int64_t most = ares_ttl(&dns->found[i].addr);

		must_hold(most >= 0, "c-ares finds what we find");
		/* of a CNAME behind the address c-ares takes the time, too */
		must_hold(late || dns->found[i].ttl <= most, "c-ares finds it for as long as we do");
	}
	for (size_t i = 0; i < ares.n && dns->count < DNS_ADDRESSES; i++)
		must_hold(has(dns, &ares.v[i].addr), "we find what c-ares finds");
}

/* What must be read to its end. Of what c-ares takes, names without letters, or that lead forwards, are left out. */
static bool is_plain(const struct naive *naive)
{
	for (size_t i = 0; i < naive->n;
	     i++) /* the root is a name of one byte: where it is the last one, we do not see it */
		if (naive_is_cname(&naive->records[i]) && naive->records[i].data + 2 > naive->len)
			return false;
	return !naive->odd && naive->len <= DNS_MAX && naive->n == naive->count && naive->count <= DNS_RECORDS_MAX;
}

static void print_figures(void)
{
	fprintf(stderr, "dns: %lu answers read, %lu addresses; compared: %lu with the naive reader, %lu with c-ares\n",
		figures.read, figures.addresses, figures.naive, figures.ares);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct naive naive;
	static struct dns dns;
	enum dns_reading reading = read_all(&dns, data, size);

	if (size < DNS_HEADER)
		return 0;
	naive_answer(&naive, data, size);
	if (reading != DNS_REFUSED) {
		if (!figures.read++)
			atexit(print_figures);
		figures.addresses += dns.count;
		check_sound(&dns, &naive);
		must_hold(reading == DNS_READ || !is_plain(&naive), "a plain answer is read to its end");
	}
	if (reading == DNS_READ && size <= DNS_MAX) {
		check_complete(&dns, &naive);
		check_ares(&dns, &naive);
	}
	check_question(&dns, &naive);
	return 0;
}
