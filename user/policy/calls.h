/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The system calls that a tenant's processes do without, for they go round the hooks of sockets: said once, for the
 * filter that `run` installs, for the unit that `policy unit` prints, and for doctor.
 */
#ifndef SW_CALLS_H
#define SW_CALLS_H

#include <stdbool.h>
#include <stdio.h>

#include "abi.h"

/* A kind of socket that may be made. */
struct call_family {
	const char *name;
	int family;
	int protocol; /* the only one; -1: any */
};

/* All there are, by `family`. The others are EAFNOSUPPORT, and another protocol EPROTONOSUPPORT. */
extern const struct call_family call_families[];
extern const unsigned call_families_n;

/* A system call that is refused; where `mask` is not 0, if its argument `arg` is `value` in these bits. */
struct call_refusal {
	const char *name;
	int error;       /* that it then fails with */
	bool namespaces; /* by user-namespaces: deny; else by system-calls: filter */
	unsigned arg;
	__u32 mask, value;
};

extern const struct call_refusal call_refusals[];
extern const unsigned call_refusals_n;

/*
 * Whether the policy asks for that refusal; and for any, which is when there is a filter. Under a filter there are this
 * machine's own system calls alone.
 */
bool call_refused(const struct sw_settings *settings, const struct call_refusal *refusal);
bool calls_filtered(const struct sw_settings *settings);

/* The same for what `run` did not start: a drop-in for a unit of systemd. */
void calls_print_unit(const struct sw_settings *settings, FILE *out);

#endif
