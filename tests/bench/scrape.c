// SPDX-License-Identifier: GPL-2.0-only
/* A scrape by HTTP, and what it is compared with: a process that sends as many bytes, and does nothing else. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fd.h"
#include "tenants.h"

enum { PORT_ALL = 7101, PORT_TOP, PORT_BARE };

static struct process exporter_start(const char *tenants, int port)
{
	char path[SW_PATH_MAX], address[32];

	snprintf(path, sizeof(path), "%s-exporter", program());
	snprintf(address, sizeof(address), NEAR4 ":%d", port);
	return process_start((const char *[]){ path, "--tenants", tenants, "--socket", SOCKET, "--web.listen-address",
					       address, NULL });
}

/* The whole answer; free() it. */
static char *get(int port, size_t *len)
{
	static const char request[] = "GET /metrics HTTP/1.0\r\n\r\n";
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	char *text;
	int fd;

	inet_pton(AF_INET, NEAR4, &to.sin_addr);
	fd = connect_to(&to, sizeof(to));
	if (write(fd, request, strlen(request)) != (ssize_t)strlen(request))
		die("a request: %s", strerror(errno));
	text = fd_read(fd, FD_READ_MAX, len);
	if (!text || !strstr(text, "sockwarden_up 1"))
		die("a scrape failed");
	close(fd);
	return text;
}

static void answer(int fd, const char *text, size_t len)
{
	char request[256];
	ssize_t sent = read(fd, request, sizeof(request));

	while (sent > 0 && len) {
		sent = write(fd, text, len);
		text += sent;
		len -= sent;
	}
	close(fd);
}

static struct process bare_start(const char *text, size_t len)
{
	int fd = listening(NEAR4, PORT_BARE);
	struct process process = process_fork();

	while (!process.pid)
		answer(accept(fd, NULL, NULL), text, len);
	close(fd);
	return process;
}

struct scrapes {
	double wall[TIMES], asked[TIMES], daemon[TIMES]; /* ms; the last two of processor time */
};

static void scrape(struct scrapes *scrapes, int i, int port, const struct process *asked, const struct process *daemon)
{
	double begin = now_ns(), asked_cpu = process_cpu(asked), daemon_cpu = process_cpu(daemon);
	size_t len;

	free(get(port, &len));
	scrapes->wall[i] = (now_ns() - begin) / 1e6;
	scrapes->asked[i] = process_cpu(asked) - asked_cpu;
	scrapes->daemon[i] = process_cpu(daemon) - daemon_cpu;
}

static void print_scrape(const char *tenants, size_t len, const struct scrapes *ours, const struct scrapes *bare)
{
	struct quartiles wall = quartiles(ours->wall, TIMES);
	double both[TIMES];

	for (int i = 0; i < TIMES; i++)
		both[i] = ours->daemon[i] + ours->asked[i];
	cell("%s", tenants);
	cell("%.2f", len / 1e6);
	cell("%.0f", wall.median);
	cell("%.0f-%.0f", wall.low, wall.high);
	cell("%.0f", quartiles(ours->daemon, TIMES).median);
	cell("%.0f", quartiles(ours->asked, TIMES).median);
	cell("%.1f %%", quartiles(both, TIMES).median / INTERVAL / 10);
	cell("%.2f", quartiles(bare->asked, TIMES).median);
	cell("%.0f", ratios(both, bare->asked, TIMES).median);
}

static void scrapes_of(const char *tenants, int port, const struct process *daemon, double *peak)
{
	static struct scrapes ours, bare;
	struct process exporter = exporter_start(tenants, port), sender;
	size_t len;
	char *text = get(port, &len);

	sender = bare_start(text, len);
	for (int i = 0; i < TIMES; i++) {
		scrape(&ours, i, port, &exporter, daemon);
		scrape(&bare, i, PORT_BARE, &sender, daemon);
	}
	print_scrape(tenants, len, &ours, &bare);
	*peak = process_peak(&exporter);
	process_end(&exporter);
	process_kill(&sender);
	free(text);
}

double print_scrapes(const struct process *daemon)
{
	static const char *const heading[] = {
		"--tenants",     "MB",          "wall ms",    "quartiles", "daemon's CPU ms", "exporter's CPU ms",
		"both of a CPU", "bare CPU ms", "scrape/bare"
	};
	double all, top;

	for (int i = 0; i < 9; i++)
		cell("%s", heading[i]);
	scrapes_of("all", PORT_ALL, daemon, &all);
	scrapes_of("top:100", PORT_TOP, daemon, &top);
	table_print("A scrape of 10,000 tenants, one each 10 s; 11 rounds", 9);
	return all;
}
