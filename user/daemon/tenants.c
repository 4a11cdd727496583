// SPDX-License-Identifier: GPL-2.0-only
/*
 * The files of tenants. The keeper applies them, for it has the rights: when the daemon starts, and when it reloads.
 * For that the daemon asks it, in one byte; the answer is what there is to say, a zero and 0 or 1, as a reload's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "amount.h"
#include "apply.h"
#include "daemon.h"
#include "named.h"
#include "say.h"

#define APPLY 'a'
#define CHECK 'c' /* only say what is wrong */

/* ---- in the keeper ------------------------------------------------------------------------------------------- */

static void tell_left_out(const struct plan *plan, FILE *said)
{
	for (size_t i = 0; i < plan->left_out.n; i++)
		warn_to(said, "%s", plan->left_out.v[i]);
}

static void tell(const struct plan *plan, FILE *said)
{
	for (size_t i = 0; i < plan->of.n; i++) {
		char *line = step_line(&plan->of.v[i], true);

		warn_to(said, "%s", line);
		free(line);
	}
}

/* -EINVAL: the files have mistakes, which are told. */
static int plan(struct host *host, const struct tenant_set *set, struct plan *plan, struct diags *diags, FILE *said,
		struct fault *fault)
{
	int err = plan_make(host, set, plan, diags, fault);
	size_t n = diags->errors;

	if (err || !n)
		return err;
	diags_drop_sources(diags);
	diags_print(diags, said);
	return fault_set(fault, EINVAL, "%zu mistake%s in what tenants.d has", n, plural(n));
}

/* Planned anew, for the host may be another by now. */
static int carry_out(struct host *host, const struct tenant_set *set, struct plan *steps, struct diags *diags,
		     FILE *said, struct fault *fault)
{
	int err = host_lock(host, HOST_PATIENCE, fault);

	plan_free(steps);
	if (!err)
		err = plan(host, set, steps, diags, said, fault);
	if (!err)
		err = plan_carry_out(host, steps, fault);
	host_unlock(host);
	if (!err)
		tell(steps, said);
	return err;
}

/* Mostly there is nothing to do, and then nobody waits for the lock. */
static int apply(struct host *host, const struct tenant_set *set, struct diags *diags, bool check, FILE *said,
		 struct fault *fault)
{
	struct plan steps = { .warn = warn };
	int err = plan(host, set, &steps, diags, said, fault);

	if (!err && !check && steps.of.n)
		err = carry_out(host, set, &steps, diags, said, fault);
	tell_left_out(&steps, said);
	plan_free(&steps);
	return err;
}

int tenants_apply(struct host *host, bool check, FILE *said)
{
	struct tenant_set set;
	struct diags diags = { 0 };
	struct fault fault;
	int err;

	tenant_set_read(policy_path(), &set, &diags);
	err = apply(host, &set, &diags, check, said, &fault);
	if (err)
		warn_to(said, "tenants keep what they have: %s", fault.text);
	tenant_set_free(&set);
	diags_free(&diags);
	return err;
}

static void answer(int fd, const char *text, size_t len, int err)
{
	const char end[] = { '\0', err ? '1' : '0' };
	ssize_t n = 1;

	for (; len && n > 0; text += n, len -= n) {
		n = send(fd, text, len, MSG_NOSIGNAL);
		n = n < 0 && errno == EINTR ? 0 : n;
	}
	send(fd, end, sizeof(end), MSG_NOSIGNAL);
}

void tenants_answer(struct host *host, int fd)
{
	char question, *text = NULL;
	size_t len;
	FILE *said;
	int err;

	if (recv(fd, &question, 1, MSG_DONTWAIT) != 1)
		return;
	said = open_memstream(&text, &len);
	if (!said)
		abort();
	err = tenants_apply(host, question == CHECK, said);
	fclose(said);
	answer(fd, text, len, err);
	free(text);
}

/* ---- in the daemon ------------------------------------------------------------------------------------------- */

int tenants_open(struct daemon *daemon, struct fault *fault)
{
	if (!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, daemon->tenants))
		return 0;
	daemon->tenants[0] = daemon->tenants[1] = -1;
	return fault_set(fault, errno, "cannot make a pair of sockets: %s", strerror(errno));
}

void tenants_ask(const struct daemon *daemon, bool check)
{
	const char question = check ? CHECK : APPLY;

	send(daemon->tenants[0], &question, 1, MSG_NOSIGNAL);
}

int tenants_hear(const struct daemon *daemon, FILE *said, bool *failed)
{
	char text[4096], *end;
	ssize_t n = recv(daemon->tenants[0], text, sizeof(text) - 1, MSG_DONTWAIT);

	while (n > 0) {
		end = memchr(text, '\0', n);
		fwrite(text, 1, end ? end - text : n, said);
		if (end) {
			if (end + 1 == text + n && recv(daemon->tenants[0], end + 1, 1, 0) != 1) /* it is on its way */
				return -EIO;
			*failed = end[1] != '0';
			return 0;
		}
		n = recv(daemon->tenants[0], text, sizeof(text) - 1, MSG_DONTWAIT);
	}
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? 1 : -EIO;
}
