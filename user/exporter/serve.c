// SPDX-License-Identifier: GPL-2.0-only
/*
 * The HTTP side. A few threads serve all connections, so that many scrapers at once cost the memory of a few; each
 * request asks the daemon anew, and has a connection of its own. What they share does not change, but for `down` and
 * the connections.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <microhttpd.h>

#include "client.h"
#include "exporter.h"
#include "mem.h"
#include "places.h"
#include "say.h"

#define THREADS           4U /* a daemon that hangs holds up one of them for a while, and health is answered by another */
#define THREAD_MOST       (2 * PLACES) /* connections: never reached, for those that were shut are closed soon */
#define CONNECTION_MEMORY 16384

struct server {
	const struct exporter *exporter;
	struct places places;
	pthread_mutex_t lock; /* of `down` */
	struct fault down;    /* why the daemon did not answer last; empty: it did */
};

/* An answer to one request. */
struct reply {
	unsigned status;
	const char *type;
	char *text; /* to be freed */
	size_t len;
};

static struct reply say(unsigned status, const char *type, char *text)
{
	return (struct reply){ status, type, text, strlen(text) };
}

#define PLAIN                "text/plain; charset=utf-8"
#define say_plain(code, ...) say(code, PLAIN, mem_printf(__VA_ARGS__))

/* Says once that the daemon went, and once that it came back. */
static void note(struct server *server, const struct fault *down)
{
	pthread_mutex_lock(&server->lock);
	if (strcmp(server->down.text, down->text)) {
		warn("%s", *down->text ? down->text : "the daemon answers");
		server->down = *down;
	}
	pthread_mutex_unlock(&server->lock);
}

#define TEXT        "text/plain; version=0.0.4; charset=utf-8"
#define OPENMETRICS "application/openmetrics-text"

/* A scraper that can read OpenMetrics names it, and wants it before the text. */
static bool wants_openmetrics(struct MHD_Connection *connection)
{
	const char *accept = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);

	return accept && strcasestr(accept, OPENMETRICS);
}

/* The metrics as text, or the reason why there is none. */
static struct reply reply_metrics(struct server *server, struct MHD_Connection *connection)
{
	bool open = wants_openmetrics(connection);
	struct reply reply = { MHD_HTTP_OK, open ? OPENMETRICS "; version=1.0.0; charset=utf-8" : TEXT };
	struct fault fault, down;
	FILE *out = open_memstream(&reply.text, &reply.len);
	int err;

	if (!out)
		abort();
	err = exporter_scrape(server->exporter, open ? METRICS_OPENMETRICS : METRICS_TEXT, out, &down, &fault);
	if (fclose(out))
		abort();
	note(server, &down);
	if (!err)
		return reply;
	free(reply.text);
	warn("%s", fault.text);
	return say_plain(MHD_HTTP_INTERNAL_SERVER_ERROR, "%s\n", fault.text);
}

static struct reply reply_ready(struct server *server)
{
	struct snapshot snapshot;
	struct fault down = { 0 };
	int err = snapshot_ask(server->exporter->socket, &snapshot, &down);

	if (!err)
		snapshot_free(&snapshot);
	note(server, &down);
	return err ? say_plain(MHD_HTTP_SERVICE_UNAVAILABLE, "%s\n", down.text)
		   : say_plain(MHD_HTTP_OK, "the daemon answers\n");
}

static struct reply reply_index(const struct server *server)
{
	return say(MHD_HTTP_OK, "text/html; charset=utf-8",
		   mem_printf("<!DOCTYPE html>\n<html lang=\"en\"><title>sockwarden exporter</title>\n"
			      "<h1>sockwarden exporter " SW_VERSION "</h1>\n<p><a href=\"%s\">Metrics</a></html>\n",
			      server->exporter->path));
}

static struct reply reply_to(struct server *server, struct MHD_Connection *connection, const char *url,
			     const char *method)
{
	if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD))
		return say_plain(MHD_HTTP_METHOD_NOT_ALLOWED, "GET and HEAD only\n");
	if (!strcmp(url, server->exporter->path))
		return reply_metrics(server, connection);
	if (!strcmp(url, "/"))
		return reply_index(server);
	if (!strcmp(url, "/-/healthy"))
		return say_plain(MHD_HTTP_OK, "running\n");
	if (!strcmp(url, "/-/ready"))
		return reply_ready(server);
	return say_plain(MHD_HTTP_NOT_FOUND, "not here: see %s\n", server->exporter->path);
}

/* Called for each connection, when it came and when it is to be closed. */
static void on_connection(void *data, struct MHD_Connection *connection, void **place,
			  enum MHD_ConnectionNotificationCode what)
{
	struct server *server = data;
	const union MHD_ConnectionInfo *fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD),
				       *from = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		*place = place_take(&server->places, fd->connect_fd, from ? from->client_addr : NULL);
	else
		place_leave(&server->places, *place);
}

static struct reply held_reply(struct server *server, struct MHD_Connection *connection, const char *url,
			       const char *method)
{
	struct place *place = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
	struct reply reply;

	place_hold(&server->places, place);
	reply = reply_to(server, connection, url, method);
	place_let(&server->places, place);
	return reply;
}

/* Called first with the head, then with each part of a body, if there is one, then once more. */
static enum MHD_Result handle(void *data, struct MHD_Connection *connection, const char *url, const char *method,
			      const char *version, const char *body, size_t *body_len, void **state)
{
	struct MHD_Response *response;
	enum MHD_Result result;
	struct reply reply;

	(void)version;
	(void)body;
	if (!*state) {
		*state = data;
		return MHD_YES;
	}
	if (*body_len) {
		*body_len = 0;
		return MHD_YES;
	}
	reply = held_reply(data, connection, url, method);
	response = MHD_create_response_from_buffer(reply.len, reply.text, MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(reply.text);
		return MHD_NO;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply.type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close"); /* its place is another's */
	MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT);
	if (reply.status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	result = MHD_queue_response(connection, reply.status, response);
	MHD_destroy_response(response);
	return result;
}

static struct MHD_Daemon *start(struct server *server, int fd)
{
	return MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, handle, server, MHD_OPTION_LISTEN_SOCKET,
				fd, MHD_OPTION_CONNECTION_LIMIT, THREADS * THREAD_MOST, MHD_OPTION_NOTIFY_CONNECTION,
				on_connection, server, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
				MHD_OPTION_THREAD_POOL_SIZE, THREADS, MHD_OPTION_END);
}

int serve(const struct exporter *exporter, int fd, struct fault *fault)
{
	struct server server = { .exporter = exporter, .places = PLACES_NONE, .lock = PTHREAD_MUTEX_INITIALIZER };
	const struct timespec second = { .tv_sec = 1 };
	struct MHD_Daemon *http;
	sigset_t ends;

	/* Before there are threads, so that the signals wait for this one. */
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	sigaction(SIGPIPE, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL);
	http = start(&server, fd);
	if (!http) {
		close(fd);
		return fault_set(fault, EIO, "the HTTP server does not start: look for a limit on files or threads");
	}
	while (sigtimedwait(&ends, NULL, &second) < 0)
		places_expire(&server.places);
	MHD_stop_daemon(http);
	return 0;
}
