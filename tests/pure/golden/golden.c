// SPDX-License-Identifier: GPL-2.0-only
/*
 * Usage: golden [--write]. For every policy NAME.yaml here: NAME.print is its canonical form, NAME.image what it
 * compiles to, NAME.notes what is said of it, if anything. For every policy of bad/: NAME.err is what is wrong
 * with it. The canonical form, and the policy written as JSON, must come to the same image but for the lines of
 * the rules. Prints TAP; with --write, writes the texts instead of comparing them.
 */
#include <ctype.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"
#include "json.h"
#include "load.h"
#include "node.h"
#include "policy_json.h"

#define FOLDER "tests/pure/golden"
#define PATH   FOLDER ":share" /* sets that must not change come from here */

static bool writing;
static int number, failures;

static void report(bool good, const char *name, const char *what)
{
	printf("%sok %d - %s: %s\n", good ? "" : "not ", ++number, name, what);
	failures += !good;
}

struct text {
	char *v;
	size_t n;
	FILE *out;
};

static struct text *text_open(struct text *text)
{
	text->out = open_memstream(&text->v, &text->n);
	return text;
}

static void text_close(struct text *text)
{
	fclose(text->out);
}

static bool equal(const struct text *a, const struct text *b)
{
	return a->n == b->n && !memcmp(a->v, b->v, a->n);
}

/* Where the two part, as comments. */
static void show_difference(const struct text *want, const struct text *have)
{
	size_t line = 1, at = 0, start = 0;

	while (at < want->n && at < have->n && want->v[at] == have->v[at]) {
		if (want->v[at++] == '\n') {
			line++;
			start = at;
		}
	}
	printf("# line %zu should be: %.*s\n", line, (int)strcspn(want->v + start, "\n"), want->v + start);
	printf("# line %zu is:        %.*s\n", line, (int)strcspn(have->v + start, "\n"), have->v + start);
}

static void compare(const char *name, const char *what, const struct text *want, const struct text *have)
{
	bool good = equal(want, have);

	if (!good)
		show_difference(want, have);
	report(good, name, what);
}

/* Compares with FOLDER/NAME.ending, or writes that. An empty text has no file. */
static void expect(const char *name, const char *ending, const struct text *have)
{
	char *path = mem_printf("%s/%s.%s", FOLDER, name, ending);
	struct text want = { 0 };

	if (writing && have->n) {
		FILE *out = fopen(path, "w");

		if (!out || fwrite(have->v, 1, have->n, out) != have->n || fclose(out)) {
			perror(path);
			exit(EXIT_FAILURE);
		}
	} else if (writing) {
		remove(path);
	} else {
		want.v = file_read(path, &want.n);
		if (!want.v)
			want.v = mem_strdup("");
		compare(name, ending, &want, have);
	}
	free(want.v);
	free(path);
}

/* ---- texts of a policy -------------------------------------------------------------------------- */

static struct text text_of_policy(const struct policy *policy)
{
	struct text text;

	policy_print(policy, text_open(&text)->out);
	text_close(&text);
	return text;
}

/* With where each line is from; nothing if all is from one file. */
static struct text text_of_origins(const struct policy *policy)
{
	struct text text;

	text_open(&text);
	if (policy->files.n > 1)
		policy_print_origins(policy, text.out);
	text_close(&text);
	return text;
}

static struct text text_of_json(const struct policy *policy)
{
	struct text text;
	struct json json = { .out = text_open(&text)->out };

	policy_json(policy, &json);
	text_close(&text);
	return text;
}

/* What is to be said of it goes to `notes`, if that is not NULL. */
static struct text text_of_compiled(const struct policy *policy, struct diags *notes)
{
	struct image *image = compile(policy, notes);
	struct text text;

	image_print(image, text_open(&text)->out);
	text_close(&text);
	image_free(image);
	return text;
}

static struct text text_of_image(const struct policy *policy)
{
	return text_of_compiled(policy, NULL);
}

static struct text text_of_diags(struct diags *diags)
{
	struct text text;

	diags_print(diags, text_open(&text)->out);
	text_close(&text);
	return text;
}

/* "rule #1 line base:7 deny: ..." without "line base:7 ", the one thing that may differ. */
static struct text without_lines(struct text *image)
{
	struct text text;
	const char *at = image->v;

	text_open(&text);
	while (*at) {
		size_t len = strcspn(at, "\n") + 1;
		const char *cut = !strncmp(at, "rule #", 6) ? strstr(at, "line ") : NULL;

		if (cut) {
			const char *rest = cut + 5 + strcspn(cut + 5, " ");

			fwrite(at, 1, cut - at, text.out);
			fwrite(rest, 1, at + len - rest, text.out);
		} else {
			fwrite(at, 1, len, text.out);
		}
		at += len;
	}
	text_close(&text);
	free(image->v);
	return text;
}

static bool is_number(const struct node *node)
{
	size_t digits = strspn(node->text, "0123456789");

	return !node->quoted && digits && digits < 10 && !node->text[digits] && (digits == 1 || *node->text != '0');
}

static void write_json(struct json *json, const struct node *node)
{
	if (node->kind == NODE_SCALAR) {
		if (is_number(node))
			json_number(json, node->key, strtoul(node->text, NULL, 10));
		else
			json_string(json, node->key, node->text);
		return;
	}
	json_open(json, node->key, node->kind == NODE_MAP ? '{' : '[');
	for (size_t i = 0; i < node->n; i++)
		write_json(json, node->v[i]);
	json_close(json, node->kind == NODE_MAP ? '}' : ']');
}

static struct text text_as_json(const struct text *yaml, bool pretty)
{
	struct diags diags = { 0 };
	struct node *root = node_read("yaml", yaml->v, yaml->n, &diags);
	struct text text;
	struct json json = { .out = text_open(&text)->out, .pretty = pretty };

	write_json(&json, root);
	json_end(&json);
	text_close(&text);
	node_free(root);
	diags_free(&diags);
	return text;
}

/* A net_source for texts that are in no file: named sets and lists as for the policy they were made from. */
static bool find_net(void *data, const char *from, const char *text, struct prefixes *out, struct diags *diags)
{
	bool whole = !strncmp(text, "file:/", 6);
	char *file, *list;
	size_t len;

	(void)data;
	if (strncmp(text, "file:", 5))
		return set_load(PATH, text, out, diags);
	file = whole ? mem_strdup(text + 5) : mem_printf("%.*s/%s", (int)(strrchr(from, '/') - from), from, text + 5);
	list = file_read(file, &len);
	if (list)
		prefixes_parse(file, list, len, out, diags);
	free(file);
	free(list);
	return list != NULL;
}

/* A base_source for these texts: beside the policy they were made from, or where policies of that name are. */
static char *find_base(void *data, const char *from, const char *name, char **file, size_t *len, struct fault *fault)
{
	const char *folder = strcmp(name, "appengine") ? FOLDER : "share";
	char *text;

	(void)data, (void)fault;
	*file = *name == '.' ? mem_printf("%.*s/%s", (int)(strrchr(from, '/') - from), from, name)
			     : mem_printf("%s/policies/%s.yaml", folder, name);
	text = file_read(*file, len);
	if (!text)
		abort();
	return text;
}

static const struct policy_source source = { .net = find_net, .base = find_base };

/* `text` must be read as a policy that compiles to `image`. */
static void check_text(const char *name, const char *file, const char *what, const struct text *text,
		       const struct text *image)
{
	struct diags diags = { 0 };
	struct policy *policy = policy_read(file, text->v, text->n, &source, &diags);
	struct text have;

	if (policy) {
		have = text_of_image(policy);
		have = without_lines(&have);
		compare(name, what, image, &have);
	} else {
		have = text_of_diags(&diags);
		for (char *save, *line = strtok_r(have.v, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
			printf("# %s\n", line);
		report(false, name, what);
	}
	free(have.v);
	diags_free(&diags);
	policy_free(policy);
}

static void check_fixpoint(const char *name, const char *file, const struct text *print)
{
	struct diags diags = { 0 };
	struct policy *policy = policy_read(file, print->v, print->n, &source, &diags);
	struct text again = policy ? text_of_policy(policy) : text_of_diags(&diags);

	compare(name, "the canonical form prints as itself", print, &again);
	free(again.v);
	diags_free(&diags);
	policy_free(policy);
}

static void check_forms(const char *name, const char *file, const struct policy *policy, const struct text *print,
			const struct text *origins)
{
	struct text image = text_of_image(policy), written = text_of_json(policy),
		    whole = { .v = file_read(file, &whole.n) };
	struct text dense = text_as_json(&whole, false), pretty = text_as_json(&whole, true);

	image = without_lines(&image);
	check_fixpoint(name, file, print);
	check_text(name, file, "the canonical form compiles to the same", print, &image);
	check_text(name, file, "written as JSON it compiles to the same", &written, &image);
	if (origins->n)
		check_text(name, file, "with the origins of its lines it compiles to the same", origins, &image);
	check_text(name, file, "as JSON on one line it compiles to the same", &dense, &image);
	check_text(name, file, "as indented JSON it compiles to the same", &pretty, &image);
	free(image.v);
	free(whole.v);
	free(written.v);
	free(dense.v);
	free(pretty.v);
}

static void check_good(const char *name, const char *file)
{
	struct diags diags = { 0 };
	struct policy *policy = policy_load(PATH, file, &diags);
	struct text notes;

	if (policy) {
		struct text print = text_of_policy(policy), image = text_of_compiled(policy, &diags),
			    origins = text_of_origins(policy);

		expect(name, "print", &print);
		expect(name, "origins", &origins);
		expect(name, "image", &image);
		if (!writing)
			check_forms(name, file, policy, &print, &origins);
		free(print.v);
		free(origins.v);
		free(image.v);
	} else {
		report(false, name, "is a good policy");
	}
	notes = text_of_diags(&diags);
	expect(name, "notes", &notes);
	free(notes.v);
	diags_free(&diags);
	policy_free(policy);
}

static void check_bad(const char *name, const char *file)
{
	struct diags diags = { 0 };
	struct policy *policy = policy_load(PATH, file, &diags);
	char *label = mem_printf("bad/%s", name);
	struct text text = text_of_diags(&diags);

	if (policy || !diags.errors)
		report(false, label, "is refused, with a message");
	expect(label, "err", &text);
	free(text.v);
	free(label);
	diags_free(&diags);
	policy_free(policy);
}

static void each_file(const char *pattern, void (*check)(const char *name, const char *file))
{
	glob_t found;

	if (glob(pattern, 0, NULL, &found))
		report(false, pattern, "has files");
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const char *base = strrchr(found.gl_pathv[i], '/') + 1;
		char *name = mem_strndup(base, strlen(base) - strlen(".yaml"));

		check(name, found.gl_pathv[i]);
		free(name);
	}
	globfree(&found);
}

/* The same policy written by hand as JSON: one file compared with the image of another. */
static void check_json(void)
{
	struct diags diags = { 0 };
	struct policy *yaml = policy_load(PATH, FOLDER "/everything.yaml", &diags);
	struct policy *json = policy_load(PATH, FOLDER "/everything.json", &diags);
	struct text a = yaml ? text_of_image(yaml) : text_of_diags(&diags);
	struct text b = json ? text_of_image(json) : text_of_diags(&diags);

	a = without_lines(&a);
	b = without_lines(&b);
	compare("everything.json", "compiles to what everything.yaml does", &a, &b);
	free(a.v);
	free(b.v);
	diags_free(&diags);
	policy_free(yaml);
	policy_free(json);
}

int main(int argc, char **argv)
{
	writing = argc > 1 && !strcmp(argv[1], "--write");
	each_file("share/policies/*.yaml", check_good);
	each_file(FOLDER "/*.yaml", check_good);
	each_file(FOLDER "/bad/*.yaml", check_bad);
	if (!writing)
		check_json();
	printf("1..%d\n", number);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
