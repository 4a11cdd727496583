// SPDX-License-Identifier: GPL-2.0-only
/* sockwarden-exporter: what the daemon knows, for Prometheus. A process of its own, which has no rights. */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "arguments.h"
#include "client.h"
#include "exporter.h"
#include "file.h"
#include "say.h"
#include "scrape.h"

const char say_program[] = "sockwarden-exporter";

enum option_id {
#define X(id, letter, name, arg, help) OPTION_##id,
	EXPORTER_OPTIONS(X)
#undef X
		OPTION_COUNT,
};

/* What was given. */
struct options {
	const char *value[OPTION_COUNT]; /* "" for those that take nothing; NULL: not given */
};

static void print_help(void)
{
	puts("usage: sockwarden exporter [OPTION...]\n\nserve what the daemon knows to Prometheus\n");
	options_print(&exporter_options, 36);
	printf("\n%s", exporter_more);
}

static int parse(int argc, char **argv, struct options *options)
{
	int option;

	while ((option = option_next(&exporter_options, argc, argv)) != OPTION_END) {
		if (option == OPTION_WITHOUT_VALUE)
			return usage("%s needs a value: see --help", argv[optind - 1]);
		if (option == OPTION_UNKNOWN)
			return usage("%s is no option: see --help", argv[optind - 1]);
		options->value[option] = optarg ? optarg : "";
	}
	if (optind < argc)
		return usage("'%s' is too much: there are only options, see --help", argv[optind]);
	return EXIT_OK;
}

static bool parse_tenants(const char *text, size_t *tenants)
{
	char *end;

	if (!text || !strcmp(text, "all")) {
		*tenants = SCRAPE_ALL;
		return true;
	}
	*tenants = 0;
	if (!strcmp(text, "off"))
		return true;
	if (strncmp(text, "top:", 4) || text[4] < '1' || text[4] > '9' || strlen(text) > 4 + 6)
		return false;
	*tenants = strtoul(text + 4, &end, 10);
	return !*end;
}

/* A path that can stand in a request and in a page as it is, and is none of ours. */
static bool is_path(const char *path)
{
	return path[0] == '/' && path[1] && strncmp(path, "/-/", 3) &&
	       path[strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_-.~")] == '\0';
}

static bool is_textfile(const char *path)
{
	size_t len = strlen(path);

	return len > 5 && !strcmp(path + len - 5, ".prom") && path[len - 6] != '/';
}

static int check(const struct options *options, struct exporter *exporter)
{
	const char *const *value = options->value;

	if (!parse_tenants(value[OPTION_TENANTS], &exporter->tenants))
		return usage("--tenants %s: give all, off, or top:N with N up to 999999", value[OPTION_TENANTS]);
	if (value[OPTION_PATH] && !is_path(value[OPTION_PATH]))
		return usage("--web.telemetry-path %s: give a path as /metrics", value[OPTION_PATH]);
	if (value[OPTION_TEXTFILE] && !is_textfile(value[OPTION_TEXTFILE]))
		return usage("--textfile %s: node_exporter reads files that end in .prom", value[OPTION_TEXTFILE]);
	if (value[OPTION_TEXTFILE] && value[OPTION_ONCE])
		return usage("--textfile and --once: give one of them");
	if (value[OPTION_ADDRESS] && value[OPTION_SYSTEMD])
		return usage("--web.listen-address and --web.systemd-socket: give one of them");
	exporter->path = value[OPTION_PATH] ? value[OPTION_PATH] : "/metrics";
	exporter->socket = value[OPTION_SOCKET] ? value[OPTION_SOCKET] : SW_SOCKET;
	return EXIT_OK;
}

int exporter_scrape(const struct exporter *exporter, enum metrics_format format, FILE *out, struct fault *down,
		    struct fault *fault)
{
	struct snapshot snapshot = { 0 };
	int err;

	*down = (struct fault){ 0 };
	err = snapshot_ask(exporter->socket, &snapshot, down);
	err = scrape_write(err ? NULL : &snapshot, exporter->tenants, format, out, fault);
	snapshot_free(&snapshot);
	return err;
}

/* To the file, or to standard output. */
static int write_once(const struct exporter *exporter, const char *path)
{
	char *text = NULL;
	size_t len;
	FILE *out = path ? open_memstream(&text, &len) : stdout;
	struct fault down, fault;
	int err;

	if (!out)
		abort();
	err = exporter_scrape(exporter, METRICS_TEXT, out, &down, &fault);
	if (path && fclose(out))
		abort();
	if (path && !err)
		err = file_replace(path, 0644, text, len, &fault); /* a collector is another user */
	free(text);
	if (err)
		return fail("%s", fault.text);
	return *down.text ? fail("%s", down.text) : EXIT_OK;
}

static int serve_on(const struct exporter *exporter, const struct options *options)
{
	const char *address = options->value[OPTION_ADDRESS];
	struct fault fault;
	char name[64];
	int fd = options->value[OPTION_SYSTEMD] ? listen_passed(&fault)
						: listen_on(address ? address : EXPORTER_LISTEN, &fault);

	if (fd < 0)
		return fd == -EINVAL ? usage("%s", fault.text) : fail("%s", fault.text);
	if (!geteuid())
		warn("this runs as root and need not: any user that may connect to %s will do", exporter->socket);
	warn("listening on %s", listen_name(fd, name, sizeof(name)));
	return serve(exporter, fd, &fault) ? fail("%s", fault.text) : EXIT_OK;
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	struct exporter exporter;
	int status = parse(argc, argv, &options);

	if (status)
		return status;
	if (options.value[OPTION_HELP] || options.value[OPTION_VERSION]) {
		if (options.value[OPTION_HELP])
			print_help();
		else
			puts("sockwarden-exporter " SW_VERSION);
		return fflush(stdout) || ferror(stdout) ? fail("cannot write to standard output") : EXIT_OK;
	}
	status = check(&options, &exporter);
	if (status)
		return status;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return fail("cannot give up new privileges: %s", strerror(errno));
	if (options.value[OPTION_ONCE] || options.value[OPTION_TEXTFILE])
		return write_once(&exporter, options.value[OPTION_TEXTFILE]);
	return serve_on(&exporter, &options);
}
