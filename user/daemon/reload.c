// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policies read anew. All of them are compiled before the first is put into the kernel, and all are in the kernel
 * before the first tenant is moved to its new one: a mistake in any leaves every tenant under the policy it has.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "budget.h"
#include "daemon.h"
#include "load.h"
#include "named.h"
#include "say.h"
#include "survey.h"
#include "tenant.h"

struct renewed {
	char *source;
	struct image *image;
	struct published published;
};

struct renewal {
	LIST(struct renewed) of;
	FILE *said; /* to whoever wants to know what became of it */
};

static struct renewed *find(struct renewal *renewal, const char *source)
{
	for (size_t i = 0; i < renewal->of.n; i++)
		if (!strcmp(renewal->of.v[i].source, source))
			return &renewal->of.v[i];
	return NULL;
}

static bool compile_all(struct daemon *daemon, struct renewal *renewal)
{
	__u32 end = survey_end(&daemon->host);
	bool good = true;

	for (__u32 slot = 1; slot < end; slot++) {
		const struct sw_record *record = &daemon->host.records[slot];

		if (!record->cgroup || find(renewal, record->policy))
			continue;
		*list_add(&renewal->of) = (struct renewed){
			.source = mem_strdup(record->policy),
			.image = policy_compile(record->policy, false, renewal->said),
		};
		good &= renewal->of.v[renewal->of.n - 1].image != NULL;
	}
	return good;
}

static int publish_all(struct daemon *daemon, struct renewal *renewal, struct fault *fault)
{
	int err = 0;

	for (size_t i = 0; i < renewal->of.n && !err; i++)
		err = publish(&daemon->host, renewal->of.v[i].image, &renewal->of.v[i].published, fault);
	return err;
}

static int move_tenant(struct daemon *daemon, __u32 slot, const struct renewed *to, struct fault *fault)
{
	const struct sw_record *record = &daemon->host.records[slot];
	const struct sw_settings *settings = &to->image->settings;
	struct attachment as = {
		.name = record->name,
		.image = to->published,
		.policy = to->source,
		.limit = SW_NO_LIMIT,
	};
	struct sw_tenant now;
	int err = 0;

	if (host_storage(&daemon->host, record->cgroup, &now) ||
	    !memcmp(daemon->host.settings[now.image].hash, settings->hash, sizeof(settings->hash)))
		return 0;
	if (settings->budget != SW_NO_LIMIT)
		err = budget_limit_by(daemon->ledger, &daemon->host, record->name, slot, settings, NULL,
				      clock_ms(CLOCK_REALTIME) / 1000, &as.limit, fault);
	return err ? err : tenant_replace(&daemon->host, slot, &as, fault);
}

/* A tenant that cannot be moved keeps its policy; the others are not held up by it. */
static int move_all(struct daemon *daemon, struct renewal *renewal)
{
	__u32 end = survey_end(&daemon->host);
	struct fault fault;
	int failed = 0;

	for (__u32 slot = 1; slot < end; slot++) {
		const struct sw_record *record = &daemon->host.records[slot];
		const struct renewed *to = record->cgroup ? find(renewal, record->policy) : NULL;

		if (!to || tenant_state(&daemon->host, slot) > TENANT_AUDITED)
			continue;
		if (move_tenant(daemon, slot, to, &fault)) {
			warn_to(renewal->said, "tenant %s keeps the policy it has: %s", record->name, fault.text);
			failed++;
		}
	}
	return failed;
}

static int reload(struct daemon *daemon, struct renewal *renewal, struct fault *fault)
{
	struct fault ignored;
	int err, failed = 0;

	if (!compile_all(daemon, renewal))
		return fault_set(fault, EINVAL, "a policy has mistakes, so all tenants keep the policies they have");
	err = publish_all(daemon, renewal, fault);
	if (!err)
		failed = move_all(daemon, renewal);
	publish_collect(&daemon->host, &ignored);
	if (failed)
		return fault_set(fault, EIO, "%d tenants keep the policy they have", failed);
	return err;
}

static void free_all(struct renewal *renewal)
{
	for (size_t i = 0; i < renewal->of.n; i++) {
		free(renewal->of.v[i].source);
		image_free(renewal->of.v[i].image);
	}
	free(renewal->of.v);
}

static int reload_and_tell(struct daemon *daemon, FILE *said)
{
	struct renewal renewal = { .said = said };
	struct fault fault;
	int err = host_lock(&daemon->host, HOST_PATIENCE, &fault);

	if (!err)
		err = reload(daemon, &renewal, &fault);
	host_unlock(&daemon->host);
	if (err)
		warn_to(said, "reload: %s", fault.text);
	else
		warn_to(said, "reload: %zu polic%s read", renewal.of.n, renewal.of.n == 1 ? "y" : "ies");
	free_all(&renewal);
	return err;
}

int daemon_reload(struct daemon *daemon, FILE *out)
{
	char *text;
	size_t len;
	FILE *said = open_memstream(&text, &len);
	int err;

	notify_reloading();
	err = reload_and_tell(daemon, said);
	daemon->state.reloads++;
	daemon->state.reload_errors += err != 0;
	fclose(said);
	fwrite(text, 1, len, stderr);
	if (out)
		fwrite(text, 1, len, out);
	free(text);
	notify("READY=1");
	return err;
}
