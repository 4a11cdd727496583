// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "feature.h"
#include "mem.h"
#include "names.h"
#include "pins.h"
#include "watch.h"
#include "watch.skel.h"

#define WATCHES SW_PINS "/watches"
#define MAKING  SW_PINS "/,watches" /* renamed when it is whole; no tenant's folder is here */

#define ALL (~0U)

static const char *pin_path(char path[256], const char *folder, enum sw_watch watch)
{
	snprintf(path, 256, "%s/%s", folder, watch_name(watch));
	return path;
}

/* One that comes earlier sees the same already. */
static bool is_spare(enum sw_watch watch, __u32 have)
{
	for (int other = 0; other < (int)watch; other++)
		if (have & 1U << other && !strcmp(watch_sees(other), watch_sees(watch)))
			return true;
	return false;
}

static struct bpf_program *program_of(struct watch *skel, enum sw_watch watch)
{
	char name[64];

	snprintf(name, sizeof(name), "sw_%s", watch_name(watch));
	return bpf_object__find_program_by_name(skel->obj, name);
}

/* The host's; but of sockets' storage a new one if `socks` is -1. Theirs alone are made with them. */
static int share_maps(struct watch *skel, const int map[MAP_COUNT], int socks)
{
	for (int i = 0; i < MAP_COUNT; i++) {
		struct bpf_map *ours = bpf_object__find_map_by_name(skel->obj, pins_map[i]);
		int fd = i == MAP_socks ? socks : map[i];

		if (ours && fd >= 0 && bpf_map__reuse_fd(ours, fd))
			return -errno;
	}
	bpf_map__set_autocreate(skel->maps.verdicts, false);
	return 0;
}

/* Loads those of `which`, all or none; NULL when the kernel does not let us. */
static struct watch *load(const int map[MAP_COUNT], int socks, __u32 which)
{
	struct watch *skel = watch__open();

	if (!skel)
		return NULL;
	for (int watch = 0; watch < SW_WATCH_COUNT; watch++)
		bpf_program__set_autoload(program_of(skel, watch), which & 1U << watch);
	if (!share_maps(skel, map, socks) && !watch__load(skel))
		return skel;
	watch__destroy(skel);
	return NULL;
}

/*
 * On a socket of the kind a watch sees: the operation. What comes of it is of no matter. None: it notes nothing on a
 * socket, and is on a tracepoint, which is called when it is attached.
 */
struct trial {
	int family, type;
	void (*operate)(int fd);
};

static void receive(int fd)
{
	char byte;

	(void)!recv(fd, &byte, 1, MSG_DONTWAIT);
}

static void look(int fd)
{
	poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 0);
}

static void ask(int fd)
{
	int bytes;

	ioctl(fd, FIONREAD, &bytes);
}

static void give(int fd)
{
	char byte = 0;

	(void)!send(fd, &byte, 1, MSG_DONTWAIT);
}

static void send_page(int fd)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return;
	if (write(ends[1], "", 1) == 1)
		(void)!splice(ends[0], NULL, fd, NULL, 1, SPLICE_F_NONBLOCK);
	close(ends[0]);
	close(ends[1]);
}

static void stop(int fd)
{
	shutdown(fd, SHUT_RDWR);
}

static const struct trial trials[] = {
	[SW_WATCH_RECEIVE] = { AF_INET, SOCK_DGRAM, receive },
	[SW_WATCH_RECEIVE_ENTRY] = { AF_INET, SOCK_DGRAM, receive },
	[SW_WATCH_RECEIVE_LENGTH] = { AF_INET, SOCK_DGRAM, receive },
	[SW_WATCH_SEND] = { AF_INET, SOCK_DGRAM, give },
	[SW_WATCH_SEND_ENTRY] = { AF_INET, SOCK_DGRAM, give },
	[SW_WATCH_SEND_LENGTH] = { AF_INET, SOCK_DGRAM, give },
	[SW_WATCH_SEND_PAGE] = { AF_INET, SOCK_DGRAM, send_page },
	[SW_WATCH_POLL_TCP] = { AF_INET, SOCK_STREAM, look },
	[SW_WATCH_POLL_UDP] = { AF_INET, SOCK_DGRAM, look },
	[SW_WATCH_IOCTL4] = { AF_INET, SOCK_DGRAM, ask },
	[SW_WATCH_IOCTL6] = { AF_INET6, SOCK_DGRAM, ask },
	[SW_WATCH_SHUTDOWN] = { AF_INET, SOCK_STREAM, stop },
};

/* Attached need not mean called: the kernel may have been booted without the hook. So it has to show that it sees. */
static bool sees(int socks, enum sw_watch watch)
{
	const struct trial *trial = &trials[watch];
	int fd = trial->operate ? socket(trial->family, trial->type | SOCK_CLOEXEC, 0) : -1;
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);
	unsigned char *value;
	bool seen = false;

	if (fd < 0)
		return !trial->operate;
	if (bpf_obj_get_info_by_fd(socks, &info, &len))
		info.value_size = 0;
	value = mem_alloc(2, info.value_size);
	if (!bpf_map_update_elem(socks, &fd, value, BPF_ANY)) {
		trial->operate(fd);
		seen = !bpf_map_lookup_elem(socks, &fd, value) &&
		       memcmp(value, value + info.value_size, info.value_size);
	}
	free(value);
	close(fd);
	return seen;
}

/* Attaches one that is loaded, and pins it below `folder` if there is one. */
static bool attach(struct watch *skel, enum sw_watch watch, const char *folder)
{
	struct bpf_link *link = bpf_program__attach(program_of(skel, watch));
	char path[256];
	bool done;

	if (!link)
		return false;
	done = sees(bpf_map__fd(skel->maps.socks), watch) &&
	       (!folder || !bpf_link__pin(link, pin_path(path, folder, watch)));
	bpf_link__destroy(link); /* the pin keeps it */
	return done;
}

static __u32 attach_each(struct watch *skel, __u32 which, __u32 have, const char *folder)
{
	for (int watch = 0; watch < SW_WATCH_COUNT; watch++)
		if (which & 1U << watch && !is_spare(watch, have) && attach(skel, watch, folder))
			have |= 1U << watch;
	return have;
}

/* Gone since Linux 6.5, where nothing is missing without it. */
static __u32 wanted(void)
{
	bool has_pages = libbpf_find_vmlinux_btf_id("inet_sendpage", BPF_TRACE_FENTRY) > 0;

	return has_pages ? ALL : ALL & ~(1U << SW_WATCH_SEND_PAGE);
}

/* All at once is quicker; where the kernel refuses one it refuses all, and it is one by one. */
static __u32 put_in_place(const int map[MAP_COUNT], int socks, const char *folder)
{
	__u32 which = wanted(), have = 0;
	struct watch *skel = load(map, socks, which);

	if (skel)
		have = attach_each(skel, which, 0, folder);
	for (int watch = 0; watch < SW_WATCH_COUNT && !skel; watch++) {
		struct watch *one =
			is_spare(watch, have) || !(which & 1U << watch) ? NULL : load(map, socks, 1U << watch);

		if (one)
			have = attach_each(one, 1U << watch, have, folder);
		watch__destroy(one);
	}
	watch__destroy(skel);
	return have;
}

void watch_start(const struct host *host)
{
	if (!access(WATCHES, F_OK) || feature_without("watches"))
		return;
	pins_remove(MAKING); /* of someone who was killed here */
	if (mkdir(MAKING, 0700))
		return;
	put_in_place(host->map, host->map[MAP_socks], MAKING);
	rename(MAKING, WATCHES);
}

void watch_stop(void)
{
	pins_remove(WATCHES);
}

static void attach_untried(struct watch *skel, enum sw_watch watch, const char *folder)
{
	struct bpf_link *link = bpf_program__attach(program_of(skel, watch));
	char path[256];

	if (link)
		bpf_link__pin(link, pin_path(path, folder, watch));
	bpf_link__destroy(link);
}

/*
 * Those of both builds see what there is to see, until watch_switch(). So which of ours do is tried on sockets' storage
 * that the others know nothing of.
 */
void watch_prepare(const int map[MAP_COUNT])
{
	struct watch *skel;
	__u32 which;

	pins_remove(MAKING);
	if (access(WATCHES, F_OK) || mkdir(MAKING, 0700))
		return;
	which = watch_probe(map);
	skel = load(map, map[MAP_socks], which);
	for (int watch = 0; watch < SW_WATCH_COUNT && skel; watch++)
		if (which & 1U << watch)
			attach_untried(skel, watch, MAKING);
	watch__destroy(skel);
}

void watch_switch(void)
{
	if (access(MAKING, F_OK))
		return;
	pins_remove(WATCHES);
	rename(MAKING, WATCHES);
}

void watch_discard(void)
{
	if (!access(MAKING, F_OK))
		pins_remove(MAKING);
}

__u32 watch_in_place(void)
{
	__u32 have = 0;
	char path[256];

	for (int watch = 0; watch < SW_WATCH_COUNT; watch++)
		if (!access(pin_path(path, WATCHES, watch), F_OK))
			have |= 1U << watch;
	return have;
}

__u32 watch_probe(const int map[MAP_COUNT])
{
	return feature_without("watches") ? 0 : put_in_place(map, -1, NULL);
}
