// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "accept.h"

/* In our order of preference. The OpenMetrics draft 0.0.1 is the same text under another number. */
static const struct media offers[] = {
	{ "text/plain", "0.0.4", "text/plain; version=0.0.4; charset=utf-8", METRICS_TEXT },
	{ "application/openmetrics-text", "1.0.0", "application/openmetrics-text; version=1.0.0; charset=utf-8",
	  METRICS_OPENMETRICS },
	{ "application/openmetrics-text", "0.0.1", "application/openmetrics-text; version=0.0.1; charset=utf-8",
	  METRICS_OPENMETRICS },
};

#define OFFERS (sizeof(offers) / sizeof(*offers))

/* A part of the header, which is not changed. */
struct part {
	const char *at;
	size_t len;
};

/* The next part up to `separator`, without the blanks around it; what is between double quotes separates nothing. */
static bool next_part(const char **at, const char *end, char separator, struct part *part)
{
	const char *stop = *at;
	bool quoted = false;

	if (*at >= end)
		return false;
	for (; stop < end && (quoted || *stop != separator); stop++) {
		if (quoted && *stop == '\\' && stop + 1 < end)
			stop++;
		else if (*stop == '"')
			quoted = !quoted;
	}
	*part = (struct part){ *at, stop - *at };
	*at = stop + 1;
	while (part->len && isspace((unsigned char)*part->at))
		part->at++, part->len--;
	while (part->len && isspace((unsigned char)part->at[part->len - 1]))
		part->len--;
	return true;
}

static bool part_is(struct part part, const char *text)
{
	return part.len == strlen(text) && !strncasecmp(part.at, text, part.len);
}

/* "name=value", the value perhaps in quotes. */
static bool split(struct part part, struct part *name, struct part *value)
{
	const char *equals = memchr(part.at, '=', part.len);

	if (!equals)
		return false;
	*name = (struct part){ part.at, equals - part.at };
	*value = (struct part){ equals + 1, part.at + part.len - equals - 1 };
	if (value->len >= 2 && value->at[0] == '"' && value->at[value->len - 1] == '"')
		*value = (struct part){ value->at + 1, value->len - 2 };
	return true;
}

/* Thousandths; -1: not of the form 0, 1, or these with a point and up to three digits. */
static int quality(struct part text)
{
	int value, scale = 100;

	if (!text.len || text.len > 5 || (text.at[0] != '0' && text.at[0] != '1') ||
	    (text.len > 1 && text.at[1] != '.'))
		return -1;
	value = 1000 * (text.at[0] - '0');
	for (size_t i = 2; i < text.len; i++, scale /= 10) {
		if (!isdigit((unsigned char)text.at[i]))
			return -1;
		value += scale * (text.at[i] - '0');
	}
	return value > 1000 ? -1 : value;
}

/* A media range of the header. */
struct range {
	struct part type, version; /* version.at NULL: any */
	int quality;
};

/* False if it is out of form. Parameters that distinguish nothing we have are passed over. */
static bool range_parse(struct part text, struct range *range)
{
	const char *at = text.at, *end = text.at + text.len;
	struct part parameter, name, value;

	*range = (struct range){ .quality = 1000 };
	if (!next_part(&at, end, ';', &range->type))
		return false;
	while (next_part(&at, end, ';', &parameter)) {
		if (!split(parameter, &name, &value))
			continue;
		if (part_is(name, "q"))
			range->quality = quality(value);
		else if (part_is(name, "version"))
			range->version = value;
	}
	return range->quality >= 0;
}

/* How closely the range names the offer; 0: not at all. */
static int closeness(const struct range *range, const struct media *offer)
{
	size_t slash = strcspn(offer->type, "/");

	if (part_is(range->type, "*/*"))
		return 1;
	if (range->type.len == slash + 2 && !strncasecmp(range->type.at, offer->type, slash + 1) &&
	    range->type.at[slash + 1] == '*')
		return 2;
	if (!part_is(range->type, offer->type))
		return 0;
	if (!range->version.at)
		return 3;
	return part_is(range->version, offer->version) ? 4 : 0;
}

/* What the header says of one offer: the range that names it most closely decides. */
static int rank(const char *header, const struct media *offer)
{
	const char *at = header, *end = header + strlen(header);
	int closest = 0, rank = 0;
	struct range range;
	struct part text;

	while (next_part(&at, end, ',', &text)) {
		int close = range_parse(text, &range) ? closeness(&range, offer) : 0;

		if (close <= closest)
			continue;
		closest = close;
		rank = range.quality ? range.quality * 8 + close : 0; /* of equal quality, what is named wins */
	}
	return rank;
}

const struct media *accept_choose(const char *header)
{
	const struct media *best = &offers[0];
	int highest = header ? rank(header, best) : 0;

	for (size_t i = 1; header && i < OFFERS; i++) {
		int now = rank(header, &offers[i]);

		if (now > highest) {
			highest = now;
			best = &offers[i];
		}
	}
	return best;
}
