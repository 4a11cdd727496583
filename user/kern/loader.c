// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "carry.h"
#include "feature.h"
#include "layout.h"
#include "links.h"
#include "loader.h"
#include "names.h"
#include "pins.h"
#include "sockwarden.skel.h"

#define BTF "/sys/kernel/btf/vmlinux"

static const char *const walk_over[] = {
#define X(id, name, over) [WALK_##id] = #over,
	SW_WALKS(X)
#undef X
};

static struct bpf_program *program_of(const struct sockwarden *skel, const char *name)
{
	return bpf_object__find_program_by_name(skel->obj, name);
}

static struct bpf_map *map_of(const struct sockwarden *skel, enum sw_map map)
{
	return bpf_object__find_map_by_name(skel->obj, pins_map[map]);
}

/* Kernels are built that refuse some iterators, whoever asks (EPERM). Tried with one that does nothing: what else is
 * wrong is left to the loading to say. */
static bool is_allowed(enum walk walk)
{
	static const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K }, /* r0 = 0 */
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, how, .expected_attach_type = BPF_TRACE_ITER);
	int id = libbpf_find_vmlinux_btf_id(walk_over[walk], BPF_TRACE_ITER), fd;

	how.attach_btf_id = id;
	if (id <= 0)
		return false;
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "sw_nothing", "GPL", nothing, 2, &how);
	if (fd < 0)
		return errno != EPERM;
	close(fd);
	return true;
}

static bool has_sock_destroy(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	bool has = btf && btf__find_by_name_kind(btf, "bpf_sock_destroy", BTF_KIND_FUNC) > 0;

	btf__free(btf);
	return has;
}

/* Tried with a program that lets pass, and calls what ours there calls: a locked down kernel has it not. */
static bool has_hook(enum sw_hook hook)
{
	static const struct bpf_insn let_pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_3, .src_reg = BPF_REG_1 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_10 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_1, .imm = -8 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = 8 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_probe_read_kernel },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, how, .expected_attach_type = hook_attach_type(hook));
	int fd = feature_without("unix") ? -1
					 : bpf_prog_load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, "sw_nothing", "GPL", let_pass,
							 sizeof(let_pass) / sizeof(*let_pass), &how);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* libbpf need not know their names. */
static void leave_out_hooks(struct sockwarden *skel)
{
	for (int i = SW_HOOKS_OPTIONAL; i < SW_HOOK_COUNT; i++) {
		struct bpf_program *program = program_of(skel, pins_program[i]);

		bpf_program__set_type(program, BPF_PROG_TYPE_CGROUP_SOCK_ADDR);
		bpf_program__set_expected_attach_type(program, hook_attach_type(i));
		bpf_program__set_autoload(program, has_hook(i));
	}
}

/* Enforcement needs none of the iterators: one that the kernel does not take must not keep the rest out. */
static void leave_out_walks(struct sockwarden *skel)
{
	bool destroys = has_sock_destroy();

	for (int i = 0; i < WALK_COUNT; i++) {
		bool takes = i == WALK_TAKE_TCP || i == WALK_TAKE_UDP;

		bpf_program__set_autoload(program_of(skel, pins_walk[i]), (!takes || destroys) && is_allowed(i));
	}
}

static int reuse_maps(struct sockwarden *skel, const int kept[MAP_COUNT], struct fault *fault)
{
	for (int i = 0; i < MAP_COUNT; i++)
		if (kept[i] >= 0 && bpf_map__reuse_fd(map_of(skel, i), kept[i]))
			return fault_set(fault, errno, "cannot take the map '%s': %s", pins_map[i], strerror(errno));
	return 0;
}

static int use_theirs(struct sockwarden *skel, const struct loader_from *from, struct fault *fault)
{
	int err = reuse_maps(skel, from->kept, fault);

	if (!err && from->socks >= 0 && (is_allowed(WALK_SURVEY) || is_allowed(WALK_STRAYS)))
		err = carry_prepare(skel, from->socks, is_allowed(WALK_SURVEY), fault);
	return err;
}

static int load_all(struct sockwarden *skel, const struct loader_from *from, struct fault *fault)
{
	int err;

	skel->rodata->may_copy =
		libbpf_probe_bpf_helper(BPF_PROG_TYPE_CGROUP_SKB, BPF_FUNC_probe_read_kernel, NULL) == 1;
	leave_out_hooks(skel);
	leave_out_walks(skel);
	carry_nothing(skel);
	err = from ? use_theirs(skel, from, fault) : 0;
	if (err)
		return err;
	err = sockwarden__load(skel);
	return err ? fault_set(fault, -err,
			       "the kernel refuses the BPF programs: %s; Linux 6.1 or later, without a lockdown that "
			       "keeps BPF out, is needed",
			       strerror(-err))
		   : 0;
}

int loader_load(const struct loader_from *from, struct sockwarden **out, struct fault *fault)
{
	int err;

	*out = NULL;
	if (access(BTF, R_OK))
		return fault_set(fault, ENOTSUP,
				 "this kernel has no " BTF ": boot one built with "
				 "CONFIG_DEBUG_INFO_BTF=y");
	*out = sockwarden__open();
	if (!*out)
		return fault_set(fault, errno, "cannot read the BPF object: %s", strerror(errno));
	err = load_all(*out, from, fault);
	if (!err)
		return 0;
	sockwarden__destroy(*out);
	*out = NULL;
	return err;
}

struct btf *loader_btf(enum sw_map map, __u32 *value)
{
	struct sockwarden *skel = sockwarden__open();
	struct btf *btf = NULL;
	const void *raw;
	__u32 size;

	if (!skel)
		return NULL;
	*value = bpf_map__btf_value_type_id(map_of(skel, map));
	raw = btf__raw_data(bpf_object__btf(skel->obj), &size);
	if (raw)
		btf = btf__new(raw, size);
	sockwarden__destroy(skel);
	return btf;
}

void loader_free(struct sockwarden *loaded)
{
	sockwarden__destroy(loaded);
}

int loader_map(const struct sockwarden *loaded, enum sw_map map)
{
	return bpf_map__fd(map_of(loaded, map));
}

static int pin_program(const struct sockwarden *skel, const char *name, struct fault *fault)
{
	const struct bpf_program *program = program_of(skel, name);

	return bpf_program__autoload(program) ? pins_add(bpf_program__fd(program), PINS_LOADING, name, fault) : 0;
}

static int pin_all(const struct sockwarden *skel, struct fault *fault)
{
	int err = layout_pin(PINS_LOADING, fault);

	for (int i = 0; i < MAP_COUNT && !err; i++)
		err = pins_add(loader_map(skel, i), PINS_LOADING, pins_map[i], fault);
	for (int i = 0; i < SW_HOOK_COUNT && !err; i++)
		err = pin_program(skel, pins_program[i], fault);
	for (int i = 0; i < WALK_COUNT && !err; i++)
		err = pin_program(skel, pins_walk[i], fault);
	return err;
}

int loader_pin(const struct sockwarden *loaded, struct fault *fault)
{
	int err;

	pins_remove(PINS_LOADING); /* of someone who was killed here; we have the lock */
	if (mkdir(PINS_LOADING, 0700))
		return fault_set(fault, errno, "cannot make " PINS_LOADING ": %s", strerror(errno));
	err = pin_all(loaded, fault);
	if (err)
		pins_remove(PINS_LOADING);
	return err;
}

/* Counters of these maps have nothing in common with those of any others. */
static int begin_epoch(const struct sockwarden *skel, struct fault *fault)
{
	struct sw_host state = { 0 };
	__u32 zero = 0;

	if (getrandom(&state.epoch, sizeof(state.epoch), 0) != sizeof(state.epoch))
		return fault_set(fault, errno, "cannot draw a random number: %s", strerror(errno));
	if (!bpf_map_update_elem(loader_map(skel, MAP_host), &zero, &state, BPF_ANY))
		return 0;
	return fault_set(fault, errno, "cannot write the map 'host': %s", strerror(errno));
}

int loader_install(struct fault *fault)
{
	struct sockwarden *skel;
	int err = loader_load(NULL, &skel, fault);

	if (!skel)
		return err;
	err = begin_epoch(skel, fault);
	if (!err)
		err = loader_pin(skel, fault);
	if (!err)
		err = pins_rename(PINS_LOADING, PINS_HOST, fault);
	loader_free(skel);
	return err;
}
