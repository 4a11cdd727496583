// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <sys/stat.h>

#include "ask.h"
#include "health.h"
#include "load.h"
#include "lookup.h"
#include "named.h"
#include "resolv.h"

/* ---- name servers ------------------------------------------------------------------------------------------ */

struct asking {
	bool may;      /* one of the host's name servers */
	bool believed; /* and what that answers opens what names say */
};

static struct asking asking_of(const struct host *host, __u32 image, const struct prefixes *resolvers)
{
	struct asking asking = { 0 };

	for (size_t i = 0; i < resolvers->n; i++) {
		struct sw_flow flow = { .peer = resolvers->v[i].addr, .port = 53, .proto = SW_UDP };
		struct sw_verdict verdict;
		struct fault ignored;

		if (ask(host, image, 0, &flow, &verdict, &ignored) || !verdict.allow)
			continue;
		asking.may = true;
		asking.believed |= verdict.resolver;
	}
	return asking;
}

static void check_image(struct health *health, const struct host *host, __u32 image, const struct prefixes *resolvers)
{
	const struct sw_settings *settings = &host->settings[image];
	struct asking asking = asking_of(host, image, resolvers);

	if (!asking.may)
		health_add(health, "names", HEALTH_WRONG,
			   "the policy %s lets its tenants ask none of this host's name servers: add as its first "
			   "rule "
			   "- allow: {net: resolvers, port: 53}",
			   settings->policy);
	else if (settings->named && !asking.believed)
		health_add(
			health, "names", HEALTH_WRONG,
			"the policy %s believes none of this host's name servers that it lets its tenants ask, so its "
			"names open nothing: add them to its 'resolvers'",
			settings->policy);
}

static void check_images(struct health *health, const struct host *host, const struct prefixes *resolvers)
{
	size_t wrong = health->wrong;

	for (__u32 image = 1; image < SW_IMAGES_MAX; image++)
		if (*host->settings[image].policy)
			check_image(health, host, image, resolvers);
	if (wrong == health->wrong)
		health_add(health, "names", HEALTH_OK,
			   "%zu name server%s of this host, which each policy lets its tenants ask", resolvers->n,
			   resolvers->n == 1 ? "" : "s");
}

static void check_servers(struct health *health, const struct host *host)
{
	struct prefixes resolvers = { 0 };
	struct diags diags = { 0 };
	bool read = set_load(policy_path(), SET_RESOLVERS, &resolvers, &diags) && !diags.errors;

	if (!read)
		health_add(health, "names", HEALTH_LOOK,
			   "the host's name servers cannot be read: see 'sockwarden ranges resolvers'");
	else if (!resolvers.n)
		health_add(health, "names", HEALTH_LOOK, "this host has no name server in " RESOLV_CONF);
	else
		check_images(health, host, &resolvers);
	diags_free(&diags);
	prefixes_free(&resolvers);
}

/* ---- the C library ----------------------------------------------------------------------------------------- */

#define OPENS_NOTHING "what it answers opens nothing"

/* As bad as it is: is there a policy in force that has names? */
static enum health_state state_of(const struct host *host)
{
	for (__u32 image = 1; image < SW_IMAGES_MAX; image++)
		if (*host->settings[image].policy && host->settings[image].named)
			return HEALTH_WRONG;
	return HEALTH_LOOK;
}

static bool is_socket(const char *path)
{
	struct stat stat_of;

	return !stat(path, &stat_of) && S_ISSOCK(stat_of.st_mode);
}

static void check_order(struct health *health, const struct lookup *lookup, enum health_state state)
{
	if (lookup->way == LOOKUP_NO_DNS)
		health_add(health, "names", state,
			   "the C library does not ask DNS: add 'dns' to the line 'hosts:' of " NSSWITCH_CONF);
	else if (lookup->way == LOOKUP_STOPS)
		health_add(health, "names", state,
			   "the C library does not come to ask DNS: in the line 'hosts:' of " NSSWITCH_CONF
			   " put 'dns' before '%s', or take away what stands in brackets behind that",
			   lookup->at);
	else if (lookup->way == LOOKUP_ANSWERS)
		health_add(health, "names", state,
			   "the C library asks systemd-resolved over its socket, and " OPENS_NOTHING
			   " (Linux before 6.7): in the line 'hosts:' of " NSSWITCH_CONF " put 'dns' before '%s'",
			   lookup->at);
	else if (*lookup->before)
		health_add(health, "names", HEALTH_LOOK,
			   "the C library asks '%s' before DNS, and " OPENS_NOTHING
			   ": in the line 'hosts:' of " NSSWITCH_CONF " put 'dns' before it",
			   lookup->before);
}

static bool nscd_answers(void)
{
	size_t len;
	char *text = is_socket("/run/nscd/socket") ? file_read(NSCD_CONF, &len) : NULL;
	bool answers = text && lookup_nscd_has_hosts(text, len);

	free(text);
	return answers;
}

/* Where the kernel can, tenants are steered past both. */
static void check_library(struct health *health, const struct host *host)
{
	bool steered = host_sees_unix(host);
	enum health_state state = state_of(host);
	size_t len = 0, before = health->checks.n;
	char *text = file_read(NSSWITCH_CONF, &len);
	struct lookup lookup =
		lookup_parse(text ? text : "", len, !steered && is_socket("/run/systemd/resolve/io.systemd.Resolve"));

	free(text);
	check_order(health, &lookup, state);
	if (!steered && nscd_answers())
		health_add(health, "names", state,
			   "the C library asks nscd, and " OPENS_NOTHING
			   " (Linux before 6.7): say 'enable-cache hosts no' in " NSCD_CONF ", and restart nscd");
	if (health->checks.n == before)
		health_add(health, "names", HEALTH_OK, "the C library asks DNS itself, by " NSSWITCH_CONF "%s",
			   steered ? "; past nscd and systemd-resolved, where a policy has names" : "");
}

void health_names(const struct host *host, struct health *health)
{
	check_servers(health, host);
	check_library(health, host);
}
