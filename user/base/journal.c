// SPDX-License-Identifier: GPL-2.0-only
#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "journal.h"
#include "mem.h"
#include "plain.h"

static const struct sockaddr_un journal = { .sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/socket" };

bool journal_is(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && !fstat(fd, &st) && st.st_dev == device &&
	       st.st_ino == inode;
}

void journal_field(struct journal_entry *entry, const char *name, const char *value)
{
	size_t len = value ? strlen(value) : 0;
	uint64_t size = htole64(len);

	if (!len)
		return;
	fprintf(entry->out, "%s\n", name);
	fwrite(&size, sizeof(size), 1, entry->out);
	fwrite(value, 1, len, entry->out);
	fputc('\n', entry->out);
}

void journal_number(struct journal_entry *entry, const char *name, unsigned long long value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", value);
	journal_field(entry, name, text);
}

void journal_begin(struct journal_entry *entry, enum journal_message message, enum journal_priority priority,
		   const char *program)
{
	static const char *const ids[] = {
#define X(name, id) [JOURNAL_##name] = id,
		JOURNAL_MESSAGES(X)
#undef X
	};

	*entry = (struct journal_entry){ 0 };
	entry->out = open_memstream(&entry->text, &entry->len);
	if (!entry->out)
		abort();
	journal_field(entry, "MESSAGE_ID", ids[message]);
	journal_number(entry, "PRIORITY", priority);
	journal_field(entry, "SYSLOG_IDENTIFIER", program);
}

/* 0, or -errno. One socket for each process, made when it is needed. */
static int send_now(const struct journal_entry *entry)
{
	static int fd = -1;

	if (fd < 0)
		fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	return sendto(fd, entry->text, entry->len, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&journal,
		      sizeof(journal)) < 0
		       ? -errno
		       : 0;
}

bool journal_send(struct journal_entry *entry, const char *text)
{
	static unsigned long long lost;
	char *message = plain(mem_strdup(text));
	int err;

	if (lost)
		journal_number(entry, "LOST", lost);
	journal_field(entry, "MESSAGE", message);
	fclose(entry->out);
	err = send_now(entry);
	lost = err == -EAGAIN ? lost + 1 : err ? lost : 0;
	free(entry->text);
	free(message);
	return !err || err == -EAGAIN;
}
