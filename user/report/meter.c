// SPDX-License-Identifier: GPL-2.0-only
#include "meter.h"

const char *billing_name(unsigned billing)
{
	return billing == SW_BILLABLE ? "billable" : billing == SW_EXEMPT ? "exempt" : "?";
}

const char *direction_name(unsigned direction)
{
	return direction == SW_EGRESS ? "transmit" : direction == SW_INGRESS ? "receive" : "?";
}

void traffic_add(struct sw_traffic *sum, const struct sw_traffic *add)
{
	sum->bytes += add->bytes;
	sum->payload += add->payload;
	sum->packets += add->packets;
}

void meter_add(struct sw_meter *sum, const struct sw_meter *add)
{
	for (int billing = 0; billing < SW_BILLINGS; billing++)
		for (int direction = 0; direction < SW_DIRECTIONS; direction++)
			traffic_add(&sum->of[billing][direction], &add->of[billing][direction]);
}

static bool traffic_since(const struct sw_traffic *now, const struct sw_traffic *before, struct sw_traffic *out)
{
	out->bytes = now->bytes - before->bytes;
	out->payload = now->payload - before->payload;
	out->packets = now->packets - before->packets;
	return now->bytes >= before->bytes && now->payload >= before->payload && now->packets >= before->packets;
}

bool meter_since(const struct sw_meter *now, const struct sw_meter *before, struct sw_meter *out)
{
	struct sw_meter since;
	bool forward = true;

	for (int billing = 0; billing < SW_BILLINGS; billing++)
		for (int direction = 0; direction < SW_DIRECTIONS; direction++)
			forward &= traffic_since(&now->of[billing][direction], &before->of[billing][direction],
						 &since.of[billing][direction]);
	if (forward)
		*out = since;
	return forward;
}

bool meter_is_zero(const struct sw_meter *meter, enum sw_billing billing)
{
	const struct sw_traffic *tx = &meter->of[billing][SW_EGRESS], *rx = &meter->of[billing][SW_INGRESS];

	return !(tx->bytes | tx->payload | tx->packets | rx->bytes | rx->payload | rx->packets);
}

struct sw_traffic meter_direction(const struct sw_meter *meter, enum sw_direction direction)
{
	struct sw_traffic sum = meter->of[SW_BILLABLE][direction];

	traffic_add(&sum, &meter->of[SW_EXEMPT][direction]);
	return sum;
}
