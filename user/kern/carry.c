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

int carry_prepare(struct sockwarden *skel, int socks, struct fault *fault)
{
	struct fields fields;
	int err = fields_match(socks, MAP_socks, &fields, fault);

	if (!err && fields.of.n > SW_MOVES_MAX)
		err = fault_set(fault, E2BIG, "what is kept on a socket has more than %d fields", SW_MOVES_MAX);
	for (size_t i = 0; i < fields.of.n && !err; i++)
		skel->rodata->moves[i] = fields.of.v[i];
	bpf_program__set_autoload(skel->progs.sw_carry, !err);
	fields_free(&fields);
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
	LIBBPF_OPTS(bpf_link_create_opts, options, .iter_info = &info, .iter_info_len = sizeof(info));
	int link, err;

	if (!bpf_program__autoload(skel->progs.sw_carry))
		return 0;
	link = bpf_link_create(bpf_program__fd(skel->progs.sw_carry), 0, BPF_TRACE_ITER, &options);
	if (link < 0)
		return fault_set(fault, errno, "cannot attach an iterator: %s", strerror(errno));
	err = read_out(link, fault);
	close(link);
	return err;
}
