// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "recent.h"

/* In two lists: of all, and of the tenant's. What lies beyond an end of a list is never followed. */
struct recent_event {
	struct event is;
	__u16 older, newer;
	__u16 next; /* newer one of the same slot */
};

struct recent_queue {
	__u16 n, first, last;
};

static struct recent_queue *queue_of(const struct recent *recent, const struct event *event)
{
	return &recent->of_slots[event->of.slot % SW_TENANTS_MAX];
}

static struct recent_queue *longest(const struct recent *recent)
{
	struct recent_queue *longest = recent->of_slots;

	for (__u32 slot = 1; slot < SW_TENANTS_MAX; slot++)
		if (recent->of_slots[slot].n > longest->n)
			longest = &recent->of_slots[slot];
	return longest;
}

static __u16 drop(struct recent *recent)
{
	struct recent_queue *queue = longest(recent);
	__u16 at = queue->first;
	struct recent_event *event = &recent->of[at];

	queue->first = event->next;
	queue->n--;
	*(at == recent->oldest ? &recent->oldest : &recent->of[event->older].newer) = event->newer;
	*(at == recent->newest ? &recent->newest : &recent->of[event->newer].older) = event->older;
	recent->n--;
	return at;
}

void recent_add(struct recent *recent, const struct event *event)
{
	struct recent_queue *queue;
	__u16 at = recent->n;

	if (!recent->of) {
		recent->of = mem_alloc(RECENT_MAX, sizeof(*recent->of));
		recent->of_slots = mem_alloc(SW_TENANTS_MAX, sizeof(*recent->of_slots));
	}
	if (recent->n == RECENT_MAX)
		at = drop(recent);
	recent->of[at] = (struct recent_event){ .is = *event, .older = recent->newest };
	*(recent->n++ ? &recent->of[recent->newest].newer : &recent->oldest) = at;
	recent->newest = at;
	queue = queue_of(recent, event);
	*(queue->n++ ? &recent->of[queue->last].next : &queue->first) = at;
	queue->last = at;
}

char *recent_copy(const struct recent *recent, size_t more, size_t *len)
{
	const struct event_head head = event_head(recent->n);
	__u16 at = recent->oldest;
	char *copy;

	*len = sizeof(head) + recent->n * sizeof(struct event);
	copy = mem_alloc(*len + more, 1);
	memcpy(copy, &head, sizeof(head));
	for (size_t i = 0; i < recent->n; i++, at = recent->of[at].newer)
		memcpy(copy + sizeof(head) + i * sizeof(struct event), &recent->of[at].is, sizeof(struct event));
	return copy;
}

void recent_free(struct recent *recent)
{
	free(recent->of);
	free(recent->of_slots);
	*recent = (struct recent){ 0 };
}
