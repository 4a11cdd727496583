// SPDX-License-Identifier: GPL-2.0-only
#include "names.h"
#include "abi.h"

const char *reason_name(unsigned reason)
{
	static const char *const names[] = {
#define X(id, name, help) [SW_REASON_##id] = name,
		SW_REASONS(X)
#undef X
	};

	return reason < SW_REASON_COUNT ? names[reason] : "?";
}

const char *reason_help(unsigned reason)
{
	static const char *const helps[] = {
#define X(id, name, help) [SW_REASON_##id] = help,
		SW_REASONS(X)
#undef X
	};

	return reason < SW_REASON_COUNT ? helps[reason] : "?";
}

const char *hook_name(unsigned hook)
{
	static const char *const names[] = {
#define X(id, name, type) [SW_HOOK_##id] = #name,
		SW_HOOKS(X)
#undef X
	};

	return hook < SW_HOOK_COUNT ? names[hook] : "?";
}

const char *proto_name(unsigned proto)
{
	return proto == SW_TCP ? "tcp" : proto == SW_UDP ? "udp" : "other";
}

const char *period_name(unsigned period)
{
	return period == SW_DAY ? "day" : period == SW_MONTH ? "month" : "?";
}
