/* SPDX-License-Identifier: GPL-2.0-only */
/* The contract's numbers as words, from the tables in abi.h. */
#ifndef SW_NAMES_H
#define SW_NAMES_H

const char *reason_name(unsigned reason); /* as counters and logs have it */
const char *reason_help(unsigned reason); /* for people */
const char *hook_name(unsigned hook);
const char *proto_name(unsigned proto);   /* enum sw_proto */
const char *period_name(unsigned period); /* enum sw_period */

#endif
