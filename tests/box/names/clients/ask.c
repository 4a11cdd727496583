// SPDX-License-Identifier: GPL-2.0-only
/*
 * ask SERVER udp|tcp A|AAAA NAME CONTROL: asks for NAME, whatever is answered, on a socket that stays open until an answer to
 * CONTROL has come, asked behind it; what the server has sent for NAME was there before. Prints `asked`, and waits for the end of its input.
 */
#include <arpa/inet.h>
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define ANSWER_MAX 65535
#define PATIENCE   10 /* seconds */

static const char *server;
static const uint8_t opt[11] = { 0, 0, 41, 4096 >> 8 }; /* takes answers of 4096 bytes over UDP */
static int type;
static uint16_t qtype;

static int open_socket(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(53) };
	struct timeval patience = { .tv_sec = PATIENCE };
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		err(1, "socket");
	if (inet_pton(AF_INET, server, &to.sin_addr) != 1 || connect(fd, (struct sockaddr *)&to, sizeof(to)))
		err(1, "%s", server);
	return fd;
}

/* Into TEXT's question, behind two bytes for TCP's length; how long it is without them. */
static size_t question(uint8_t *into, uint16_t id, const char *text)
{
	const uint8_t head[12] = { id >> 8, id, 0x01, 0, 0, 1, [11] = 1 };
	uint8_t *at = into + 2 + sizeof(head);

	memcpy(into + 2, head, sizeof(head));
	while (*text) {
		size_t label = strcspn(text, ".");

		*at++ = label;
		at = mempcpy(at, text, label);
		text += label + (text[label] == '.');
	}
	at = mempcpy(at, (uint8_t[]){ 0, qtype >> 8, qtype, 0, 1 }, 5);
	at = mempcpy(at, opt, sizeof(opt));
	into[0] = (at - into - 2) >> 8;
	into[1] = at - into - 2;
	return at - into - 2;
}

static void ask(int fd, uint16_t id, const char *name)
{
	uint8_t data[600];
	size_t len;

	if (strlen(name) > 253)
		errx(2, "%s: too long", name);
	len = question(data, id, name);
	if (send(fd, type == SOCK_STREAM ? data : data + 2, type == SOCK_STREAM ? len + 2 : len, 0) < 0)
		err(1, "%s", name);
}

/* One message; its id, or -1 when there comes none. */
static int hear(int fd)
{
	static uint8_t data[ANSWER_MAX];
	ssize_t len = 0;

	if (type == SOCK_DGRAM)
		len = recv(fd, data, sizeof(data), 0);
	else if (recv(fd, data, 2, MSG_WAITALL) == 2)
		len = recv(fd, data, data[0] << 8 | data[1], MSG_WAITALL);
	return len < 2 ? -1 : data[0] << 8 | data[1];
}

static void until_answered(int fd, uint16_t id)
{
	int heard;

	while ((heard = hear(fd)) != id) {
		if (heard < 0)
			errx(1, "no answer to the control question");
	}
}

int main(int argc, char **argv)
{
	int fd, control;

	if (argc != 6)
		errx(2, "usage: ask SERVER udp|tcp A|AAAA NAME CONTROL");
	server = argv[1];
	type = strcmp(argv[2], "tcp") ? SOCK_DGRAM : SOCK_STREAM;
	qtype = strcmp(argv[3], "AAAA") ? 1 : 28;
	fd = open_socket();
	ask(fd, 0x1111, argv[4]);
	/* over TCP the one connection is in order; over UDP another socket, for answers that are no answers stay with the first */
	control = type == SOCK_STREAM ? fd : open_socket();
	ask(control, 0x2222, argv[5]);
	until_answered(control, 0x2222);
	puts("asked");
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;
}
