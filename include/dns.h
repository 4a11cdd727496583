/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads DNS messages (RFC 1035): the one question, and the addresses that an answer gives for it. Compiled into the BPF
 * programs and into the fuzzer, so that what is tried there is what the kernel runs.
 *
 * All that is known of a message is kept in struct dns, in memory that is not the stack: the verifier of a BPF program
 * then knows nothing of its values, and takes a step of a loop for the same as the one before.
 *
 * The includer defines, beside what it includes before:
 *
 *   DNS_GLOBAL            how a function is declared that is verified alone
 *   dns_loop(n, fn, dns)  calls fn(i, &ctx) up to n times, until it returns 1; ctx is a struct dns_walk of `dns`
 */
#ifndef SW_DNS_H
#define SW_DNS_H

#include "addr.h"

#define DNS_MAX    4096 /* bytes of a message that are looked at; what is behind them says nothing. A power of two */
#define DNS_MASK   (DNS_MAX - 1)
#define DNS_HEADER 12
#define DNS_NAME   256 /* bytes of a name: SW_DOMAIN_MAX */

#define DNS_TYPE_A     1
#define DNS_TYPE_CNAME 5
#define DNS_TYPE_AAAA  28
#define DNS_CLASS_IN   1

#define DNS_IS_ANSWER 0x8000 /* bits of the second word of the header */
#define DNS_OPCODE    0x7800
#define DNS_RCODE     0x000f

#define DNS_RECORDS_MAX 384   /* of an answer; those behind them are passed over */
#define DNS_PASSES      8     /* over the records: the links of a chain of CNAMEs may come in any order */
#define DNS_NAME_STEPS  320   /* bytes of a name, and pointers in it */
#define DNS_STEPS_MAX   32768 /* of all names of a message: who made it also says how often each is read */
#define DNS_ADDRESSES   128   /* of an answer; a power of two */

/*
 * A name as struct sw_domain has it, backwards. It is written while it is read forwards, so it ends at a fixed place,
 * and begins wherever it does: a key begins at DNS_KEY(n) for a name of n characters. The rest is room for the key.
 */
#define DNS_KEY(n) ((DNS_NAME - 1 - (n)) & (DNS_NAME - 1))
#define DNS_TEXT   4 /* from the key to its text */
struct dns_name {
	__u8 bytes[2 * DNS_NAME + 16] __attribute__((aligned(8)));
};

struct dns_address {
	struct sw_addr addr;
	__u32 ttl; /* seconds */
};

struct dns {
	__u32 len;   /* bytes of `msg` */
	__u32 type;  /* of the question */
	__u32 first; /* where the records begin */
	/* of the name that is read, or was */
	__u32 pos;   /* the next byte */
	__u32 label; /* bytes that are left of this label */
	__u32 limit; /* a pointer must lead before this */
	__u32 after; /* what follows the name where it stands; 0: not there yet */
	__u32 n;     /* characters so far */
	__u32 whole; /* 1: it was read to its end */
	__u32 steps; /* bytes of names that were read, of the message */
	/* of the walk over the records */
	__u32 at;      /* the next record */
	__u32 chain;   /* where the name stands that addresses must have; pointers at its front are followed */
	__u32 chain_n; /* characters of `owner`; 0: it was not read yet */
	__u32 moved;   /* 1: this pass has found a CNAME */
	__u32 missed;  /* 1: this pass has found records of other names */
	__u32 broken;  /* 1: what could not be read */
	__u32 ttl;     /* seconds; the least of the chain so far */
	/* what was found */
	struct sw_addr addr, inner; /* at hand */
	__u32 count;
	struct dns_address found[DNS_ADDRESSES];
	struct dns_name name;
	struct dns_name owner;
	__u8 msg[2 * DNS_MAX]; /* the rest: what is loaded into a part of it is no longer than a whole */
};

struct dns_walk {
	struct dns *dns;
};

#define DNS_GO_ON 0
#define DNS_STOP  1

/* A character of a host name in lower case; 0: it is none. */
#define DNS_8(c) c, c + 1, c + 2, c + 3, c + 4, c + 5, c + 6, c + 7
static const __u8 dns_letter[256] = {
	['-'] = '-',        ['_'] = '_', ['0'] = DNS_8('0'), '8', '9',
	['a'] = DNS_8('a'), DNS_8('i'),  DNS_8('q'),         'y', 'z',
	['A'] = DNS_8('a'), DNS_8('i'),  DNS_8('q'),         'y', 'z',
};
#undef DNS_8

static inline __u32 dns_16(const struct dns *dns, __u32 at)
{
	return (__u32)dns->msg[at & DNS_MASK] << 8 | dns->msg[(at + 1) & DNS_MASK];
}

/* Where a pointer leads (RFC 1035, 4.1.4). */
static inline __u32 dns_pointer(const struct dns *dns, __u32 at)
{
	return dns_16(dns, at) & 0x3fff;
}

static inline bool dns_is_pointer(__u8 c)
{
	return c >= 0xc0;
}

static inline int dns_put(struct dns *dns, __u8 c)
{
	__u32 n = dns->n;

	if (!c || n >= DNS_NAME - 3)
		return DNS_STOP;
	dns->name.bytes[DNS_TEXT + DNS_KEY(n + 1)] = c;
	dns->n = n + 1;
	return DNS_GO_ON;
}

/* A pointer leads backwards only, and each further than the one before: so there is an end. */
static inline int dns_follow(struct dns *dns, __u32 at)
{
	__u32 to = dns_pointer(dns, at);

	if (at + 2 > dns->len || to >= dns->limit)
		return DNS_STOP;
	if (!dns->after)
		dns->after = at + 2;
	dns->limit = to;
	dns->pos = to;
	return DNS_GO_ON;
}

/* One byte of a name. */
static long dns_name_step(__u32 index, void *ctx)
{
	struct dns *dns = ((struct dns_walk *)ctx)->dns;
	__u32 at = dns->pos, label = dns->label;
	__u8 c;

	(void)index;
	if (at >= dns->len || dns->steps >= DNS_STEPS_MAX)
		return DNS_STOP;
	dns->steps++;
	c = dns->msg[at & DNS_MASK];
	dns->pos = at + 1;
	if (label) {
		dns->label = label - 1;
		return dns_put(dns, dns_letter[c]);
	}
	if (dns_is_pointer(c))
		return dns_follow(dns, at);
	if (!c) {
		if (!dns->after)
			dns->after = at + 1;
		dns->whole = 1;
		return DNS_STOP;
	}
	if (c > 63)
		return DNS_STOP;
	dns->label = c;
	return dns->n ? dns_put(dns, '.') : DNS_GO_ON;
}

/* Reads the name at `off` into dns->name. 0, or -1: it is no name of a host. */
DNS_GLOBAL int dns_name_read(struct dns *dns, __u32 off)
{
	if (!dns)
		return -1;
	dns->pos = off;
	dns->label = 0;
	dns->limit = off;
	dns->after = 0;
	dns->n = 0;
	dns->whole = 0;
	dns_loop(DNS_NAME_STEPS, dns_name_step, dns);
	return dns->whole ? 0 : -1;
}

/* The words of a name of n characters, its terminator and zeroes included. */
#define DNS_WORDS(n) (((n) + 8) / 8)

static inline __u64 dns_word(const struct dns_name *name, __u32 n, __u32 i)
{
#ifdef __bpf__
	asm volatile("" : "+r"(n)); /* or clang 19 takes it from the pointer first: the verifier forbids it */
	/* not aligned, which is no matter to the machines we serve */
	return *(const __u64 *)&name->bytes[DNS_TEXT + DNS_KEY(n) + i * 8];
#else
	__u64 word;

	__builtin_memcpy(&word, &name->bytes[DNS_TEXT + DNS_KEY(n) + i * 8], sizeof(word));
	return word;
#endif
}

static inline void dns_name_copy(struct dns_name *to, const struct dns_name *from)
{
	for (__u32 i = 0; i < sizeof(*to); i += 8)
		*(__u64 *)&to->bytes[i] = *(const __u64 *)&from->bytes[i];
}

/* The front of a name may be pointers: what they lead to stands for it. -1: they lead forwards, or are too many. */
static inline int dns_front(const struct dns *dns, __u32 *at)
{
	for (int i = 0; i < 4; i++) {
		__u32 to;

		if (!dns_is_pointer(dns->msg[*at & DNS_MASK]))
			return 0;
		to = dns_pointer(dns, *at);
		if (to >= *at)
			return -1;
		*at = to;
#ifdef __bpf__
		asm volatile(
			""
			: "+r"(*at)); /* or clang 19 leaves the mask out, for it knows what 6.1's verifier does not */
#endif
	}
	return dns_is_pointer(dns->msg[*at & DNS_MASK]) ? -1 : 0;
}

/* Whether the name at `off` is the one that addresses must have: 1, 0, or -1 for one that cannot be read. Says in
 * dns->after what follows it. */
DNS_GLOBAL int dns_name_same(struct dns *dns, __u32 off)
{
	__u32 front = off, after = 0, n;

	if (!dns || dns_front(dns, &front))
		return -1;
	if (front != off)
		after = off + 2;
	if (after && front == dns->chain) {
		dns->after = after;
		return 1;
	}
	if (!dns->chain_n) {
		if (dns_name_read(dns, dns->chain))
			return -1;
		dns_name_copy(&dns->owner, &dns->name);
		dns->chain_n = dns->n;
	}
	if (dns_name_read(dns, front))
		return -1;
	if (after)
		dns->after = after;
	n = dns->n;
	if (n != dns->chain_n)
		return 0;
	for (__u32 i = 0; i < DNS_NAME / 8 && i < DNS_WORDS(n); i++)
		if (dns_word(&dns->name, n, i) != dns_word(&dns->owner, n, i))
			return 0;
	return 1;
}

/* The chain goes on with the name in the record's data. */
static inline int dns_chain_move(struct dns *dns, __u32 to)
{
	if (to + 2 > dns->len || dns_front(dns, &to)) /* a pointer may be all there is, and must be there whole */
		return -1;
	dns->chain = to;
	dns->chain_n = 0;
	dns->moved = 1;
	return 0;
}

static inline void dns_add(struct dns *dns, const struct sw_addr *addr)
{
	__u32 n = dns->count;

	if (n >= DNS_ADDRESSES)
		return;
	dns->found[n & (DNS_ADDRESSES - 1)].addr = *addr;
	dns->found[n & (DNS_ADDRESSES - 1)].ttl = dns->ttl;
	dns->count = n + 1;
}

/* An address that carries another is decided by both (decide.h). */
static inline void dns_address(struct dns *dns, __u32 type, __u32 size, __u32 at)
{
	at &= DNS_MASK;
	if (type == DNS_TYPE_A && size == 4) {
		dns->addr.w[0] = dns->addr.w[1] = 0;
		dns->addr.w[2] = sw_htonl(0xffff);
		__builtin_memcpy(&dns->addr.w[3], &dns->msg[at], 4);
	} else if (type == DNS_TYPE_AAAA && size == 16) {
		__builtin_memcpy(&dns->addr, &dns->msg[at], 16);
	} else {
		return;
	}
	dns_add(dns, &dns->addr);
	if (sw_addr_embedded_v4(&dns->addr, &dns->inner))
		dns_add(dns, &dns->inner);
}

/* A record of the name that addresses must have, with its data at `at`. */
static inline int dns_own(struct dns *dns, __u32 type, __u32 ttl, __u32 size, __u32 at)
{
	if (type != DNS_TYPE_CNAME && type != DNS_TYPE_A && type != DNS_TYPE_AAAA)
		return 0;
	if (ttl > 0x7fffffff) /* RFC 2181, 8 */
		ttl = 0;
	if (ttl < dns->ttl)
		dns->ttl = ttl;
	if (type == DNS_TYPE_CNAME)
		return dns_chain_move(dns, at);
	dns_address(dns, type, size, at);
	return 0;
}

static long dns_record_step(__u32 index, void *ctx)
{
	struct dns *dns = ((struct dns_walk *)ctx)->dns;
	__u32 at, type, size;
	int same = -1;

	(void)index;
	dns->broken = 1;
	if (dns->at < dns->len)
		same = dns_name_same(dns, dns->at);
	at = dns->after;
	if (same < 0 || at + 10 > dns->len || at + 10 > DNS_MAX)
		return DNS_STOP;
	type = dns_16(dns, at);
	size = dns_16(dns, at + 8);
	if (at + 10 + size > dns->len || at + 10 + size > DNS_MAX)
		return DNS_STOP;
	dns->at = at + 10 + size;
	if (dns_16(dns, at + 2) == DNS_CLASS_IN) {
		if (!same)
			dns->missed = 1;
		else if (dns_own(dns, type, dns_16(dns, at + 4) << 16 | dns_16(dns, at + 6), size, at + 10))
			return DNS_STOP;
	}
	dns->broken = 0;
	return DNS_GO_ON;
}

/* Reads the header and the one question: its name is in dns->name then. 0, or -1: there is none that we take. */
static inline int dns_question(struct dns *dns)
{
	dns->steps = 0;
	if (dns->len < DNS_HEADER + 5 || dns_16(dns, 2) & DNS_OPCODE || dns_16(dns, 4) != 1)
		return -1;
	if (dns_name_read(dns, DNS_HEADER))
		return -1;
	dns->first = dns->after + 4;
	if (dns->first > dns->len || dns->first > DNS_MAX || dns_16(dns, dns->after + 2) != DNS_CLASS_IN)
		return -1;
	dns->type = dns_16(dns, dns->after);
	return 0;
}

/* 1: an answer without an error, to the question that was read. */
static inline int dns_is_answer(const struct dns *dns)
{
	__u32 flags = dns_16(dns, 2);

	return flags & DNS_IS_ANSWER && !(flags & DNS_RCODE);
}

/* 1: a question and nothing behind it but what is counted as extending it (EDNS, a signature). */
static inline int dns_is_question(const struct dns *dns)
{
	return !(dns_16(dns, 2) & DNS_IS_ANSWER) && !dns_16(dns, 6) && !dns_16(dns, 8) &&
	       (dns_16(dns, 10) || dns->first == dns->len);
}

/*
 * Finds all addresses that the answer section gives for the name in question: of records with that name, or with the
 * one that a chain of CNAMEs leads to. One pass, unless a link of the chain comes after what it leads to.
 * False: some of it could not be read; what was found before holds.
 */
static inline bool dns_answer(struct dns *dns)
{
	__u32 count = dns_16(dns, 6);

	if (count > DNS_RECORDS_MAX)
		count = DNS_RECORDS_MAX;
	dns->chain = DNS_HEADER;
	dns->chain_n = 0;
	dns->ttl = ~0U;
	dns->broken = 0;
	dns->count = 0;
	for (int i = 0; i < DNS_PASSES; i++) {
		dns->at = dns->first;
		dns->moved = dns->missed = 0;
		dns_loop(count, dns_record_step, dns);
		if (dns->broken || !dns->moved || !dns->missed)
			break;
	}
	return !dns->broken;
}

#endif
