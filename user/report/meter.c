// SPDX-License-Identifier: GPL-2.0-only
#include "meter.h"

const char *billing_name(unsigned billing)
{
	return billing == SW_BILLABLE ? "billable" : billing == SW_EXEMPT ? "exempt" : "?";
}

const char *way_name(unsigned way)
{
	return way == SW_TX ? "transmit" : way == SW_RX ? "receive" : "?";
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
		for (int way = 0; way < SW_WAYS; way++)
			traffic_add(&sum->of[billing][way], &add->of[billing][way]);
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
		for (int way = 0; way < SW_WAYS; way++)
			forward &= traffic_since(&now->of[billing][way], &before->of[billing][way],
						 &since.of[billing][way]);
	if (forward)
		*out = since;
	return forward;
}

bool meter_is_zero(const struct sw_meter *meter, enum sw_billing billing)
{
	const struct sw_traffic *tx = &meter->of[billing][SW_TX], *rx = &meter->of[billing][SW_RX];

	return !(tx->bytes | tx->payload | tx->packets | rx->bytes | rx->payload | rx->packets);
}

struct sw_traffic meter_way(const struct sw_meter *meter, enum sw_way way)
{
	struct sw_traffic sum = meter->of[SW_BILLABLE][way];

	traffic_add(&sum, &meter->of[SW_EXEMPT][way]);
	return sum;
}
