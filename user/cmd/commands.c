// SPDX-License-Identifier: GPL-2.0-only
#include "commands.h"
#include "google.h"

#define JSON (TAKES(JSON) | TAKES(PRETTY))

/* Nouns read, verbs change. The longer of two verbs that share a word comes first. */
const struct command commands[] = {
	{ "run", "[--] COMMAND [ARGUMENT...]", "run a command under a policy",
	  "The command runs in a cgroup of its own, as the user who called sudo. Its exit status is passed on;\n"
	  "125 to 127 are as env(1) has them. With --json the closing report on stderr is one JSON object.\n"
	  "--allow api.example.com:443,'*.pypi.org' denies all but these, and asking the host's name servers for "
	  "them.\n"
	  "Descriptors beyond 2 are closed, but for those of --preserve-fd. System calls that go round the policy are "
	  "refused,\n"
	  "as its system-calls and user-namespaces say.\n",
	  JSON | TAKES(POLICY) | TAKES(ALLOW) | TAKES(TENANT) | TAKES(PRESERVE_FD) | TAKES(QUIET), 1, -1, cmd_run,
	  .root = true },
	{ "attach", "CGROUP|TENANT", "put a cgroup v2 directory, and all below it, under a policy",
	  "A new tenant is named after the directory unless --tenant says otherwise. Peers, binds and options are "
	  "then\n"
	  "decided in the kernel; the daemon closes idle sockets, books, and attaches again what is made anew.\n"
	  "What is attached with the same policy already stays as it is. TENANT is the name of one that is attached.\n"
	  "Where a user may move processes out of the cgroup that is refused, but for --force. What the policy says of "
	  "system\n"
	  "calls is for the tenant's unit: see 'sockwarden policy unit'.\n",
	  JSON | TAKES(POLICY) | TAKES(TENANT) | TAKES(REPLACE) | TAKES(FORCE) | TAKES(UNIT) | TAKES(QUIET), 1, 1,
	  cmd_attach, .root = true },
	{ "apply", "", "make the host as the files of tenants.d say",
	  "Attaches, replaces policies, and detaches what a file had that is gone: all, or nothing if a file has a "
	  "mistake "
	  "or a\n"
	  "step fails. What was attached by hand is left alone. A cgroup that is not there yet is attached when it is "
	  "made,\n"
	  "by the daemon, which applies too when it starts and when it reloads. Exit status: 0, also when nothing "
	  "changes; "
	  "3\n"
	  "when something does, or would, with --detailed-exitcode; 1 when it fails, and then nothing has changed.\n",
	  JSON | TAKES(DRY_RUN) | TAKES(DETAILED_EXITCODE) | TAKES(QUIET), 0, 0, cmd_apply, .root = true },
	{ "detach", "TENANT|CGROUP", "take the policy off a tenant, and print its last counters",
	  "Its sockets are closed first, as long as the policy and the meter are in force; their peers get a reset. "
	  "Those of\n"
	  "a tenant under 'mode: audit' go on, as all do with --keep-open.\n",
	  JSON | TAKES(KEEP_OPEN) | TAKES(QUIET), 1, 1, cmd_detach, .root = true },
	{ "enable", "[UNIT|PATTERN]", "have units of systemd start only under a policy",
	  "PATTERN is 'tenant-*.slice' for every slice of that prefix, or 'web@*.service' for the instances of a "
	  "template.\n"
	  "All that runs in such a unit is one tenant, named after it; what lies below belongs to it. A unit that "
	  "cannot be\n"
	  "attached does not start, and 'systemctl status sockwarden-attach@UNIT.service' says why. What runs now is "
	  "attached "
	  "now.\n"
	  "Without --policy that of a line Policy= below [X-Sockwarden] in a drop-in of the unit holds, or "
	  "appengine.\n",
	  JSON | TAKES(POLICY) | TAKES(LIST) | TAKES(QUIET), 0, 1, cmd_enable, .root = true },
	{ "disable", "UNIT|PATTERN", "take back what 'enable' did, and detach what runs",
	  "Their sockets are closed first, as 'detach' does.\n", JSON | TAKES(KEEP_OPEN) | TAKES(QUIET), 1, 1,
	  cmd_disable, .root = true },
	{ "status", "[TENANT|CGROUP]", "list the tenants, or show one in full", NULL, JSON | TAKES(SOCKET), 0, 1,
	  cmd_status },
	{ "usage", "", "print what the tenants sent and received, from the ledger",
	  "Times are UTC unless they have an offset, as 2026-11-22T10:00+01:00. Also understood: now; today and\n"
	  "yesterday, which are days of UTC; -90m, -12h, -7d, -2w and '7 days ago'.\n"
	  "Only the ledger is read, which needs no more than the right to read that file.\n"
	  "Amounts are of the billable bytes sent. cloudevents are the ledger's own rows; focus needs a price.\n",
	  JSON | TAKES(TENANT) | TAKES(FROM) | TAKES(TO) | TAKES(BY) | TAKES(FORMAT) | TAKES(FOCUS) |
		  TAKES(FOCUS_NAMES) | TAKES(PRICE) | TAKES(CURRENCY) | TAKES(LEDGER),
	  0, 0, cmd_usage },
	{ "ledger check", "", "say whether all that is booked is as it was booked",
	  "Reads all of it, in short turns, so that a daemon goes on booking. Needs no more than the right to read "
	  "the\n"
	  "file. A line for each thing that is wrong. Exit status: 0 it is sound, 1 it is damaged, or cannot be "
	  "read.\n",
	  JSON | TAKES(LEDGER), 0, 0, cmd_ledger_check },
	{ "ledger prune", "", "take out the rows of old days, and keep their sums by day",
	  "--before says up to which day, that one not included: of UTC, a time is rounded down to its day. First it "
	  "is\n"
	  "proven that the rows add up to the sums that stay: if not, nothing is changed. Works in short turns, while "
	  "a\n"
	  "daemon books. What is left answers by day and month as before; hours and CloudEvents of these days are "
	  "gone.\n",
	  JSON | TAKES(LEDGER) | TAKES(BEFORE) | TAKES(DRY_RUN), 0, 0, cmd_ledger_prune },
	{ "log", "", "show what was denied",
	  "The daemon keeps the last 4096, for root and its group. Without one this needs root, and reads and empties\n"
	  "the kernel's own buffer. Each tenant gets 100 lines a second.\n",
	  JSON | TAKES(FOLLOW) | TAKES(LINES) | TAKES(SINCE) | TAKES(TENANT) | TAKES(SOCKET), 0, 0, cmd_log },
	{ "reap", "", "close idle sockets now, and those that are not where they belong",
	  "One pass, as the daemon makes them all the time; what the policies say of idle-timeout, listen, transfer "
	  "and\n"
	  "on-revoke is done at once. Nobody else's sockets are touched.\n",
	  JSON | TAKES(DRY_RUN) | TAKES(IDLE) | TAKES(TENANT), 0, 0, cmd_reap, .root = true },
	{ "explain", "POLICY tcp|udp PEER:PORT", "say what a policy does with a peer, and which rule does it",
	  "PEER is an address, [ADDRESS] for IPv6, or a name such as smtp.example.com.\n"
	  "With --tenant NAME instead of POLICY the kernel's own tables are asked, which needs root.\n"
	  "Exit status: 0 allowed, 3 denied.\n",
	  JSON | TAKES(TENANT), 2, 3, cmd_explain },
	{ "doctor", "", "say whether this host is all right, and what is to be done",
	  "Loads the programs if they are not, and tries those that not every kernel allows. Lines that begin with "
	  "WRONG\n"
	  "are promises that are not kept now; with --json, `wrong` is how many.\n",
	  JSON | TAKES(ALL), 0, 0, cmd_doctor, .root = true },
	{ "upgrade", "", "take over from the build of sockwarden whose programs are in the kernel",
	  "What attaches, and the daemon when it starts, does so by itself. No connection is lost, and every byte "
	  "stays\n"
	  "metered. Maps that the two builds lay out otherwise are made anew: policies are then read from their "
	  "files.\n"
	  "Where it cannot be done nothing is changed, and exit status is 1.\n",
	  JSON | TAKES(DRY_RUN), 0, 0, cmd_upgrade, .root = true },
	{ "daemon", "", "close idle sockets, book what tenants send, renew budgets",
	  "Runs in the foreground until SIGTERM. SIGHUP reads the policies anew, as 'sockwarden reload' does; SIGUSR1\n"
	  "books at once. Peers, binds and socket options are decided in the kernel, whether it runs or not.\n",
	  TAKES(LEDGER) | TAKES(ADOPT) | TAKES(SOCKET) | TAKES(GROUP) | TAKES(INTERVAL) | TAKES(QUIET), 0, 0,
	  cmd_daemon },
	{ "reload", "", "have the daemon read the policies anew, and wait until they are in force",
	  "All of them, or none if one has a mistake: then the mistakes are printed, and the exit status is 1.\n",
	  TAKES(SOCKET), 0, 0, cmd_reload },
	{ "policy list", "", "list the policies that have names, and where each is", NULL, JSON, 0, 0,
	  cmd_policy_list },
	{ "policy check", "POLICY...", "report every mistake in a policy", NULL, JSON, 1, 1000, cmd_policy_check },
	{ "policy show", "[POLICY]", "print a policy in its canonical form", NULL, JSON | TAKES(COMPILED), 0, 1,
	  cmd_policy_show },
	{ "policy diff", "OLD NEW", "print which peers two policies answer differently",
	  "Exit status: 0 when there are none, 3 when there are.\n", JSON, 2, 2, cmd_policy_diff },
	{ "policy unit", "[POLICY]", "print a drop-in for systemd: what a policy says of system calls",
	  "'run' refuses them by itself. The units of a tenant that is attached need it:\n"
	  "  sockwarden policy unit appengine >/etc/systemd/system/web.service.d/sockwarden.conf\n",
	  0, 0, 1, cmd_policy_unit },
	{ "ranges update", "", "replace the sets google and google-cloud by what Google publishes",
	  "Both or none. What is behind an https:// URL is fetched by a process without rights. A list is refused that "
	  "is\n"
	  "empty, or lacks more than half of the addresses of the set it would replace. 'sockwarden reload' then puts "
	  "the\n"
	  "sets in force. 'systemctl enable --now sockwarden-ranges.timer' has all that done every day.\n",
	  JSON | TAKES(GOOG) | TAKES(CLOUD) | TAKES(FORCE) | TAKES(OUTPUT), 0, 0, cmd_ranges_update },
	{ "ranges", "[SET]", "list the named sets of addresses, or the prefixes of one", NULL, JSON, 0, 1, cmd_ranges },
	{ "exporter", "", "serve what the daemon knows to Prometheus", NULL, 0, 0, 0, cmd_exporter, true },
	{ 0 },
};

static const struct option_row rows[] = {
#define X(id, letter, name, arg, help) { letter, name, arg, help },
	OPTIONS(X)
#undef X
};

struct option_table command_options(const struct command *command)
{
	return (struct option_table){ rows, OPTION_COUNT, command->takes | TAKES(HELP), command->max < 0 };
}
