// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probe.h"

static const struct step *const tables[] = { socket_steps, peer_steps,    cmsg_steps,
					     option_steps, process_steps, uring_steps };

#define TABLES (sizeof(tables) / sizeof(*tables))

int outcome(long ret)
{
	return ret < 0 ? -errno : 0;
}

int peer_parse(const char *addr, const char *port, struct peer *peer)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_DGRAM };
	struct addrinfo *found;

	if (getaddrinfo(addr, port, &hints, &found))
		return -EINVAL;
	memcpy(&peer->storage, found->ai_addr, found->ai_addrlen);
	peer->len = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

int probe_fd(const struct probe *probe)
{
	return probe->sockets ? probe->fd[probe->current] : -1;
}

int probe_add(struct probe *probe, int fd)
{
	if (fd < 0)
		return -1;
	if (probe->sockets == PROBE_SOCKETS) {
		errno = EMFILE;
		return -1;
	}
	probe->current = probe->sockets;
	probe->fd[probe->sockets++] = fd;
	return fd;
}

int probe_wait(int fd, short events, int ms)
{
	struct pollfd poll_for = { .fd = fd, .events = events };
	int ready = poll(&poll_for, 1, ms);

	return ready < 0 ? -errno : ready ? 0 : -ETIMEDOUT;
}

static const struct step *find_step(const char *name)
{
	for (size_t i = 0; i < TABLES; i++)
		for (const struct step *step = tables[i]; step->name; step++)
			if (!strcmp(step->name, name))
				return step;
	return NULL;
}

void probe_step(struct probe *probe, int words, char **word, char *answer, size_t size)
{
	const struct step *step = words ? find_step(word[0]) : NULL;
	int err;

	*probe->text = '\0';
	if (!step || words - 1 < step->min || words - 1 > step->max) {
		snprintf(answer, size, "no-such-step");
		return;
	}
	err = step->run(probe, words, word);
	snprintf(answer, size, "%s", err ? strerrorname_np(-err) : *probe->text ? probe->text : "ok");
}

static void run_line(struct probe *probe, char *line)
{
	char *word[PROBE_WORDS], answer[256];
	int words = 0;

	for (char *w = strtok(line, " \n"); w && words < PROBE_WORDS; w = strtok(NULL, " \n"))
		word[words++] = w;
	probe_step(probe, words, word, answer, sizeof(answer));
	fputs(answer, stdout);
}

static int run_lines(struct probe *probe)
{
	static char line[4096];

	while (fgets(line, sizeof(line), stdin) && strcmp(line, "quit\n")) {
		run_line(probe, line);
		putchar('\n');
		fflush(stdout);
	}
	return 0;
}

static int help(void)
{
	puts("usage: probe STEP...    each STEP one argument; prints their answers on one line\n"
	     "       probe            the same with a STEP a line on standard input, an answer a line, up to `quit`\n");
	for (size_t i = 0; i < TABLES; i++)
		for (const struct step *step = tables[i]; step->name; step++)
			printf("  %s %s\n", step->name, step->args);
	return 0;
}

int main(int argc, char **argv)
{
	struct probe probe = { 0 };

	if (argc == 1)
		return run_lines(&probe);
	if (!strcmp(argv[1], "--help"))
		return help();
	for (int i = 1; i < argc; i++) {
		run_line(&probe, argv[i]);
		putchar(i + 1 < argc ? ' ' : '\n');
	}
	return 0;
}
