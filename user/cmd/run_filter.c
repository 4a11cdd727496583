// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nothing is gained by a filter that set-user-id programs could not be started under, for it is not there to keep the
 * user in bounds, but the tenant: so PR_SET_NO_NEW_PRIVS is left alone, which root may. What the filter refuses no such
 * program relies on.
 */
#include <errno.h>
#include <seccomp.h>
#include <string.h>
#include <sys/socket.h>

#include "calls.h"
#include "run_filter.h"

static const char *const makers[] = { "socket", "socketpair" };

static int refuse(scmp_filter_ctx of, const char *name, int error, unsigned n, const struct scmp_arg_cmp *args)
{
	int call = seccomp_syscall_resolve_name(name);

	return call == __NR_SCMP_ERROR ? -ENOSYS : seccomp_rule_add_array(of, SCMP_ACT_ERRNO(error), call, n, args);
}

static int refuse_call(scmp_filter_ctx of, const struct call_refusal *refusal)
{
	const struct scmp_arg_cmp arg = SCMP_CMP64(refusal->arg, SCMP_CMP_MASKED_EQ, refusal->mask, refusal->value);

	return refuse(of, refusal->name, refusal->error, refusal->mask != 0, &arg);
}

/* A negative number, and one with bits that the kernel does not look at, is among those above the last. */
static int refuse_family(scmp_filter_ctx of, enum scmp_compare how, int family)
{
	const struct scmp_arg_cmp arg = SCMP_CMP64(0, how, family);
	int err = 0;

	for (size_t i = 0; i < sizeof(makers) / sizeof(*makers) && !err; i++)
		err = refuse(of, makers[i], EAFNOSUPPORT, 1, &arg);
	return err;
}

static int refuse_protocols(scmp_filter_ctx of, const struct call_family *kind)
{
	const struct scmp_arg_cmp args[] = {
		SCMP_CMP64(0, SCMP_CMP_EQ, kind->family),
		SCMP_CMP64(2, SCMP_CMP_NE, kind->protocol),
	};

	return kind->protocol < 0 ? 0 : refuse(of, "socket", EPROTONOSUPPORT, 2, args);
}

/* What lies between those that may be, and above the last. */
static int refuse_families(scmp_filter_ctx of)
{
	int next = 0, err = 0;

	for (unsigned i = 0; i < call_families_n && !err; i++) {
		while (next < call_families[i].family && !err)
			err = refuse_family(of, SCMP_CMP_EQ, next++);
		next = call_families[i].family + 1;
		if (!err)
			err = refuse_protocols(of, &call_families[i]);
	}
	return err ? err : refuse_family(of, SCMP_CMP_GE, next);
}

/* A process that makes calls of another architecture is ended, as in a unit. */
static int add_rules(scmp_filter_ctx of, const struct sw_settings *settings)
{
	int err = seccomp_attr_set(of, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

	if (!err)
		err = seccomp_attr_set(of, SCMP_FLTATR_CTL_NNP, 0);
	if (!err && !settings->system_calls)
		err = refuse_families(of);
	for (unsigned i = 0; i < call_refusals_n && !err; i++)
		if (call_refused(settings, &call_refusals[i]))
			err = refuse_call(of, &call_refusals[i]);
	return err;
}

int run_filter_make(struct run_filter *filter, const struct sw_settings *settings, struct fault *fault)
{
	int err;

	filter->of = NULL;
	if (!calls_filtered(settings))
		return 0;
	filter->of = seccomp_init(SCMP_ACT_ALLOW);
	err = filter->of ? add_rules(filter->of, settings) : -ENOMEM;
	return err ? fault_set(fault, -err, "cannot make the filter of system calls: %s", strerror(-err)) : 0;
}

void run_filter_free(struct run_filter *filter)
{
	if (filter->of)
		seccomp_release(filter->of);
	filter->of = NULL;
}

int run_filter_install(const struct run_filter *filter)
{
	return filter->of ? seccomp_load(filter->of) : 0;
}
