/* SPDX-License-Identifier: GPL-2.0-only */
/* include/dns.h on the host, as bpf/names.bpf.h has it in the kernel. */
#ifndef SW_DNS_HOST_H
#define SW_DNS_HOST_H

#include <string.h>

#define DNS_GLOBAL static
#define dns_loop(n, fn, of)                                                                                            \
	do {                                                                                                           \
		struct dns_walk walk = { .dns = (of) };                                                                \
                                                                                                                       \
		for (__u32 turn = 0; turn < (n) && fn(turn, &walk) == DNS_GO_ON; turn++)                               \
			;                                                                                              \
	} while (0)

#include "dns.h"

enum dns_reading {
	DNS_REFUSED, /* no answer to one question */
	DNS_BROKEN,  /* some of it could not be read */
	DNS_READ,
};

/* Reads a message of `len` bytes as load() and learn() do: into memory that holds what was there before. */
static inline enum dns_reading dns_read(struct dns *dns, const void *msg, size_t len)
{
	dns->count = 0;
	dns->len = len < DNS_MAX ? len : DNS_MAX;
	memcpy(dns->msg, msg, dns->len);
	if (dns_question(dns) || !dns_is_answer(dns))
		return DNS_REFUSED;
	return dns_answer(dns) ? DNS_READ : DNS_BROKEN;
}

#endif
