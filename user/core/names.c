// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>

#include "abi.h"
#include "names.h"

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

const char *cause_name(unsigned cause)
{
	static const char *const names[] = { [SW_CAUSE_NONE] = "none",
#define X(id, name, help) [SW_CAUSE_##id] = name,
					     SW_CAUSES(X)
#undef X
	};

	return cause < SW_CAUSE_COUNT ? names[cause] : "?";
}

const char *cause_help(unsigned cause)
{
	static const char *const helps[] = { [SW_CAUSE_NONE] = "it was not closed",
#define X(id, name, help) [SW_CAUSE_##id] = help,
					     SW_CAUSES(X)
#undef X
	};

	return cause < SW_CAUSE_COUNT ? helps[cause] : "?";
}

const char *hook_name(unsigned hook)
{
	static const char *const names[] = {
#define X(id, name, type) [SW_HOOK_##id] = #name,
		SW_HOOKS(X)
#undef X
			[SW_HOOK_PASS] = "pass",
	};

	return hook <= SW_HOOK_PASS ? names[hook] : "?";
}

const char *watch_name(unsigned watch)
{
	static const char *const names[] = {
#define X(id, name, sees) [SW_WATCH_##id] = #name,
		SW_WATCHES(X)
#undef X
	};

	return watch < SW_WATCH_COUNT ? names[watch] : "?";
}

const char *watch_sees(unsigned watch)
{
	static const char *const texts[] = {
#define X(id, name, sees) [SW_WATCH_##id] = sees,
		SW_WATCHES(X)
#undef X
	};

	return watch < SW_WATCH_COUNT ? texts[watch] : "?";
}

const char *proto_name(unsigned proto)
{
	return proto == SW_TCP ? "tcp" : proto == SW_UDP ? "udp" : "other";
}

const char *period_name(unsigned period)
{
	return period == SW_DAY ? "day" : period == SW_MONTH ? "month" : "?";
}

const char *comm_format(const char comm[16], char text[SW_COMM_TEXT])
{
	snprintf(text, SW_COMM_TEXT, "%.16s", comm);
	for (char *c = text; *c; c++)
		if (*c <= ' ' || *c > '~')
			*c = '?';
	return text;
}
