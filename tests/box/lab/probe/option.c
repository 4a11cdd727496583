// SPDX-License-Identifier: GPL-2.0-only
/* Socket options, by name, with buffers of any length. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe.h"
#include "sockopt.h"

#define ROOM  16384 /* of a buffer: several pages */
#define GUARD 0xaa  /* what fills a buffer before the call: bytes the kernel did not write */

struct option {
	int level, number;
	socklen_t len; /* of its value, when the step does not say */
};

static bool find_option(const char *name, struct option *option)
{
	if (!sockopt_parse(name, &option->level, &option->number))
		return false;
	option->len = option->level == SOL_SOCKET && option->number == SO_LINGER ? sizeof(struct linger) : sizeof(int);
	return true;
}

/* An int as a number, anything else as x and its bytes. */
static void show_value(struct probe *probe, const unsigned char *value, socklen_t len)
{
	char *to = probe->text;
	int number;

	if (len == sizeof(number)) {
		memcpy(&number, value, sizeof(number));
		sprintf(to, "%d", number);
		return;
	}
	*to++ = 'x';
	for (socklen_t i = 0; i < len && i < 64; i++)
		to += sprintf(to, "%02x", value[i]);
	*to = '\0';
}

static bool untouched(const unsigned char *buf, size_t from, size_t to)
{
	while (from < to)
		if (buf[from++] != GUARD)
			return false;
	return true;
}

static int step_get(struct probe *probe, int words, char **word)
{
	unsigned char buf[ROOM];
	struct option option;
	socklen_t len;

	if (!find_option(word[1], &option))
		return -EINVAL;
	len = words > 2 ? (socklen_t)atoi(word[2]) : option.len;
	if (len > sizeof(buf))
		return -EMSGSIZE;
	memset(buf, GUARD, sizeof(buf));
	if (getsockopt(probe_fd(probe), option.level, option.number, buf, &len))
		return -errno;
	show_value(probe, buf, len);
	if (!untouched(buf, len, sizeof(buf)))
		snprintf(probe->text, sizeof(probe->text), "overrun");
	return 0;
}

static int step_set(struct probe *probe, int words, char **word)
{
	int value = atoi(word[2]), err;
	struct option option;
	size_t len, room;
	char *buf;

	if (!find_option(word[1], &option))
		return -EINVAL;
	len = words > 3 ? (size_t)atoi(word[3]) : option.len;
	room = len > sizeof(struct linger) ? len : sizeof(struct linger);
	buf = calloc(1, room);
	memcpy(buf, &value, sizeof(value));
	if (option.len == sizeof(struct linger))
		memcpy(buf + sizeof(value), &value, sizeof(value));
	err = outcome(setsockopt(probe_fd(probe), option.level, option.number, buf, len));
	free(buf);
	return err;
}

const struct step option_steps[] = {
	{ "get", "OPTION [LENGTH]    of the buffer", 1, 2, step_get },
	{ "set", "OPTION NUMBER [LENGTH]", 2, 3, step_set },
	{ 0 },
};
