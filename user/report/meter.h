/* SPDX-License-Identifier: GPL-2.0-only */
/* Arithmetic on meters: three counters, for each of two ways and each kind of billing. */
#ifndef SW_METER_H
#define SW_METER_H

#include <stdbool.h>

#include "abi.h"

const char *billing_name(unsigned billing);     /* "billable", "exempt": the class of a row and of a metric */
const char *direction_name(unsigned direction); /* "transmit", "receive" */

/* *sum += add */
void meter_add(struct sw_meter *sum, const struct sw_meter *add);
void traffic_add(struct sw_traffic *sum, const struct sw_traffic *add);

/* What came between two readings of one meter. False, and `out` untouched, if a counter went backwards. */
bool meter_since(const struct sw_meter *now, const struct sw_meter *before, struct sw_meter *out);

/* Both ways of one kind of billing are zero. */
bool meter_is_zero(const struct sw_meter *meter, enum sw_billing billing);

/* Both kinds of billing together. */
struct sw_traffic meter_direction(const struct sw_meter *meter, enum sw_direction direction);

#endif
