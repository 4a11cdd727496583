/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The decision: may this flow pass? Compiled into the BPF programs and into the host side alike, so that
 * what `explain`, the unit tests and the fuzzers run is what the kernel runs.
 *
 * The includer says how an image is read, by defining sw_image (a type) and the two accessors declared
 * below; a NULL from either refuses.
 */
#ifndef SW_DECIDE_H
#define SW_DECIDE_H

#include "addr.h"

/* The most specific entry that covers `addr`: one lookup, however the rules were written. */
static inline const struct sw_class *sw_image_class(const sw_image *image, const struct sw_addr *addr);

static inline const struct sw_span *sw_image_span(const sw_image *image, __u32 index);

#define SW_REFUSED(why) ((struct sw_verdict){ .rule = SW_RULE_NONE, .allow = 0, .reason = (why) })

/* A class has at most one span for each service, so this many halvings end every search. */
#define SW_SPAN_STEPS 18

/* The last span of the class whose `first` is not beyond the service. */
static inline struct sw_verdict sw_decide_service(const sw_image *image, const struct sw_class *class, __u32 service)
{
	__u32 low = class->span, count = class->count;
	const struct sw_span *span;

	for (int i = 0; i < SW_SPAN_STEPS && count > 1; i++) {
		__u32 half = count / 2;

		span = sw_image_span(image, low + half);
		if (!span)
			return SW_REFUSED(SW_REASON_NOT_READY);
		if (span->first <= service) {
			low += half;
			count -= half;
		} else {
			count = half;
		}
	}
	span = sw_image_span(image, low);
	if (!span)
		return SW_REFUSED(SW_REASON_NOT_READY);
	return (struct sw_verdict){
		.rule = span->rule,
		.allow = span->allow,
		.reason = SW_REASON_RULE,
		.billing = span->billing,
	};
}

static inline struct sw_verdict sw_decide_addr(const sw_image *image, const struct sw_addr *addr, __u32 service)
{
	const struct sw_class *class = sw_image_class(image, addr);

	if (!class)
		return SW_REFUSED(SW_REASON_NOT_READY);
	return sw_decide_service(image, class, service);
}

/*
 * First match over the policy's rules, as the compiler flattened them. An address that carries an IPv4
 * address inside must be allowed, or exempt, as itself and as what it carries: whoever forwards it decides
 * which of the two is reached.
 */
static inline struct sw_verdict sw_decide(const sw_image *image, const struct sw_settings *settings,
					  const struct sw_flow *flow)
{
	__u32 service = SW_SERVICE(flow->proto, flow->port);
	struct sw_verdict verdict, outer;
	struct sw_addr v4;

	if (flow->proto >= SW_PROTOS || !(settings->protocols & 1U << flow->proto))
		return SW_REFUSED(SW_REASON_PROTOCOL);
	outer = sw_decide_addr(image, &flow->peer, service);
	if (!outer.allow || !sw_addr_embedded_v4(&flow->peer, &v4))
		return outer;
	verdict = sw_decide_addr(image, &v4, service);
	verdict.billing &= outer.billing;
	return verdict;
}

#endif
