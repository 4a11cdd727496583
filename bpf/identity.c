// SPDX-License-Identifier: GPL-2.0-only
/*
 * Usage: identity UNSAID OBJECT... > identity.h. Runs at build time. Says, of BPF objects that are built together,
 * which build this is, and how each map of the first is laid out: what a later build must know before it takes over.
 * UNSAID is bpf/unsaid.c, compiled.
 *
 *   build    SHA-256 of the objects
 *   a map    64 bits of the SHA-256 of its definition as text: type, flags, sizes, and the BTF of key and value, every
 *            member with its name, offset and type, down to the last
 *   layout   SHA-256 of the definitions of all maps
 *
 * Names of types, and what enumerators are called, are no part of it: they lie nowhere in a map. Maps that libbpf makes
 * of global variables are the programs' own.
 */
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi.h"
#include "sha256.h"

static void die(const char *what, const char *name)
{
	fprintf(stderr, "identity: %s: %s\n", name, what);
	exit(1);
}

static void print_type(FILE *out, const struct btf *btf, __u32 id);

static void print_members(FILE *out, const struct btf *btf, const struct btf_type *type)
{
	const struct btf_member *member = btf_members(type);

	for (int i = 0; i < btf_vlen(type); i++) {
		fprintf(out, " %s@%u:%u=", btf__name_by_offset(btf, member[i].name_off), btf_member_bit_offset(type, i),
			btf_member_bitfield_size(type, i));
		print_type(out, btf, member[i].type);
	}
}

static void print_type(FILE *out, const struct btf *btf, __u32 id)
{
	const struct btf_type *type = btf__type_by_id(btf, btf__resolve_type(btf, id));

	fprintf(out, "%d/%lld", btf_kind(type), (long long)btf__resolve_size(btf, id));
	if (btf_is_composite(type)) {
		fputs("{", out);
		print_members(out, btf, type);
		fputs(" }", out);
	} else if (btf_is_array(type)) {
		fprintf(out, "[%u]", btf_array(type)->nelems);
		print_type(out, btf, btf_array(type)->type);
	} else if (btf_is_int(type)) {
		fprintf(out, "i%u", btf_int_encoding(type));
	}
}

static void print_shape(FILE *out, const struct bpf_map *map)
{
	fprintf(out, "type %d flags %u entries %u key %u value %u\n", bpf_map__type(map), bpf_map__map_flags(map),
		bpf_map__max_entries(map), bpf_map__key_size(map), bpf_map__value_size(map));
}

static void print_unsaid(FILE *out, const struct btf *unsaid, const char *map)
{
	__s32 id = btf__find_by_name_kind(unsaid, map, BTF_KIND_VAR);

	if (id > 0)
		print_type(out, unsaid, btf__type_by_id(unsaid, id)->type);
}

/* As text, to be freed. */
static char *define(const struct btf *btf, const struct btf *unsaid, struct bpf_map *map)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		die("no memory", bpf_map__name(map));
	fprintf(out, "%s\n", bpf_map__name(map));
	print_shape(out, map);
	if (bpf_map__btf_key_type_id(map))
		print_type(out, btf, bpf_map__btf_key_type_id(map));
	fputc('\n', out);
	if (bpf_map__btf_value_type_id(map))
		print_type(out, btf, bpf_map__btf_value_type_id(map));
	fputc('\n', out);
	if (bpf_map__inner_map(map))
		print_shape(out, bpf_map__inner_map(map));
	print_unsaid(out, unsaid, bpf_map__name(map));
	if (fclose(out))
		die("no memory", bpf_map__name(map));
	return text;
}

static void add_file(struct sha256 *sha, const char *path)
{
	FILE *in = fopen(path, "rb");
	char block[4096];
	size_t len;

	if (!in)
		die("cannot be read", path);
	while ((len = fread(block, 1, sizeof(block), in)))
		sha256_add(sha, block, len);
	fclose(in);
}

static void print_hash(const char *field, struct sha256 *sha)
{
	__u8 hash[32];

	sha256_end(sha, hash);
	printf("\t.%s = { ", field);
	for (int i = 0; i < 32; i++)
		printf("0x%02x, ", hash[i]);
	puts("},");
}

static __u64 hash_text(const char *text)
{
	struct sha256 sha;
	__u8 hash[32];
	__u64 first;

	sha256_init(&sha);
	sha256_add(&sha, text, strlen(text));
	sha256_end(&sha, hash);
	memcpy(&first, hash, sizeof(first));
	return first;
}

/* `before` is another build's (bpf/carry.bpf.c). */
static bool is_ours(const struct bpf_map *map)
{
	return !bpf_map__is_internal(map) && strcmp(bpf_map__name(map), "before");
}

static void print_maps(struct bpf_object *object, const struct btf *unsaid)
{
	struct sha256 layout;
	struct bpf_map *map;
	int n = 0;

	sha256_init(&layout);
	puts("\t.map = {");
	bpf_object__for_each_map(map, object)
	{
		char *text = is_ours(map) ? define(bpf_object__btf(object), unsaid, map) : NULL;

		if (!text)
			continue;
		sha256_add(&layout, text, strlen(text));
		printf("\t\t{ \"%s\", 0x%016llx },\n", bpf_map__name(map), hash_text(text));
		free(text);
		n++;
	}
	puts("\t},");
	print_hash("layout", &layout);
	if (n > SW_IDENTITY_MAPS)
		die("more maps than struct sw_identity has room for", bpf_object__name(object));
	printf("\t.maps = %d,\n};\n", n);
}

/* For a build that left no identity, what the kernel says of its maps has to do. */
static void print_shapes(struct bpf_object *object)
{
	struct bpf_map *map;

	puts("\nstatic const struct map_shape my_shapes[] = {");
	bpf_object__for_each_map(map, object)
	{
		if (is_ours(map))
			printf("\t{ \"%s\", %d, %u, %u, %u, %u },\n", bpf_map__name(map), bpf_map__type(map),
			       bpf_map__key_size(map), bpf_map__value_size(map), bpf_map__max_entries(map),
			       bpf_map__map_flags(map));
	}
	puts("};");
}

int main(int argc, char **argv)
{
	struct bpf_object *object = argc > 2 ? bpf_object__open_file(argv[2], NULL) : NULL;
	struct btf *unsaid = argc > 2 ? btf__parse(argv[1], NULL) : NULL;
	struct sha256 build;

	if (!object || !unsaid)
		die("cannot be read", object ? argv[1] : "OBJECT");
	sha256_init(&build);
	for (int i = 2; i < argc; i++)
		add_file(&build, argv[i]);
	puts("/* Made by bpf/identity.c. */");
	puts("static const struct sw_identity my_identity = {\n\t.version = 1,");
	print_hash("build", &build);
	print_maps(object, unsaid);
	print_shapes(object);
	btf__free(unsaid);
	bpf_object__close(object);
	return ferror(stdout) || fflush(stdout);
}
