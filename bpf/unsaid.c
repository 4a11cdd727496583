// SPDX-License-Identifier: GPL-2.0-only
/*
 * What crosses a map that has no BTF for it, under the name of that map: records of a ring, keys and values of inner
 * maps, and what a pass writes to who reads it. Never loaded; bpf/identity.c reads its BTF.
 */
#include "abi.h"

struct sw_event events;

struct {
	struct sw_prefix key;
	struct sw_class value;
} tries;

struct sw_row tables;

struct {
	struct sw_domain key;
	struct sw_domain_rule value;
} names;

struct sw_found pass;
