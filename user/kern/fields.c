// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "loader.h"
#include "pins.h"

/* A value, or a part of one. */
struct part {
	const struct btf *btf;
	__u32 type;
	__u32 at; /* bytes from the value's begin */
};

static const struct btf_type *type_of(const struct part *part)
{
	return btf__type_by_id(part->btf, btf__resolve_type(part->btf, part->type));
}

static const char *name_of(const struct part *part, const struct btf_member *member)
{
	return btf__name_by_offset(part->btf, member->name_off);
}

static struct part part_of(const struct part *whole, const struct btf_member *member)
{
	return (struct part){ whole->btf, member->type, whole->at + member->offset / 8 };
}

static void match(struct fields *fields, const struct part *from, const struct part *to);

static void match_members(struct fields *fields, const struct part *from, const struct part *to)
{
	const struct btf_type *theirs = type_of(from), *ours = type_of(to);
	const struct btf_member *a = btf_members(theirs), *b = btf_members(ours);

	for (int i = 0; i < btf_vlen(ours); i++)
		for (int j = 0; j < btf_vlen(theirs); j++) {
			struct part part_from = part_of(from, &a[j]), part_to = part_of(to, &b[i]);

			if (!strcmp(name_of(from, &a[j]), name_of(to, &b[i])))
				match(fields, &part_from, &part_to);
		}
}

static void match_elements(struct fields *fields, const struct part *from, const struct part *to)
{
	const struct btf_array *theirs = btf_array(type_of(from)), *ours = btf_array(type_of(to));
	__u32 size_from = btf__resolve_size(from->btf, theirs->type), size_to = btf__resolve_size(to->btf, ours->type);

	for (__u32 i = 0; i < theirs->nelems && i < ours->nelems; i++)
		match(fields, &(struct part){ from->btf, theirs->type, from->at + i * size_from },
		      &(struct part){ to->btf, ours->type, to->at + i * size_to });
}

/* What lies side by side in both is moved at once, in what the BPF side can take. */
static void add(struct fields *fields, struct sw_move move)
{
	struct sw_move *last = fields->of.n ? &fields->of.v[fields->of.n - 1] : NULL;

	if (last && last->from + last->len == move.from && last->to + last->len == move.to &&
	    last->len + move.len <= SW_MOVE_MAX)
		last->len += move.len;
	else
		*list_add(&fields->of) = move;
}

static void match(struct fields *fields, const struct part *from, const struct part *to)
{
	const struct btf_type *theirs = type_of(from), *ours = type_of(to);

	if (!theirs || !ours || btf_kind(theirs) != btf_kind(ours))
		return;
	if (btf_is_composite(ours))
		match_members(fields, from, to);
	else if (btf_is_array(ours))
		match_elements(fields, from, to);
	else if (theirs->size == ours->size)
		add(fields, (struct sw_move){ from->at, to->at, ours->size });
}

static struct btf *load_btf(int fd, __u32 *value)
{
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len) || !info.btf_id)
		return NULL;
	*value = info.btf_value_type_id;
	return btf__load_from_kernel_by_id(info.btf_id);
}

/* Frees the BTF of both. */
static int match_values(struct part from, struct part to, const char *map, struct fields *out, struct fault *fault)
{
	int err = 0;

	*out = (struct fields){ 0 };
	if (from.btf && to.btf)
		match(out, &from, &to);
	else
		err = fault_set(fault, ENOTSUP, "the kernel does not say how the map '%s' is laid out", map);
	btf__free((struct btf *)from.btf);
	btf__free((struct btf *)to.btf);
	return err;
}

int fields_match(int fd, enum sw_map map, struct fields *out, struct fault *fault)
{
	struct part from = { 0 }, to = { 0 };

	from.btf = load_btf(fd, &from.type);
	to.btf = loader_btf(map, &to.type);
	return match_values(from, to, pins_map[map], out, fault);
}

int fields_between(int theirs, int next, enum sw_map map, struct fields *out, struct fault *fault)
{
	struct part from = { 0 }, to = { 0 };

	from.btf = load_btf(theirs, &from.type);
	to.btf = load_btf(next, &to.type);
	return match_values(from, to, pins_map[map], out, fault);
}

void fields_free(struct fields *fields)
{
	free(fields->of.v);
	*fields = (struct fields){ 0 };
}

void fields_copy(const struct fields *fields, const void *theirs, void *ours)
{
	for (size_t i = 0; i < fields->of.n; i++) {
		const struct sw_move *move = &fields->of.v[i];

		memcpy((char *)ours + move->to, (const char *)theirs + move->from, move->len);
	}
}

void fields_paste(const struct fields *fields, const void *ours, void *theirs)
{
	for (size_t i = 0; i < fields->of.n; i++) {
		const struct sw_move *move = &fields->of.v[i];

		memcpy((char *)theirs + move->from, (const char *)ours + move->to, move->len);
	}
}
