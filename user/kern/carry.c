// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "carry.h"
#include "fields.h"
#include "sockwarden.skel.h"

void carry_nothing(struct sockwarden *skel)
{
	bpf_program__set_autoload(skel->progs.sw_carry_all, false);
	bpf_program__set_autoload(skel->progs.sw_carry_held, false);
	bpf_map__set_autocreate(skel->maps.before, false);
}

int carry_prepare(struct sockwarden *skel, int socks, bool all, struct fault *fault)
{
	struct fields fields;
	int err = fields_match(socks, MAP_socks, &fields, fault);

	if (!err && fields.of.n > SW_MOVES_MAX)
		err = fault_set(fault, E2BIG, "what is kept on a socket has more than %d fields", SW_MOVES_MAX);
	for (size_t i = 0; i < fields.of.n && !err; i++)
		skel->rodata->moves[i] = fields.of.v[i];
	fields_free(&fields);
	bpf_map__set_autocreate(skel->maps.before, true);
	if (!err && bpf_map__reuse_fd(skel->maps.before, socks))
		err = fault_set(fault, errno, "cannot take the map of sockets: %s", strerror(errno));
	bpf_program__set_autoload(all ? skel->progs.sw_carry_all : skel->progs.sw_carry_held, true);
	return err;
}

static int read_out(int link, struct fault *fault)
{
	int fd = bpf_iter_create(link);
	char none[1];
	ssize_t n;

	if (fd < 0)
		return fault_set(fault, errno, "cannot make an iterator: %s", strerror(errno));
	while ((n = read(fd, none, sizeof(none))) > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN)))
		;
	close(fd);
	return n ? fault_set(fault, errno, "cannot carry over what is kept on sockets: %s", strerror(errno)) : 0;
}

int carry_sockets(const struct sockwarden *skel, int socks, struct fault *fault)
{
	union bpf_iter_link_info info = { .map.map_fd = socks };
	LIBBPF_OPTS(bpf_link_create_opts, options);
	bool all = bpf_program__autoload(skel->progs.sw_carry_all);
	int link, err;

	if (all) {
		options.iter_info = &info;
		options.iter_info_len = sizeof(info);
	} else if (!bpf_program__autoload(skel->progs.sw_carry_held)) {
		return 0;
	}
	link = bpf_link_create(bpf_program__fd(all ? skel->progs.sw_carry_all : skel->progs.sw_carry_held), 0,
			       BPF_TRACE_ITER, &options);
	if (link < 0)
		return fault_set(fault, errno, "cannot attach an iterator: %s", strerror(errno));
	err = read_out(link, fault);
	close(link);
	return err;
}
