/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the commands share: one table of options, of which each command names those it takes.
 */
#ifndef SW_CLI_H
#define SW_CLI_H

#include <stdbool.h>
#include <stdint.h>

#include "json.h"
#include "report.h"
#include "say.h"

/* id, letter or 0, name, what it takes or NULL, help */
#define OPTIONS(X)                                                                                                     \
	X(HELP, 'h', "help", NULL, "show this help")                                                                   \
	X(JSON, 'j', "json", NULL, "print JSON")                                                                       \
	X(PRETTY, 'p', "pretty", NULL, "with --json: indent it")                                                       \
	X(POLICY, 0, "policy", "NAME|FILE", "the policy (default: appengine)")                                         \
	X(ALLOW, 0, "allow", "PEER[:PORT],...", "a policy on the spot: deny all but these names and addresses")        \
	X(TENANT, 0, "tenant", "NAME", "the tenant")                                                                   \
	X(PRESERVE_FD, 0, "preserve-fd", "FD,...",                                                                     \
	  "pass these descriptors on, beside 0 to 2, and though they be sockets")                                      \
	X(REPLACE, 0, "replace", NULL, "give a tenant that is attached another policy")                                \
	X(FOLLOW, 'f', "follow", NULL, "go on until interrupted")                                                      \
	X(LINES, 'n', "lines", "NUMBER", "of the events before, only the last so many")                                \
	X(SINCE, 0, "since", "TIME", "of the events before, only those since: 10m, or 2026-11-22T10:00")               \
	X(COMPILED, 0, "compiled", NULL, "show what the kernel is given")                                              \
	X(GOOG, 0, "goog", "URL|FILE", "all of Google's ranges (default: " GOOGLE_GOOG ")")                            \
	X(CLOUD, 0, "cloud", "URL|FILE", "its customers' (default: " GOOGLE_CLOUD ")")                                 \
	X(FORCE, 0, "force", NULL, "do it, though it is refused to be on the safe side")                               \
	X(FROM, 0, "from", "TIME", "from this time on: 2026-11, 2026-11-22, 2026-11-22T10:00, yesterday or -7d")       \
	X(TO, 0, "to", "TIME", "up to this time, which is not in it")                                                  \
	X(BEFORE, 0, "before", "TIME", "what is of the days before this one; of a time, its day of UTC")               \
	X(BY, 0, "by", "hour|day|month", "a line for each (default: one for all)")                                     \
	X(FORMAT, 0, "format", "table|json|csv|cloudevents|focus", "how to print it (default: table)")                 \
	X(FOCUS, 0, "focus", "1.2|1.3", "with --format focus: which version (default: 1.2)")                           \
	X(FOCUS_NAMES, 0, "focus-names", "FILE",                                                                       \
	  "who provides and bills (default: /etc/sockwarden/focus.yaml, if there is one)")                             \
	X(PRICE, 0, "price", "PRICE", "add amounts, at a price such as 0.12/GiB")                                      \
	X(CURRENCY, 0, "currency", "CODE", "what the price is in, such as USD")                                        \
	X(LEDGER, 0, "ledger", "FILE", "the ledger (default: /var/lib/sockwarden/ledger.db)")                          \
	X(SOCKET, 0, "socket", "PATH", "where the daemon answers (default: /run/sockwarden/daemon.sock)")              \
	X(GROUP, 0, "group", "NAME", "who may ask on the socket, beside root")                                         \
	X(INTERVAL, 0, "interval", "SECONDS", "how often to book, 1 to 3600 (default: 10)")                            \
	X(QUIET, 'q', "quiet", NULL, "print no denials, no report, no line about what was done")                       \
	X(ADOPT, 0, "adopt", NULL, "book in this ledger, though another was booked in before")                         \
	X(DRY_RUN, 'n', "dry-run", NULL, "say what would be done, and do nothing")                                     \
	X(IDLE, 0, "idle", "TIME", "close what is idle for as long, such as 30s or 10m, whatever the policies say")    \
	X(ALL, 'a', "all", NULL, "also what keeps a socket alive, and by what that is seen")                           \
	X(KEEP_OPEN, 0, "keep-open", NULL, "leave open sockets open: they go on without policy and meter")             \
	X(UNIT, 0, "unit", NULL, "what is named is a unit of systemd, which 'enable' was told of")                     \
	X(LIST, 0, "list", NULL, "show what is enabled, and do nothing")                                               \
	X(OUTPUT, 'o', "output", "FOLDER", "where to write (default: /var/lib/sockwarden/sets)")                       \
	X(DETAILED_EXITCODE, 0, "detailed-exitcode", NULL, "exit with status 3 when something changes")

enum cli_option {
#define X(id, letter, name, arg, help) OPTION_##id,
	OPTIONS(X)
#undef X
		OPTION_COUNT,
};

#define TAKES(id) (1ULL << OPTION_##id)

struct cli {
	uint64_t given; /* bits 1 << enum cli_option */
	const char *value[OPTION_COUNT];
	char **args; /* what follows the options; ends in NULL */
	int argc;
	struct json json; /* to stdout */
};

static inline bool cli_has(const struct cli *cli, enum cli_option option)
{
	return cli->given & 1ULL << option;
}

/* A row of the table in commands.c. */
struct command {
	const char *verb; /* one word, or two */
	const char *args; /* as the usage line has them */
	const char *help; /* one line */
	const char *more; /* further lines of --help, or NULL */
	uint64_t takes;   /* options, beside --help */
	int min, max;     /* arguments; max -1: any number, and the first ends the options */
	int (*run)(struct cli *cli);
	bool raw;  /* all that follows the verb is passed on as it is */
	bool root; /* nothing of it is of use to others, so they are told at once */
};

int cmd_run(struct cli *cli);
int cmd_attach(struct cli *cli);
int cmd_apply(struct cli *cli);
int cmd_detach(struct cli *cli);
int cmd_enable(struct cli *cli);
int cmd_disable(struct cli *cli);
int cmd_status(struct cli *cli);
int cmd_usage(struct cli *cli);
int cmd_ledger_check(struct cli *cli);
int cmd_ledger_prune(struct cli *cli);
int cmd_log(struct cli *cli);
int cmd_reap(struct cli *cli);
int cmd_doctor(struct cli *cli);
int cmd_explain(struct cli *cli);
int cmd_policy_list(struct cli *cli);
int cmd_policy_check(struct cli *cli);
int cmd_policy_show(struct cli *cli);
int cmd_policy_diff(struct cli *cli);
int cmd_policy_unit(struct cli *cli);
int cmd_daemon(struct cli *cli);
int cmd_reload(struct cli *cli);
int cmd_ranges(struct cli *cli);
int cmd_ranges_update(struct cli *cli);
int cmd_exporter(struct cli *cli);
int cmd_upgrade(struct cli *cli);

/* So that any command can take over from another build: gives user/kern what it needs for that. */
void upgrade_allow(void);

/* As policy diff --json has it: an array of what differs; how much that is. */
struct image;
size_t cli_differences(const struct image *a, const struct image *b, const char *key, struct json *json);

/* What became of a tenant, as --json says. `support` as in report_print(). */
void cli_report(const struct cli *cli, const struct report *report, const struct support *support, FILE *out);

/* The time that an option says, seconds since 1970; `at` is left alone without it. EXIT_OK or EXIT_USAGE. */
int cli_time(const struct cli *cli, enum cli_option option, __s64 now, __s64 *at);

#endif
