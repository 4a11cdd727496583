// SPDX-License-Identifier: GPL-2.0-only
/*
 * The set `resolvers` is read with each policy. When the host's resolv.conf names other servers, because it was
 * written, replaced, or a link to it was turned, the policies are read anew. inotify says when to look; and so does
 * every tick, for what inotify does not see, such as a link to a folder on the way.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "daemon.h"
#include "resolv.h"
#include "say.h"

#define LINKS_MAX 16
#define IN_FOLDER (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE | IN_ONLYDIR)

/* The folder, or the nearest above it that there is. */
static void watch_folder(int watches, const char *path)
{
	char above[PATH_MAX], *slash;

	snprintf(above, sizeof(above), "%s", path);
	while ((slash = strrchr(above, '/'))) {
		*slash = '\0';
		if (inotify_add_watch(watches, *above ? above : "/", IN_FOLDER) >= 0)
			return;
	}
}

/* What a link says, seen from the folder it is in. */
static void follow(char path[PATH_MAX], const char *link)
{
	size_t room = PATH_MAX, folder = strrchr(path, '/') + 1 - path;

	if (*link == '/')
		folder = 0;
	snprintf(path + folder, room - folder, "%s", link);
}

/* The folder of the file, and of each link on the way to it. */
static void watch_all(int watches)
{
	char path[PATH_MAX] = RESOLV_CONF, link[PATH_MAX];

	for (int i = 0; i < LINKS_MAX; i++) {
		ssize_t len = readlink(path, link, sizeof(link) - 1);

		watch_folder(watches, path);
		if (len < 0)
			break;
		link[len] = '\0';
		follow(path, link);
	}
	inotify_add_watch(watches, path, IN_CLOSE_WRITE); /* it may be mounted there, from another folder */
}

static void tell(const struct prefixes *resolvers)
{
	char *text = mem_strdup(resolvers->n ? "" : " none"), *longer, addr[SW_PREFIX_TEXT];

	for (size_t i = 0; i < resolvers->n; i++) {
		longer = mem_printf("%s%s %s", text, i ? "," : "", prefix_format(&resolvers->v[i], addr));
		free(text);
		text = longer;
	}
	warn("the host's name servers have changed to%s: reading the policies anew", text);
	free(text);
}

/* The policies in force are the ones that know these, or were told of a mistake in one. */
static void note(struct daemon *daemon, __u64 hash)
{
	struct fault fault;
	int err = host_lock(&daemon->host, HOST_PATIENCE, &fault);

	if (!err)
		err = host_set_resolvers(&daemon->host, hash, &fault);
	host_unlock(&daemon->host);
	if (err)
		warn("%s", fault.text);
}

void resolvers_check(struct daemon *daemon)
{
	struct prefixes now = { 0 };
	struct fault fault;
	__u64 known = 0;

	watch_all(daemon->resolvers.fd);
	if (!daemon->reload && !resolv_read(&now) && !host_resolvers(&daemon->host, &known, &fault) && known &&
	    known != resolv_hash(&now)) { /* what cannot be read now may be later */
		tell(&now);
		daemon_reload(daemon);
	}
	prefixes_free(&now);
}

/* 0: they cannot be read. */
__u64 resolvers_hash(void)
{
	struct prefixes now = { 0 };
	__u64 hash = resolv_read(&now) ? 0 : resolv_hash(&now);

	prefixes_free(&now);
	return hash;
}

void resolvers_reloaded(struct daemon *daemon, __u64 hash, int err)
{
	struct fault fault;
	__u64 known = 0;

	if ((!err || err == -EINVAL) && hash && !host_resolvers(&daemon->host, &known, &fault) && known &&
	    known != hash)
		note(daemon, hash); /* a mistake does not mend itself; of all else the next look tries again */
}

static int on_change(struct daemon *daemon, struct source *source, struct fault *fault)
{
	char events[4096];

	(void)fault;
	while (read(source->fd, events, sizeof(events)) > 0)
		;
	resolvers_check(daemon);
	return 0;
}

int resolvers_open(struct daemon *daemon, struct fault *fault)
{
	daemon->resolvers = (struct source){ inotify_init1(IN_CLOEXEC | IN_NONBLOCK), on_change };
	if (daemon->resolvers.fd < 0)
		return fault_set(fault, errno, "cannot watch " RESOLV_CONF ": %s", strerror(errno));
	resolvers_check(daemon); /* they may have changed while there was no daemon */
	return daemon_watch(daemon, &daemon->resolvers, EPOLLIN, fault);
}

void resolvers_close(struct daemon *daemon)
{
	if (daemon->resolvers.fd >= 0)
		close(daemon->resolvers.fd);
}
