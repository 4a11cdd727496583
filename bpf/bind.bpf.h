/* SPDX-License-Identifier: GPL-2.0-only */
/* Which addresses and ports of the host a tenant may choose: with bind(), or for one datagram. */
#ifndef SW_BIND_BPF_H
#define SW_BIND_BPF_H

#include "sock.bpf.h"

/* ::, and 0.0.0.0 with or without its v4-mapping. */
static __always_inline bool unspecified(const struct sw_addr *a)
{
	return !a->w[0] && !a->w[1] && !a->w[3] && (!a->w[2] || a->w[2] == bpf_htonl(0xffff));
}

/* Addresses that choose nothing: libraries bind the loopback's to see whether there is such a family. */
static __always_inline bool chooses_nothing(const struct sw_addr *a)
{
	return unspecified(a) || sw_addr_is_loopback(a);
}

/* Who has names may not answer for the name servers of its own host. */
static __always_inline bool answers_itself(const struct sw_settings *settings, const struct sw_flow *local)
{
	return settings->named && local->port == SW_DNS_PORT;
}

static __always_inline bool binding_allowed(const struct sw_settings *settings, const struct sw_flow *local)
{
	return (settings->bind == SW_BIND_ALLOW && !answers_itself(settings, local)) ||
	       (settings->bind == SW_BIND_EPHEMERAL && chooses_nothing(&local->peer) && local->port == 0);
}

#endif
