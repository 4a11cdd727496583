// SPDX-License-Identifier: GPL-2.0-only
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "host.h"
#include "named.h"

const char say_program[] = "sockwarden";

static void print_help(void)
{
	puts("sockwarden holds the sockets of a cgroup to a policy.\n\nusage: sockwarden COMMAND ...\n");
	for (const struct command *each = commands; each->verb; each++)
		printf("  %-14s %s\n", each->verb, each->help);
	printf("\n'sockwarden COMMAND --help' says more. Policies and sets are looked for in the folders\n"
	       "%s\nor those of $SOCKWARDEN_PATH, and last among what is built in.\n",
	       policy_path());
}

/* The commands of two words that begin with this one. Returns how many there are. */
static int print_family(const char *word)
{
	int n = 0;

	for (const struct command *each = commands; each->verb; each++) {
		if (strncmp(each->verb, word, strlen(word)) || each->verb[strlen(word)] != ' ')
			continue;
		if (!n++)
			printf("Commands that begin with '%s':\n\n", word);
		printf("  %-14s %s\n", each->verb, each->help);
	}
	return n;
}

static void print_command_help(const struct command *command)
{
	const struct option_table table = command_options(command);

	printf("usage: sockwarden %s [OPTION...] %s\n\n%s\n\n", command->verb, command->args, command->help);
	if (command->more)
		printf("%s\n", command->more);
	options_print(&table, 28);
	print_family(command->verb);
}

/* The command the words name; `words` is how many of them do. */
static const struct command *find_command(char **argv, int *words)
{
	for (const struct command *each = commands; each->verb; each++) {
		const char *space = strchr(each->verb, ' ');

		*words = space ? 2 : 1;
		if (!space && !strcmp(argv[0], each->verb))
			return each;
		if (space && argv[1] && strlen(argv[0]) == (size_t)(space - each->verb) &&
		    !strncmp(argv[0], each->verb, space - each->verb) && !strcmp(argv[1], space + 1))
			return each;
	}
	return NULL;
}

/* Given more than once, they are one list. */
#define LISTS (TAKES(ALLOW) | TAKES(PRESERVE_FD))

static int parse(const struct command *command, int argc, char **argv, struct cli *cli)
{
	const struct option_table table = command_options(command);
	int option;

	while ((option = option_next(&table, argc, argv)) != OPTION_END) {
		if (option == OPTION_WITHOUT_VALUE)
			return usage("%s needs a value: see 'sockwarden %s --help'", argv[optind - 1], command->verb);
		if (option == OPTION_UNKNOWN)
			return usage("%s is not an option of '%s': see 'sockwarden %s --help'", argv[optind - 1],
				     command->verb, command->verb);
		cli->given |= 1ULL << option;
		cli->value[option] = LISTS & 1ULL << option && cli->value[option]
					     ? mem_printf("%s,%s", cli->value[option], optarg)
					     : optarg;
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
