// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "layout.h"
#include "mem.h"
#include "pins.h"

#define IDENTITY "identity"

struct map_shape {
	const char *name;
	__u32 type, key_size, value_size, max_entries, flags;
};

#include "identity.h"

const enum map_kind layout_kind[] = {
#define X(name, kind) [MAP_##name] = MAP_##kind,
	SW_MAPS(X)
#undef X
};

static __u64 hash_of(const struct sw_identity *identity, const char *map)
{
	for (__u32 i = 0; i < identity->maps && i < SW_IDENTITY_MAPS; i++)
		if (!strncmp(identity->map[i].name, map, sizeof(identity->map[i].name)))
			return identity->map[i].hash;
	return 0;
}

static const struct map_shape *shape_of(const char *map)
{
	for (size_t i = 0; i < sizeof(my_shapes) / sizeof(my_shapes[0]); i++)
		if (!strcmp(my_shapes[i].name, map))
			return &my_shapes[i];
	return NULL;
}

/* The next version may be larger; what this one has comes first. */
static int read_identity(const char *folder, struct sw_identity *out, struct fault *fault)
{
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info), zero = 0;
	int fd = pins_open(folder, IDENTITY), err = 0;
	void *value;

	if (fd < 0)
		return fault_set(fault, errno, "%s/" IDENTITY ": %s", folder, strerror(errno));
	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		info.value_size = 0;
	value = mem_alloc(1, info.value_size + sizeof(*out));
	if (!info.value_size || bpf_map_lookup_elem(fd, &zero, value))
		err = fault_set(fault, errno, "cannot read %s/" IDENTITY ": %s", folder, strerror(errno));
	memcpy(out, value, sizeof(*out));
	free(value);
	close(fd);
	return err;
}

/* A ring says nothing of its records, nor an array of maps of what is in these. */
static bool is_told(enum sw_map map)
{
	return layout_kind[map] != MAP_IMAGE && map != MAP_events;
}

/* The kernel's word: sizes, and no more. */
static bool has_my_shape(const char *folder, enum sw_map map)
{
	const struct map_shape *mine = shape_of(pins_map[map]);
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);
	int fd = pins_open(folder, pins_map[map]);
	bool same = mine && fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len) && info.type == mine->type &&
		    info.key_size == mine->key_size && info.value_size == mine->value_size &&
		    info.max_entries == mine->max_entries && info.map_flags == mine->flags;

	if (fd >= 0)
		close(fd);
	return same;
}

static void join_images(struct layout *layout)
{
	bool all = true;

	for (int i = 0; i < MAP_COUNT; i++)
		all &= layout_kind[i] != MAP_IMAGE || layout->same[i];
	for (int i = 0; i < MAP_COUNT; i++)
		layout->same[i] &= layout_kind[i] != MAP_IMAGE || all;
}

bool layout_is_mine(const char *folder)
{
	struct sw_identity identity = { 0 };
	struct fault ignored;

	return !read_identity(folder, &identity, &ignored) &&
	       !memcmp(identity.build, my_identity.build, sizeof(identity.build));
}

int layout_read(struct layout *out, struct fault *fault)
{
	struct sw_identity theirs = { 0 };
	int err = read_identity(PINS_HOST, &theirs, fault);

	*out = (struct layout){ .known = !err };
	if (err && err != -ENOENT)
		return err;
	memcpy(out->build, theirs.build, sizeof(out->build));
	out->same_build = !memcmp(theirs.build, my_identity.build, sizeof(theirs.build));
	for (int i = 0; i < MAP_COUNT; i++)
		out->same[i] = out->known ? hash_of(&theirs, pins_map[i]) == hash_of(&my_identity, pins_map[i])
					  : is_told(i) && has_my_shape(PINS_HOST, i);
	join_images(out);
	return 0;
}

int layout_pin(const char *folder, struct fault *fault)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, IDENTITY, sizeof(__u32), sizeof(my_identity), 1, NULL), err = 0;
	__u32 zero = 0;

	if (fd < 0)
		return fault_set(fault, errno, "cannot make the map '" IDENTITY "': %s", strerror(errno));
	if (bpf_map_update_elem(fd, &zero, &my_identity, BPF_ANY) || bpf_map_freeze(fd))
		err = fault_set(fault, errno, "cannot write the map '" IDENTITY "': %s", strerror(errno));
	if (!err)
		err = pins_add(fd, folder, IDENTITY, fault);
	close(fd);
	return err;
}

static const char *print_build(const __u8 build[32], char text[LAYOUT_BUILD])
{
	snprintf(text, LAYOUT_BUILD, "%02x%02x%02x%02x", build[0], build[1], build[2], build[3]);
	return text;
}

const char *layout_build(const struct layout *layout, char text[LAYOUT_BUILD])
{
	if (layout->known)
		return print_build(layout->build, text);
	snprintf(text, LAYOUT_BUILD, "unknown");
	return text;
}

const char *layout_my_build(char text[LAYOUT_BUILD])
{
	return print_build(my_identity.build, text);
}
