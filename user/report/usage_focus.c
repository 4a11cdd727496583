// SPDX-License-Identifier: GPL-2.0-only
/*
 * FOCUS, the FinOps Open Cost and Usage Specification, version 1.2: all columns that are mandatory there, and those
 * of the others that say something. A tenant is the billing account, for it is who is billed, and its only sub
 * account. The billing period is the calendar month. What has no value is an empty field, which is FOCUS's null.
 */
#include <string.h>

#include "csv.h"
#include "usage.h"

#define US "sockwarden" /* who provides, publishes and bills: whoever runs it is not known here */

/* The texts of a row, made once and named by the columns below. */
struct charge {
	const char *tenant, *description, *currency;
	char cost[MONEY_TEXT];
	char unit_price[PRICE_TEXT], *unit; /* "0.12" and "GiB": price_format()'s two halves */
	char sent[QUOTIENT_TEXT], quantity[QUOTIENT_TEXT];
	char from[CALENDAR_TEXT], to[CALENDAR_TEXT];
	char month[CALENDAR_TEXT], month_end[CALENDAR_TEXT];
};

/* Column, and its value. In the order of the alphabet, as the specification suggests. */
#define COLUMNS(X)                                                                                                     \
	X(BilledCost, charge->cost)                                                                                    \
	X(BillingAccountId, charge->tenant)                                                                            \
	X(BillingAccountName, NULL)                                                                                    \
	X(BillingCurrency, charge->currency)                                                                           \
	X(BillingPeriodEnd, charge->month_end)                                                                         \
	X(BillingPeriodStart, charge->month)                                                                           \
	X(ChargeCategory, "Usage")                                                                                     \
	X(ChargeClass, NULL) /* no correction */                                                                       \
	X(ChargeDescription, charge->description)                                                                      \
	X(ChargeFrequency, "Usage-Based")                                                                              \
	X(ChargePeriodEnd, charge->to)                                                                                 \
	X(ChargePeriodStart, charge->from)                                                                             \
	X(ConsumedQuantity, charge->sent)                                                                              \
	X(ConsumedUnit, "B")                                                                                           \
	X(ContractedCost, charge->cost)                                                                                \
	X(ContractedUnitPrice, charge->unit_price)                                                                     \
	X(EffectiveCost, charge->cost)                                                                                 \
	X(InvoiceIssuerName, US)                                                                                       \
	X(ListCost, charge->cost)                                                                                      \
	X(ListUnitPrice, charge->unit_price)                                                                           \
	X(PricingQuantity, charge->quantity)                                                                           \
	X(PricingUnit, charge->unit)                                                                                   \
	X(ProviderName, US)                                                                                            \
	X(PublisherName, US)                                                                                           \
	X(ServiceCategory, "Networking")                                                                               \
	X(ServiceName, US)                                                                                             \
	X(ServiceSubcategory, "Network Connectivity")                                                                  \
	X(SubAccountId, charge->tenant)                                                                                \
	X(SubAccountName, charge->tenant)

static void make_times(const struct usage *row, struct charge *charge)
{
	calendar_format(row->from, charge->from);
	calendar_format(row->to, charge->to);
	calendar_format(calendar_floor(row->from, CALENDAR_MONTH), charge->month);
	calendar_format(calendar_next(row->from, CALENDAR_MONTH), charge->month_end);
}

/* Price times quantity has to be the cost, so what is exempt has a price of 0. */
static void make_charge(const struct usage *row, const struct usage_style *style, struct charge *charge)
{
	struct price price = style->price;
	bool exempt = row->billing == SW_EXEMPT;
	__u64 sent = row->traffic[SW_EGRESS].bytes;

	if (exempt)
		price.nano = 0;
	charge->tenant = row->tenant;
	charge->description = exempt ? "Bytes sent, exempt" : "Bytes sent";
	charge->currency = style->currency;
	price_format(&price, charge->unit_price);
	charge->unit = strchr(charge->unit_price, '/');
	*charge->unit++ = '\0';
	money_format(usage_amount(row, style), charge->cost);
	quotient_format(sent, 1, charge->sent);
	quotient_format(sent, price.per, charge->quantity);
	make_times(row, charge);
}

static void write_head(struct csv *csv)
{
#define X(name, value) csv_text(csv, #name);
	COLUMNS(X)
#undef X
	csv_end(csv);
}

static void write_charge(const struct charge *charge, struct csv *csv)
{
#define X(name, value) csv_text(csv, value);
	COLUMNS(X)
#undef X
	csv_end(csv);
}

int usage_focus(const struct usages *usages, const struct usage_style *style, FILE *out)
{
	struct csv csv = { .out = out };
	struct usage_total total;
	struct charge charge;
	int err = usage_total(usages, style, &total);

	if (err)
		return err;
	write_head(&csv);
	for (size_t i = 0; i < usages->rows.n; i++) {
		make_charge(&usages->rows.v[i], style, &charge);
		write_charge(&charge, &csv);
	}
	return 0;
}
