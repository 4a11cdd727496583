// SPDX-License-Identifier: GPL-2.0-only
/*
 * The socket: a client sends a line and gets an answer.
 *
 *   snapshot    snapshot_write()'s bytes, and the end of the connection
 *   log         a struct event_head, the events that are kept, each a struct event, and the end of the connection
 *   follow      the same, but then every event from now on, and no end
 *   reload      from root only: reads the policies anew; lines for people, then one with the exit status of whoever
 *               asked, 0 or 1, and the end of the connection
 *
 * Anything else, and what cannot be answered now, gets the end of the connection at once.
 *
 * Nobody holds up the daemon: a client that does not read is closed, and loses what it did not read.
 */
#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "daemon.h"
#include "file.h"
#include "load.h"
#include "named.h"
#include "reports.h"
#include "say.h"

#define PATIENCE 30000         /* ms a client has to ask, and to read an answer */
#define BACKLOG  (1024 * 1024) /* bytes of events to come that wait for one that follows */

static void client_close(struct client *client)
{
	if (client->source.fd >= 0)
		close(client->source.fd);
	free(client->answer);
	*client = (struct client){ .source.fd = -1 };
}

/* Nobody is there to read. One that only has nothing more to ask, and shut down its half, still is. */
static bool is_gone(const struct client *client)
{
	struct pollfd pollfd = { .fd = client->source.fd };

	return poll(&pollfd, 1, 0) > 0 && pollfd.revents & (POLLERR | POLLHUP);
}

/* There is nothing to send, but there will be. */
static bool waits(const struct client *client)
{
	return client->follows || client->reload;
}

/*
 * Writes what it takes now; the rest when it is ready again. From the question on nothing is read any more: the end of
 * what it has to say would be readable for ever.
 */
static void client_send(struct daemon *daemon, struct client *client)
{
	struct fault fault;
	ssize_t n = 1;

	while (n > 0 && client->sent < client->len) {
		n = send(client->source.fd, client->answer + client->sent, client->len - client->sent, MSG_NOSIGNAL);
		if (n > 0) {
			client->sent += n;
			client->since = clock_ms(CLOCK_BOOTTIME);
		}
	}
	if ((n < 0 && errno != EAGAIN) || (client->sent == client->len && !waits(client)) || is_gone(client)) {
		client_close(client);
		return;
	}
	if (client->sent == client->len)
		client->len = client->sent = 0;
	if (daemon_watch(daemon, &client->source, client->len ? EPOLLOUT : 0, &fault))
		client_close(client);
}

static int answer_snapshot(struct daemon *daemon, struct client *client)
{
	struct snapshot snapshot = { .daemon = daemon->state };
	struct fault fault;
	FILE *out;
	int err;

	standings_hear(daemon->standings);
	err = reports_read(&daemon->host, daemon->standings, &snapshot.reports, &fault);
	snapshot.daemon.waiting = slots_count(&daemon->host, SLOTS(ENDED));
	snapshot.daemon.published = 1000 * set_published(policy_path(), "google");
	snapshot.daemon.reaper = *daemon->reaping;
	if (err)
		warn("%s", fault.text);
	out = err ? NULL : open_memstream(&client->answer, &client->len);
	if (out) {
		snapshot_write(&snapshot, out);
		fclose(out);
	}
	reports_free(&snapshot.reports);
	return err;
}

static int followers(const struct daemon *daemon)
{
	int n = 0;

	for (int i = 0; i < CLIENTS_MAX; i++)
		n += daemon->clients[i].follows;
	return n;
}

/* Whoever follows no ring that the daemon reads would wait for ever. */
static int answer_log(struct daemon *daemon, struct client *client)
{
	bool follows = !strcmp(client->request, "follow");

	if (follows && (!daemon->events || followers(daemon) >= CLIENTS_MAX / 2))
		return -EBUSY;
	client->answer = recent_copy(&daemon->recent, follows ? BACKLOG : 0, &client->len);
	client->room = client->len + (follows ? BACKLOG : 0);
	client->follows = follows;
	return 0;
}

static bool is_root(const struct client *client)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return !getsockopt(client->source.fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) && !peer.uid;
}

static void answer_reloaded(struct client *client, const char *text, bool failed)
{
	FILE *out = open_memstream(&client->answer, &client->len);

	if (!out)
		abort();
	fprintf(out, "%s%d\n", text, failed ? EXIT_FAILED : EXIT_OK);
	fclose(out);
	client->reload = RELOAD_NONE;
}

static int answer_reload(struct daemon *daemon, struct client *client)
{
	if (!is_root(client)) {
		answer_reloaded(client, "sockwarden: only root may have the policies read anew\n", true);
		return 0;
	}
	client->reload = RELOAD_ASKED;
	daemon_reload(daemon);
	return 0;
}

void server_reloads(struct daemon *daemon)
{
	for (int i = 0; i < CLIENTS_MAX; i++)
		if (daemon->clients[i].reload == RELOAD_ASKED)
			daemon->clients[i].reload = RELOAD_UNDER_WAY;
}

void server_reloaded(struct daemon *daemon, const char *text, bool failed)
{
	for (int i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &daemon->clients[i];

		if (client->reload != RELOAD_UNDER_WAY)
			continue;
		answer_reloaded(client, text, failed);
		client_send(daemon, client);
	}
}

static const struct question {
	const char *text;
	int (*answer)(struct daemon *daemon, struct client *client);
} questions[] = {
	{ "snapshot", answer_snapshot },
	{ "log", answer_log },
	{ "follow", answer_log },
	{ "reload", answer_reload },
};

static void client_answer(struct daemon *daemon, struct client *client)
{
	for (size_t i = 0; i < sizeof(questions) / sizeof(*questions); i++) {
		if (strcmp(client->request, questions[i].text))
			continue;
		if (!questions[i].answer(daemon, client)) {
			client_send(daemon, client);
			return;
		}
	}
	client_close(client);
}

static int on_client(struct daemon *daemon, struct source *source, struct fault *fault)
{
	struct client *client = (struct client *)source;
	char *end;
	ssize_t n;

	(void)fault;
	if (client->answer || client->reload) {
		client_send(daemon, client);
		return 0;
	}
	n = recv(source->fd, client->request + client->asked, sizeof(client->request) - 1 - client->asked, 0);
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n <= 0) { /* gone, or too long */
		client_close(client);
		return 0;
	}
	client->asked += n;
	end = memchr(client->request, '\n', client->asked);
	if (end) {
		*end = '\0';
		client_answer(daemon, client);
	}
	return 0;
}

static struct client *free_client(struct daemon *daemon)
{
	for (int i = 0; i < CLIENTS_MAX; i++)
		if (daemon->clients[i].source.fd < 0)
			return &daemon->clients[i];
	return NULL;
}

/* When there is no room: who has said nothing for longest makes some. NULL when all have asked. */
static struct client *most_silent(struct daemon *daemon)
{
	struct client *most = NULL;

	for (int i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &daemon->clients[i];

		if (!client->answer && !client->follows && client->reload == RELOAD_NONE &&
		    (!most || client->since < most->since))
			most = client;
	}
	return most;
}

static int on_listener(struct daemon *daemon, struct source *source, struct fault *fault)
{
	int fd = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *client = free_client(daemon);

	if (fd < 0) /* for want of descriptors or memory: whoever waits would wake us for ever */
		return daemon_watch(daemon, source, errno == EAGAIN ? EPOLLIN : 0, fault);
	if (!client) {
		server_expire(daemon);
		client = most_silent(daemon);
		if (client)
			client_close(client);
	}
	if (!client) {
		close(fd);
		return 0;
	}
	*client = (struct client){ .source = { fd, on_client }, .since = clock_ms(CLOCK_BOOTTIME) };
	if (daemon_watch(daemon, &client->source, EPOLLIN, fault))
		client_close(client);
	return 0;
}

void server_event(struct daemon *daemon, const struct event *event)
{
	for (int i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &daemon->clients[i];

		if (client->source.fd < 0 || !client->follows || client->len + sizeof(*event) > client->room)
			continue;
		memcpy(client->answer + client->len, event, sizeof(*event));
		client->len += sizeof(*event);
		client_send(daemon, client);
	}
}

void server_expire(struct daemon *daemon)
{
	__s64 now = clock_ms(CLOCK_BOOTTIME);

	for (int i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &daemon->clients[i];
		bool idle = waits(client) && !client->len;

		if (client->source.fd >= 0 && !idle && now - client->since > PATIENCE)
			client_close(client);
	}
}

int server_listen(struct daemon *daemon, struct fault *fault)
{
	return daemon_watch(daemon, &daemon->listener, EPOLLIN, fault);
}

static int give_to_group(const char *path, const char *name, struct fault *fault)
{
	struct group *group = name ? getgrnam(name) : NULL;

	if (name && !group)
		return fault_set(fault, EINVAL, "there is no group '%s': make it with groupadd, or leave --group out",
				 name);
	if (chmod(path, 0660) || (group && chown(path, -1, group->gr_gid)))
		return fault_set(fault, errno, "cannot give %s to group %s: %s", path, name ? name : "root",
				 strerror(errno));
	return 0;
}

/* Whether somebody, of whatever kind, has the other end of the path. */
static bool is_alive(const struct sockaddr_un *at)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool dead = connect(fd, (const struct sockaddr *)at, sizeof(*at)) && (errno == ECONNREFUSED || errno == ENOENT);

	if (fd >= 0)
		close(fd);
	return !dead;
}

int server_open(struct daemon *daemon, struct fault *fault)
{
	const char *path = daemon->options.socket;
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct stat st;
	mode_t mask;
	int err;

	if (strlen(path) >= sizeof(at.sun_path))
		return fault_set(fault, EINVAL, "%s is too long for a socket: it may have %zu bytes", path,
				 sizeof(at.sun_path) - 1);
	strcpy(at.sun_path, path);
	file_make_folder(path); /* if it is ours to make */
	if (!lstat(path, &st) && !S_ISSOCK(st.st_mode))
		return fault_set(fault, EINVAL, "%s is there and no socket: give another path with --socket", path);
	if (is_alive(&at))
		return fault_set(fault, EBUSY,
				 "another program answers at %s: end it, or give another path with --socket", path);
	unlink(path); /* of a daemon that was killed */
	daemon->listener =
		(struct source){ socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on_listener };
	mask = umask(0177);
	err = daemon->listener.fd < 0 || bind(daemon->listener.fd, (struct sockaddr *)&at, sizeof(at)) ||
	      listen(daemon->listener.fd, CLIENTS_MAX);
	umask(mask);
	if (err)
		return fault_set(fault, errno, "cannot listen on %s: %s", path, strerror(errno));
	err = give_to_group(path, daemon->options.group, fault);
	return err ? err : server_listen(daemon, fault);
}

void server_close(struct daemon *daemon)
{
	for (int i = 0; i < CLIENTS_MAX; i++)
		client_close(&daemon->clients[i]);
	if (daemon->listener.fd < 0)
		return;
	close(daemon->listener.fd);
	unlink(daemon->options.socket);
}
