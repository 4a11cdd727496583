// SPDX-License-Identifier: GPL-2.0-only
/*
 * FOCUS, the FinOps Open Cost and Usage Specification, version 1.2 or 1.3: all columns that are mandatory there, and
 * those of the others that say something. 1.3 has two names of its own, and keeps those that it deprecates; what else
 * is new in it is of split costs and contract commitments, of which there are none. A tenant is the billing account, for it is who is billed, and its only sub
 * account. The billing period is the calendar month. What has no value is an empty field, which is FOCUS's null.
 */
#include <string.h>

#include "csv.h"
#include "usage.h"

/* The texts of a row, made once and named by the columns below. */
struct charge {
	const char *tenant, *description, *currency;
	const char *provider, *publisher, *host, *issuer, *service;
	char cost[MONEY_TEXT];
	char unit_price[PRICE_TEXT], *unit; /* "0.12" and "GiB": price_format()'s two halves */
	char sent[QUOTIENT_TEXT], quantity[QUOTIENT_TEXT];
	char from[CALENDAR_TEXT], to[CALENDAR_TEXT];
	char month[CALENDAR_TEXT], month_end[CALENDAR_TEXT];
};

/* Column, since which version, and its value. In the order of the alphabet, as the specification suggests. */
#define COLUMNS(X)                                                                                                     \
	X(BilledCost, FOCUS_1_2, charge->cost)                                                                         \
	X(BillingAccountId, FOCUS_1_2, charge->tenant)                                                                 \
	X(BillingAccountName, FOCUS_1_2, NULL)                                                                         \
	X(BillingCurrency, FOCUS_1_2, charge->currency)                                                                \
	X(BillingPeriodEnd, FOCUS_1_2, charge->month_end)                                                              \
	X(BillingPeriodStart, FOCUS_1_2, charge->month)                                                                \
	X(ChargeCategory, FOCUS_1_2, "Usage")                                                                          \
	X(ChargeClass, FOCUS_1_2, NULL) /* no correction */                                                            \
	X(ChargeDescription, FOCUS_1_2, charge->description)                                                           \
	X(ChargeFrequency, FOCUS_1_2, "Usage-Based")                                                                   \
	X(ChargePeriodEnd, FOCUS_1_2, charge->to)                                                                      \
	X(ChargePeriodStart, FOCUS_1_2, charge->from)                                                                  \
	X(ConsumedQuantity, FOCUS_1_2, charge->sent)                                                                   \
	X(ConsumedUnit, FOCUS_1_2, "B")                                                                                \
	X(ContractedCost, FOCUS_1_2, charge->cost)                                                                     \
	X(ContractedUnitPrice, FOCUS_1_2, charge->unit_price)                                                          \
	X(EffectiveCost, FOCUS_1_2, charge->cost)                                                                      \
	X(HostProviderName, FOCUS_1_3, charge->host)                                                                   \
	X(InvoiceIssuerName, FOCUS_1_2, charge->issuer)                                                                \
	X(ListCost, FOCUS_1_2, charge->cost)                                                                           \
	X(ListUnitPrice, FOCUS_1_2, charge->unit_price)                                                                \
	X(PricingQuantity, FOCUS_1_2, charge->quantity)                                                                \
	X(PricingUnit, FOCUS_1_2, charge->unit)                                                                        \
	X(ProviderName, FOCUS_1_2, charge->provider)                                                                   \
	X(PublisherName, FOCUS_1_2, charge->publisher)                                                                 \
	X(ServiceCategory, FOCUS_1_2, "Networking")                                                                    \
	X(ServiceName, FOCUS_1_2, charge->service)                                                                     \
	X(ServiceProviderName, FOCUS_1_3, charge->provider)                                                            \
	X(ServiceSubcategory, FOCUS_1_2, "Network Connectivity")                                                       \
	X(SubAccountId, FOCUS_1_2, charge->tenant)                                                                     \
	X(SubAccountName, FOCUS_1_2, charge->tenant)

static void make_times(const struct usage *row, struct charge *charge)
{
	calendar_format(row->from, charge->from);
	calendar_format(row->to, charge->to);
	calendar_format(calendar_floor(row->from, CALENDAR_MONTH), charge->month);
	calendar_format(calendar_next(row->from, CALENDAR_MONTH), charge->month_end);
}

static const char *or_us(const char *name)
{
	return name ? name : "sockwarden";
}

/* A publisher is who provides, unless it is said otherwise; so is the host, which nobody else is known to be. */
static void make_names(const struct focus_names *names, struct charge *charge)
{
	charge->provider = or_us(names->provider);
	charge->publisher = names->publisher ? names->publisher : charge->provider;
	charge->host = names->host_provider ? names->host_provider : charge->provider;
	charge->issuer = names->invoice_issuer ? names->invoice_issuer : charge->provider;
	charge->service = or_us(names->service);
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
	make_names(&style->names, charge);
}

static void write_head(enum focus_version version, struct csv *csv)
{
#define X(name, since, value)                                                                                          \
	if (version >= since)                                                                                          \
		csv_text(csv, #name);
	COLUMNS(X)
#undef X
	csv_end(csv);
}

static void write_charge(const struct charge *charge, enum focus_version version, struct csv *csv)
{
#define X(name, since, value)                                                                                          \
	if (version >= since)                                                                                          \
		csv_text(csv, value);
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
	write_head(style->focus, &csv);
	for (size_t i = 0; i < usages->rows.n; i++) {
		make_charge(&usages->rows.v[i], style, &charge);
		write_charge(&charge, style->focus, &csv);
	}
	return 0;
}
