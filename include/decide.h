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

/*
 * `verdict` is that of a span which says SW_ANSWER_NAMED: puts another in its place, if a pattern that is open for the
 * address has one. sw_decide_pattern() does it for one pattern.
 */
static inline void sw_image_named(const sw_image *image, const struct sw_addr *addr, __u32 service, __u8 answer,
				  struct sw_verdict *verdict);

/* The BPF programs return no structs: what does is put in its place. */
#define SW_INLINE static inline __attribute__((always_inline))

#define SW_REFUSED(why) ((struct sw_verdict){ .rule = SW_RULE_NONE, .allow = 0, .reason = (why) })

/* A class has at most one span for each service, so this many halvings end every search. */
#define SW_SPAN_STEPS 18

/* The last span of the class whose `first` is not beyond the service; NULL: the image is not all there. */
static inline const struct sw_span *sw_find_span(const sw_image *image, const struct sw_class *class, __u32 service)
{
	__u32 low = class->span, count = class->count;

	for (int i = 0; i < SW_SPAN_STEPS && count > 1; i++) {
		__u32 half = count / 2;
		const struct sw_span *span = sw_image_span(image, low + half);

		if (!span)
			return NULL;
		if (span->first <= service) {
			low += half;
			count -= half;
		} else {
			count = half;
		}
	}
	return sw_image_span(image, low);
}

SW_INLINE struct sw_verdict sw_verdict_of(const struct sw_span *span)
{
	return (struct sw_verdict){
		.rule = span->rule,
		.allow = span->answer & SW_ANSWER_ALLOW,
		.reason = SW_REASON_RULE,
		.billing = span->billing,
		.resolver = span->answer & (SW_ANSWER_RESOLVER | SW_ANSWER_GATED),
	};
}

/* The first rule decides, whether it has a name or not. `answer` is the span's that the verdict is of. */
static inline void sw_decide_pattern(const sw_image *image, const struct sw_pattern *pattern, __u32 service,
				     __u8 answer, struct sw_verdict *verdict)
{
	const struct sw_span *span = sw_find_span(image, &pattern->class, service);

	if (!span || span->rule >= verdict->rule || answer & ~span->answer & SW_ANSWER_PRIVATE)
		return;
	*verdict = sw_verdict_of(span);
	verdict->resolver |= answer & SW_ANSWER_RESOLVER; /* whose answers count is up to the rules without names */
	verdict->pattern = pattern->number;
}

/* `answer`: bits to add to what the span says. */
SW_INLINE struct sw_verdict sw_decide_addr(const sw_image *image, const struct sw_addr *addr, __u32 service,
					   __u8 answer)
{
	const struct sw_class *class = sw_image_class(image, addr);
	const struct sw_span *span = class ? sw_find_span(image, class, service) : NULL;
	struct sw_verdict verdict;

	if (!span)
		return SW_REFUSED(SW_REASON_NOT_READY);
	verdict = sw_verdict_of(span);
	answer |= span->answer;
	if (answer & SW_ANSWER_NAMED)
		sw_image_named(image, addr, service, answer, &verdict);
	return verdict;
}

/* The flow stays on the host: nobody has to pay for it, whatever it is. */
static inline __u8 sw_billing_unasked(const struct sw_flow *flow)
{
	return (flow->local & SW_LOCAL) * SW_EXEMPT;
}

/*
 * The other address that the flow may reach, whatever it says, if there is one. By way of the loopback device that is
 * loopback; else the IPv4 address inside.
 */
SW_INLINE bool sw_other_addr(const struct sw_flow *flow, struct sw_addr *other)
{
	if (!flow->local)
		return sw_addr_embedded_v4(&flow->peer, other);
	*other = sw_addr_loopback(&flow->peer);
	return !sw_addr_is_loopback(&flow->peer);
}

/*
 * First match over the policy's rules, as the compiler flattened them. An address that carries an IPv4
 * address inside must be allowed, or exempt, as itself and as what it carries: whoever forwards it decides
 * which of the two is reached. What goes by way of the loopback device reaches the host's own services: a rule that
 * denies loopback denies it, unless one that allows the address stands before: which holds for an address of the host's
 * own alone, not for a packet to another one that was led astray. To names such an address is private.
 */
SW_INLINE struct sw_verdict sw_decide(const sw_image *image, const struct sw_settings *settings,
				      const struct sw_flow *flow)
{
	__u32 service = SW_SERVICE(flow->proto, flow->port);
	struct sw_verdict verdict, outer;
	struct sw_addr other;

	if (flow->proto >= SW_PROTOS || !(settings->protocols & 1U << flow->proto))
		return SW_REFUSED(SW_REASON_PROTOCOL);
	outer = sw_decide_addr(image, &flow->peer, service, (flow->local & SW_LOCAL) * SW_ANSWER_PRIVATE);
	outer.billing |= sw_billing_unasked(flow);
	if (!outer.allow || !sw_other_addr(flow, &other))
		return outer;
	__asm__ volatile("" ::"r"(&outer) : "memory"); /* in registers it would take up thrice the stack */
	verdict = sw_decide_addr(image, &other, service, 0);
	if (flow->local && (verdict.allow || (outer.rule < verdict.rule && !(flow->local & SW_LOCAL_ASTRAY)))) {
		if (!outer.pattern && outer.rule >= verdict.rule) /* a yes that rests on a name ends with it */
			outer.pattern = verdict.pattern;
		return outer;
	}
	verdict.billing &= outer.billing;
	verdict.resolver = outer.resolver;
	if (!verdict.pattern)
		verdict.pattern = outer.pattern;
	return verdict;
}

#endif
