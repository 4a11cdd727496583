/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Usage as it leaves the ledger, and the forms it is printed in: a table for people, JSON, CSV (RFC 4180),
 * CloudEvents 1.0 (the specification and its JSON format, version 1.0.2) and FOCUS (version 1.2, May 2025, or 1.3).
 * Times are seconds since 1970, UTC; bytes and packets are sums of the ledger's rows, exact.
 */
#ifndef SW_USAGE_H
#define SW_USAGE_H

#include <stdio.h>

#include "abi.h"
#include "amount.h"
#include "calendar.h"
#include "diag.h"
#include "json.h"
#include "mem.h"

/* One tenant and kind of billing in one period. */
struct usage {
	char tenant[SW_NAME_MAX];
	enum sw_billing billing;
	__s64 from, to; /* the period, `to` not in it */
	struct sw_traffic traffic[SW_DIRECTIONS];
};

struct usages {
	LIST(struct usage) rows; /* by period, then tenant, then billing */
};

/* One row of the ledger, as it was booked and never changes: what CloudEvents are made of. */
struct interval {
	char host[SW_NAME_MAX]; /* machine id */
	char boot[40];          /* boot id */
	__u64 epoch;            /* written as 16 hexadecimal digits */
	__u64 sequence;         /* within host and epoch, from 1 */
	char tenant[SW_NAME_MAX];
	enum sw_billing billing;
	__s64 start, end; /* milliseconds since 1970 */
	char policy[SW_NAME_MAX];
	__u8 hash[32]; /* SHA-256 of the policy's image, in force when the row was booked */
	struct sw_traffic traffic[SW_DIRECTIONS];
};

enum usage_bars { BARS_NONE, BARS_ASCII, BARS_BLOCKS };

/* Who takes part in a charge, as FOCUS has it. NULL: sockwarden, for whoever runs it is not known here. */
struct focus_names {
	char *provider, *publisher, *host_provider, *invoice_issuer, *service; /* owned */
};

/* YAML with some of these keys: provider, publisher, host-provider, invoice-issuer, service. Mistakes are in `diags`. */
void focus_names_read(const char *file, const char *text, size_t len, struct focus_names *out, struct diags *diags);
void focus_names_free(struct focus_names *names);

enum focus_version { FOCUS_1_2, FOCUS_1_3 };

/* How it is to be printed. */
struct usage_style {
	__s64 from, to; /* what was asked for; 0 and INT64_MAX: no limit */
	bool by;        /* the rows are of several periods, each a `unit` */
	enum calendar_unit unit;
	bool priced; /* add amounts: of billable bytes out, at `price`, rounded for each row and then summed */
	struct price price;
	char currency[4]; /* ISO 4217; "XXX" when nobody said */
	enum focus_version focus;
	struct focus_names names;
	enum usage_bars bars; /* table: a bar for each tenant, as long as it sent; blocks are UTF-8 */
};

/*
 * Each returns 0, or -EOVERFLOW when an amount or a sum does not fit, and has written nothing then. usage_focus()
 * needs a price.
 */
int usage_table(const struct usages *usages, const struct usage_style *style, FILE *out);
int usage_json(const struct usages *usages, const struct usage_style *style, struct json *json);
int usage_csv(const struct usages *usages, const struct usage_style *style, FILE *out);
int usage_focus(const struct usages *usages, const struct usage_style *style, FILE *out);

/* One CloudEvent in JSON, on a line. Its id names the row: sending it twice is harmless. */
void interval_cloudevent(const struct interval *interval, FILE *out);

/* ---- what the writers share ---------------------------------------------------------------------- */

/* All rows together, and what they come to. */
struct usage_total {
	struct sw_meter meter;
	__u64 micro;
};

int usage_total(const struct usages *usages, const struct usage_style *style, struct usage_total *out);

/* Of a row that is part of a total, so it fits. Nothing is exempt at a price. */
__u64 usage_amount(const struct usage *row, const struct usage_style *style);

/* The figures of a row, by the names that JSON and CSV have for them. */
#define USAGE_FIGURES (3 * SW_DIRECTIONS)
const char *usage_figure_name(int figure);
__u64 usage_figure(const struct sw_traffic traffic[SW_DIRECTIONS], int figure);
void usage_figures_json(const struct sw_traffic traffic[SW_DIRECTIONS], struct json *json);

#endif
