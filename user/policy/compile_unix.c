// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unix sockets: those that the policy lists, and the services that answer for DNS. What these say opens nothing, so
 * where names matter they are refused, unless they are listed as allowed. Whoever is refused them must go on to DNS, and
 * each program asks for them again and again: so they are as if they were down, and no denial.
 */
#include "compiler.h"

static const char *const services[] = {
	"/var/run/nscd/socket", /* as glibc writes it */
	"/run/nscd/socket",
	"/run/systemd/resolve/io.systemd.Resolve",
};

#define SERVICES (sizeof(services) / sizeof(*services))

_Static_assert(SW_PATHS_MAX + SERVICES <= SW_UNIX_MAX, "a policy's unix sockets fit an image");

static struct sw_unix service(const char *path)
{
	struct sw_unix out = { .answer = SW_UNIX_STEER, .len = strlen(path) };

	memcpy(out.text, path, out.len);
	return out;
}

static bool is_service(const struct sw_unix *path)
{
	for (size_t i = 0; i < SERVICES; i++)
		if (!strcmp(path->text, services[i]))
			return true;
	return false;
}

/* Allowed first, as in the canonical text, so that a policy and its canonical text give one image. */
static void add_listed(struct compiler *c, enum sw_unix_answer answer, bool steers)
{
	for (size_t i = 0; i < c->policy->paths.n; i++) {
		struct sw_unix path = c->policy->paths.v[i];

		if (path.answer != answer)
			continue;
		if (answer == SW_UNIX_DENY && steers && is_service(&path))
			path.answer = SW_UNIX_STEER;
		*list_add(&c->image->paths) = path;
	}
}

static bool denies_some(const struct policy *policy)
{
	for (size_t i = 0; i < policy->paths.n; i++)
		if (policy->paths.v[i].answer == SW_UNIX_DENY)
			return true;
	return !policy->unix_others;
}

/* An audit refuses nothing but for the sake of names. */
void add_unix(struct compiler *c)
{
	const struct policy *policy = c->policy;
	bool named = policy_has_names(policy), steers = named || !policy->audit;

	c->image->settings.unix_says = denies_some(policy);
	add_listed(c, SW_UNIX_ALLOW, steers);
	add_listed(c, SW_UNIX_DENY, steers);
	for (size_t i = 0; i < SERVICES && steers && (named || !policy->unix_others); i++) {
		struct sw_unix path = service(services[i]);

		if (!unix_find(policy->paths.v, policy->paths.n, &path))
			*list_add(&c->image->paths) = path;
	}
}
