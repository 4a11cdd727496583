// SPDX-License-Identifier: GPL-2.0-only
#include <err.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "zone.h"

#define STACK (1 << 20) /* bytes; a reply and its stream are a quarter of it */

const char *other_address[2] = { "8.8.4.4", "2001:4860:4860::8844" };

ssize_t must(const char *what, ssize_t ret)
{
	if (ret < 0)
		err(1, "%s", what);
	return ret;
}

/* Of every address of both families. */
int listen_on(int type, uint16_t port)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int one = 1, fd = must("socket", socket(AF_INET6, type | SOCK_CLOEXEC, 0));

	must("SO_REUSEADDR", setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	must("bind", bind(fd, (struct sockaddr *)&any, sizeof(any)));
	return fd;
}

void start_thread(void *(*run)(void *), void *with)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attr, run, with))
		errx(1, "no thread can be made");
}

static void usage(void)
{
	errx(2, "usage: zone forms | [-p PORT] [-o OTHER-ADDRESS]... [-H HOSTS-FILE] NAMES-FILE");
}

int main(int argc, char **argv)
{
	const char *hosts = NULL;
	uint16_t port = 53;
	int c;

	if (argc == 2 && !strcmp(argv[1], "forms")) {
		hostile_list(stdout);
		return 0;
	}
	while ((c = getopt(argc, argv, "p:o:H:")) != -1) {
		if (c == 'p')
			port = strtoul(optarg, NULL, 10);
		else if (c == 'o')
			other_address[!!strchr(optarg, ':')] = optarg;
		else if (c == 'H')
			hosts = optarg;
		else
			usage();
	}
	if (optind != argc - 1)
		usage();
	names_read(argv[optind]);
	if (hosts)
		hosts_read(hosts);
	udp_serve(port);
	tcp_serve(port);
	return 1;
}
