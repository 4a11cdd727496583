// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "values.h"
#include "wanted.h"

static struct sw_name key_of(const char *name)
{
	struct sw_name key = { 0 };

	snprintf(key.text, sizeof(key.text), "%s", name);
	return key;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct wanted *)a)->name.text, ((const struct wanted *)b)->name.text);
}

int wanted_read(const struct host *host, struct wanted_list *out, struct fault *fault)
{
	int map = values_fd(host, MAP_wanted);
	struct sw_name key;
	bool more;
	int err;

	*out = (struct wanted_list){ 0 };
	for (more = !bpf_map_get_next_key(map, NULL, &key); more; more = !bpf_map_get_next_key(map, &key, &key)) {
		struct wanted one = { .name = key };

		err = value_read(host, MAP_wanted, &key, &one.is);
		if (!err)
			*list_add(&out->of) = one;
		else if (err != -ENOENT)
			return fault_set(fault, -err, "cannot read the map 'wanted': %s", strerror(-err));
	}
	if (out->of.n)
		qsort(out->of.v, out->of.n, sizeof(*out->of.v), by_name);
	return 0;
}

int wanted_all(struct wanted_list *out, struct fault *fault)
{
	struct host host;
	int err = host_open(&host, HOST_READING, fault);

	*out = (struct wanted_list){ 0 };
	if (err)
		return err == -ENOENT ? 0 : err;
	err = wanted_read(&host, out, fault);
	host_close(&host);
	return err;
}

void wanted_free(struct wanted_list *list)
{
	free(list->of.v);
	*list = (struct wanted_list){ 0 };
}

struct wanted *wanted_find(const struct wanted_list *list, const char *name)
{
	struct wanted key = { .name = key_of(name) };

	return list->of.n ? bsearch(&key, list->of.v, list->of.n, sizeof(key), by_name) : NULL;
}

static bool get(const struct host *host, const char *name, struct sw_wanted *is)
{
	struct sw_name key = key_of(name);

	return !value_read(host, MAP_wanted, &key, is);
}

bool wanted_has(const struct host *host, const char *name)
{
	struct sw_wanted is;

	return get(host, name, &is);
}

bool wanted_is(const struct host *host, const struct wanted *one)
{
	struct sw_wanted is;

	return get(host, one->name.text, &is) && !memcmp(&is, &one->is, sizeof(is));
}

bool wanted_at(const struct host *host, const char *name, const char *path)
{
	struct sw_wanted is;

	return get(host, name, &is) && !strcmp(is.path, path);
}

int wanted_put(struct host *host, const char *name, const struct sw_wanted *is, struct fault *fault)
{
	struct sw_name key = key_of(name);

	int err = value_write(host, MAP_wanted, &key, is, BPF_ANY);

	if (!err)
		return 0;
	return fault_set(fault, -err, "cannot note that tenant %s is to be attached: %s", name, strerror(-err));
}

int wanted_note(struct host *host, const struct sw_record *record, struct fault *fault)
{
	struct sw_wanted is;

	memcpy(is.path, record->path, sizeof(is.path));
	memcpy(is.policy, record->policy, sizeof(is.policy));
	return wanted_put(host, record->name, &is, fault);
}

int wanted_drop(struct host *host, const char *name, struct fault *fault)
{
	struct sw_name key = key_of(name);

	if (!bpf_map_delete_elem(values_fd(host, MAP_wanted), &key))
		return 0;
	return fault_set(fault, errno, "no tenant is named %s: 'sockwarden status' lists them", name);
}
