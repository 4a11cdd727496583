// SPDX-License-Identifier: GPL-2.0-only
/*
 * CloudEvents 1.0 in its JSON format. Attributes may hold no control characters, and `source` is a URI reference, so
 * names are percent-encoded in it; `data` has them as they are. The id is the SHA-256 of the row's name, for receivers
 * keep ids in columns of 64 characters, and a name of a tenant alone may be longer.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "meter.h"
#include "plain.h"
#include "sha256.h"
#include "usage.h"

#define ENCODED (3 * SW_NAME_MAX)

/* What RFC 3986 lets stand in a segment of a path, of the characters a name may have. */
static const char *encode(const char *name, char text[ENCODED])
{
	char *at = text;

	for (; *name; name++)
		if (isalnum((unsigned char)*name) || strchr("-_.~@:", *name))
			*at++ = *name;
		else
			at += sprintf(at, "%%%02X", (unsigned char)*name);
	*at = '\0';
	return text;
}

/* Names are encoded here, too: so no two rows have one name. */
static const char *id_of(const struct interval *interval, char id[SHA256_TEXT])
{
	char host[ENCODED], tenant[ENCODED];
	char *name = mem_printf("%s/%016" PRIx64 "/%" PRIu64 "/%s/%s", encode(interval->host, host),
				(uint64_t)interval->epoch, (uint64_t)interval->sequence,
				encode(interval->tenant, tenant), billing_name(interval->billing));
	struct sha256 sha;
	uint8_t hash[32];

	sha256_init(&sha);
	sha256_add(&sha, name, strlen(name));
	sha256_end(&sha, hash);
	free(name);
	return sha256_format(hash, id);
}

static void write_attributes(const struct interval *interval, struct json *json)
{
	char host[ENCODED], id[SHA256_TEXT], time[CALENDAR_TEXT], *subject = plain_ascii(mem_strdup(interval->tenant));
	char *source = mem_printf("/sockwarden/%s", encode(interval->host, host));

	json_string(json, "specversion", "1.0");
	json_string(json, "id", id_of(interval, id));
	json_string(json, "source", source);
	json_string(json, "type", "sockwarden.usage.interval.v1");
	json_string(json, "time", calendar_format_ms(interval->end, time));
	if (*interval->tenant) /* it may be absent, and not empty */
		json_string(json, "subject", subject);
	json_string(json, "datacontenttype", "application/json");
	free(source);
	free(subject);
}

static void write_policy(const struct interval *interval, struct json *json)
{
	char hash[SHA256_TEXT];

	json_string(json, "policy", interval->policy);
	json_string(json, "policy_hash", sha256_format(interval->hash, hash));
}

static void write_data(const struct interval *interval, struct json *json)
{
	char epoch[17], time[CALENDAR_TEXT];

	snprintf(epoch, sizeof(epoch), "%016" PRIx64, (uint64_t)interval->epoch);
	json_open(json, "data", '{');
	json_string(json, "host", interval->host);
	json_string(json, "boot", interval->boot);
	json_string(json, "epoch", epoch);
	json_number(json, "sequence", interval->sequence);
	json_string(json, "tenant", interval->tenant);
	json_string(json, "class", billing_name(interval->billing));
	json_string(json, "from", calendar_format_ms(interval->start, time));
	json_string(json, "to", calendar_format_ms(interval->end, time));
	write_policy(interval, json);
	usage_figures_json(interval->traffic, json);
	json_close(json, '}');
}

void interval_cloudevent(const struct interval *interval, FILE *out)
{
	struct json json = { .out = out };

	json_open(&json, NULL, '{');
	write_attributes(interval, &json);
	write_data(interval, &json);
	json_close(&json, '}');
	fputc('\n', out); /* json_end() would flush each of what may be millions */
}
