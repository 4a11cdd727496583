// SPDX-License-Identifier: GPL-2.0-only
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "host.h"
#include "named.h"
#include "options.h"

const char say_program[] = "sockwarden";

#define JSON (TAKES(JSON) | TAKES(PRETTY))

/* Nouns read, verbs change. The longer of two verbs that share a word comes first. */
static const struct command commands[] = {
	{ "run", "[--] COMMAND [ARGUMENT...]", "run a command under a policy",
	  "The command runs in a cgroup of its own, as the user who called sudo. Its exit status is passed on;\n"
	  "125 to 127 are as env(1) has them. With --json the closing report on stderr is one JSON object.\n",
	  JSON | TAKES(POLICY) | TAKES(TENANT) | TAKES(QUIET), 1, -1, cmd_run, .root = true },
	{ "attach", "CGROUP|TENANT", "put a cgroup v2 directory, and all below it, under a policy",
	  "A new tenant is named after the directory unless --tenant says otherwise. Peers, binds and options are "
	  "then\n"
	  "decided in the kernel; the daemon closes idle sockets, books, and attaches again what is made anew.\n"
	  "What is attached with the same policy already stays as it is. TENANT is the name of one that is attached.\n",
	  JSON | TAKES(POLICY) | TAKES(TENANT) | TAKES(REPLACE) | TAKES(QUIET), 1, 1, cmd_attach, .root = true },
	{ "detach", "TENANT|CGROUP", "take the policy off a tenant, and print its last counters", NULL,
	  JSON | TAKES(QUIET), 1, 1, cmd_detach, .root = true },
	{ "status", "[TENANT|CGROUP]", "list the tenants, or show one in full", NULL, JSON | TAKES(SOCKET), 0, 1,
	  cmd_status },
	{ "usage", "", "print what the tenants sent and received, from the ledger",
	  "Times are UTC unless they have an offset, as 2026-11-22T10:00+01:00. Also understood: now; today and\n"
	  "yesterday, which are days of UTC; -90m, -12h, -7d, -2w and '7 days ago'.\n"
	  "Only the ledger is read, which needs no more than the right to read that file.\n"
	  "Amounts are of the billable bytes sent. cloudevents are the ledger's own rows; focus needs a price.\n",
	  JSON | TAKES(TENANT) | TAKES(FROM) | TAKES(TO) | TAKES(BY) | TAKES(FORMAT) | TAKES(PRICE) | TAKES(CURRENCY) |
		  TAKES(LEDGER),
	  0, 0, cmd_usage },
	{ "ledger check", "", "say whether all that is booked is as it was booked",
	  "Reads all of it, in short turns, so that a daemon goes on booking. Needs no more than the right to read "
	  "the\n"
	  "file. A line for each thing that is wrong. Exit status: 0 it is sound, 1 it is damaged, or cannot be "
	  "read.\n",
	  JSON | TAKES(LEDGER), 0, 0, cmd_ledger_check },
	{ "log", "", "show what was denied",
	  "The daemon keeps the last 4096, for root and its group. Without one this needs root, and reads and empties\n"
	  "the kernel's own buffer. Each tenant gets 100 lines a second.\n",
	  JSON | TAKES(FOLLOW) | TAKES(LINES) | TAKES(SINCE) | TAKES(TENANT) | TAKES(SOCKET), 0, 0, cmd_log },
	{ "reap", "", "close idle sockets now, and those that are not where they belong",
	  "One pass, as the daemon makes them all the time; what the policies say of idle-timeout, listen, transfer "
	  "and\n"
	  "on-revoke is done at once. Nobody else's sockets are touched.\n",
	  JSON | TAKES(DRY_RUN) | TAKES(IDLE) | TAKES(TENANT), 0, 0, cmd_reap, .root = true },
	{ "explain", "POLICY tcp|udp ADDRESS:PORT", "say what a policy does with a peer, and which rule does it",
	  "With --tenant NAME instead of POLICY the kernel's own tables are asked, which needs root.\n"
	  "Exit status: 0 allowed, 3 denied.\n",
	  JSON | TAKES(TENANT), 2, 3, cmd_explain },
	{ "doctor", "", "say whether this host is all right, and what is to be done",
	  "Loads the programs if they are not, and tries those that not every kernel allows. Lines that begin with "
	  "WRONG\n"
	  "are promises that are not kept now; with --json, `wrong` is how many.\n",
	  JSON | TAKES(ALL), 0, 0, cmd_doctor, .root = true },
	{ "upgrade", "", "take over from the build of sockwarden whose programs are in the kernel",
	  "What attaches, and the daemon when it starts, does so by itself. No connection is lost, and every byte stays\n"
	  "metered. Maps that the two builds lay out otherwise are made anew: policies are then read from their files.\n"
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
	{ "policy check", "POLICY...", "report every mistake in a policy", NULL, JSON, 1, 1000, cmd_policy_check },
	{ "policy show", "[POLICY]", "print a policy in its canonical form", NULL, JSON | TAKES(COMPILED), 0, 1,
	  cmd_policy_show },
	{ "policy diff", "OLD NEW", "print which peers two policies answer differently",
	  "Exit status: 0 when there are none, 3 when there are.\n", JSON, 2, 2, cmd_policy_diff },
	{ "ranges update", "", "replace the sets google and google-cloud by what Google publishes", NULL,
	  JSON | TAKES(GOOG) | TAKES(CLOUD) | TAKES(OUTPUT), 0, 0, cmd_ranges_update },
	{ "ranges", "[SET]", "list the named sets of addresses, or the prefixes of one", NULL, JSON, 0, 1, cmd_ranges },
	{ "exporter", "", "serve what the daemon knows to Prometheus", NULL, 0, 0, 0, cmd_exporter, true },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct option_row rows[] = {
#define X(id, letter, name, arg, help) { letter, name, arg, help },
	OPTIONS(X)
#undef X
};

static void print_help(void)
{
	puts("sockwarden holds the sockets of a cgroup to a policy.\n\nusage: sockwarden COMMAND ...\n");
	for (size_t i = 0; i < COMMANDS; i++)
		printf("  %-14s %s\n", commands[i].verb, commands[i].help);
	printf("\n'sockwarden COMMAND --help' says more. Policies and sets are looked for in the folders\n"
	       "%s\nor those of $SOCKWARDEN_PATH, and last among what is built in.\n",
	       policy_path());
}

/* The commands of two words that begin with this one. Returns how many there are. */
static int print_family(const char *word)
{
	int n = 0;

	for (size_t i = 0; i < COMMANDS; i++) {
		if (strncmp(commands[i].verb, word, strlen(word)) || commands[i].verb[strlen(word)] != ' ')
			continue;
		if (!n++)
			printf("Commands that begin with '%s':\n\n", word);
		printf("  %-14s %s\n", commands[i].verb, commands[i].help);
	}
	return n;
}

static struct option_table options_of(const struct command *command)
{
	return (struct option_table){ rows, OPTION_COUNT, command->takes | TAKES(HELP), command->max < 0 };
}

static void print_command_help(const struct command *command)
{
	const struct option_table table = options_of(command);

	printf("usage: sockwarden %s [OPTION...] %s\n\n%s\n\n", command->verb, command->args, command->help);
	if (command->more)
		printf("%s\n", command->more);
	options_print(&table, 28);
	print_family(command->verb);
}

/* The command the words name; `words` is how many of them do. */
static const struct command *find_command(char **argv, int *words)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		const char *space = strchr(commands[i].verb, ' ');

		*words = space ? 2 : 1;
		if (!space && !strcmp(argv[0], commands[i].verb))
			return &commands[i];
		if (space && argv[1] && strlen(argv[0]) == (size_t)(space - commands[i].verb) &&
		    !strncmp(argv[0], commands[i].verb, space - commands[i].verb) && !strcmp(argv[1], space + 1))
			return &commands[i];
	}
	return NULL;
}

static int parse(const struct command *command, int argc, char **argv, struct cli *cli)
{
	const struct option_table table = options_of(command);
	int option;

	while ((option = option_next(&table, argc, argv)) != OPTION_END) {
		if (option == OPTION_WITHOUT_VALUE)
			return usage("%s needs a value: see 'sockwarden %s --help'", argv[optind - 1], command->verb);
		if (option == OPTION_UNKNOWN)
			return usage("%s is not an option of '%s': see 'sockwarden %s --help'", argv[optind - 1],
				     command->verb, command->verb);
		cli->given |= 1U << option;
		cli->value[option] = optarg;
	}
	cli->args = argv + optind;
	cli->argc = argc - optind;
	cli->json.pretty = cli_has(cli, OPTION_PRETTY);
	if (!cli_has(cli, OPTION_HELP) && (cli->argc < command->min || (command->max >= 0 && cli->argc > command->max)))
		return usage("usage: sockwarden %s [OPTION...] %s", command->verb, command->args);
	return EXIT_OK;
}

/* Of a command, or of the first of the two words that name some; `words` ends in NULL. */
static int print_help_of(char **words)
{
	int n;
	const struct command *command = *words ? find_command(words, &n) : NULL;

	if (!*words)
		print_help();
	else if (command)
		print_command_help(command);
	else if (!print_family(*words))
		return usage("'%s' is no command: 'sockwarden --help' lists them", *words);
	return EXIT_OK;
}

static bool is_help(const char *word)
{
	return !strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "help");
}

int main(int argc, char **argv)
{
	struct cli cli = { .json.out = stdout };
	const struct command *command;
	int words, status;

	if (argc < 2)
		return usage("a command is missing: 'sockwarden --help' lists them");
	if (is_help(argv[1]))
		return print_help_of(argv + 2);
	if (!strcmp(argv[1], "--version")) {
		puts("sockwarden " SW_VERSION);
		return EXIT_OK;
	}
	command = find_command(argv + 1, &words);
	if (!command && argc == 3 && is_help(argv[2]))
		return print_help_of((char *[]){ argv[1], NULL });
	if (!command)
		return usage("'%s' is no command: 'sockwarden --help' lists them", argv[1]);
	upgrade_allow();
	if (command->raw) {
		cli.args = argv + 1 + words;
		return command->run(&cli);
	}
	status = parse(command, argc - words, argv + words, &cli);
	if (status) /* run keeps small numbers for its command */
		return command->run == cmd_run ? EXIT_RUN_FAILED : status;
	if (cli_has(&cli, OPTION_HELP)) {
		print_command_help(command);
		return EXIT_OK;
	}
	if (command->root && geteuid()) {
		warn(NEEDS_ROOT);
		return command->run == cmd_run ? EXIT_RUN_FAILED : EXIT_FAILED;
	}
	status = command->run(&cli);
	if (fflush(stdout) || ferror(stdout))
		return command->run == cmd_run ? status : fail("cannot write to standard output");
	return status;
}
