// SPDX-License-Identifier: GPL-2.0-only
/* The one element of the map `host`. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host_state.h"
#include "values.h"

int state_read(const struct host *host, struct sw_host *state, struct fault *fault)
{
	__u32 zero = 0;
	int err = value_read(host, MAP_host, &zero, state);

	return err ? fault_set(fault, -err, "cannot read the map 'host': %s", strerror(-err)) : 0;
}

int state_write(struct host *host, const struct sw_host *state, struct fault *fault)
{
	__u32 zero = 0;
	int err = value_write(host, MAP_host, &zero, state, BPF_ANY);

	return err ? fault_set(fault, -err, "cannot write the map 'host': %s", strerror(-err)) : 0;
}

int host_last_serial(const struct host *host, __u64 *serial, struct fault *fault)
{
	struct sw_host state = { 0 };
	int err = state_read(host, &state, fault);

	*serial = state.serial;
	return err;
}

int host_next_serial(struct host *host, __u64 *serial, struct fault *fault)
{
	struct sw_host state = { 0 };
	int err = state_read(host, &state, fault);

	if (err)
		return err;
	*serial = ++state.serial;
	return state_write(host, &state, fault);
}

int host_book(struct host *host, __u64 ledger, const char *path, bool adopt, struct fault *fault)
{
	struct sw_host state = { 0 };
	int err = state_read(host, &state, fault);

	if (err)
		return err;
	if (state.ledger && state.ledger != ledger && !adopt)
		return fault_set(
			fault, EINVAL,
			"since the programs were loaded, %.180s was booked in, and %.180s is another ledger: give the "
			"first, or --adopt, with which all that it has is booked again",
			state.path, path);
	state.ledger = ledger;
	snprintf(state.path, sizeof(state.path), "%s", path);
	return state_write(host, &state, fault);
}

int host_ledger(const struct host *host, char path[SW_PATH_MAX], struct fault *fault)
{
	struct sw_host state = { 0 };
	int err = state_read(host, &state, fault);

	snprintf(path, SW_PATH_MAX, "%s", err ? "" : state.path);
	return err;
}

int host_ledger_id(const struct host *host, __u64 *id, struct fault *fault)
{
	struct sw_host state = { 0 };
	int err = state_read(host, &state, fault);

	*id = state.ledger;
	return err;
}

int host_resolvers(const struct host *host, __u64 *hash, struct fault *fault)
{
	struct sw_host state = { 0 };
	int err = state_read(host, &state, fault);

	*hash = state.resolvers;
	return err;
}

int host_set_resolvers(struct host *host, __u64 hash, struct fault *fault)
{
	struct sw_host state = { 0 };
	int err = state_read(host, &state, fault);

	if (err || state.resolvers == hash)
		return err;
	state.resolvers = hash;
	return state_write(host, &state, fault);
}
