// SPDX-License-Identifier: GPL-2.0-only
/* The small modules: digests, JSON, interned strings, names of socket options, messages, Google's lists. */
#include <sys/socket.h>

#include "diag.h"
#include "generate.h"
#include "google.h"
#include "intern.h"
#include "json.h"
#include "names.h"
#include "plain.h"
#include "sha256.h"
#include "sockopt.h"
#include "test.h"

static void assert_digest(const char *text, size_t repeat, size_t piece, const char *want)
{
	size_t len = strlen(text);
	struct sha256 sha;
	uint8_t out[32];
	char hex[65];

	sha256_init(&sha);
	for (size_t i = 0; i < repeat; i++)
		for (size_t at = 0; at < len; at += piece)
			sha256_add(&sha, text + at, len - at < piece ? len - at : piece);
	sha256_end(&sha, out);
	for (int i = 0; i < 32; i++)
		sprintf(hex + 2 * i, "%02x", out[i]);
	assert_string_equal(hex, want);
}

static void sha256_of_the_standard(void **state)
{
	static const char message[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";

	(void)state;
	assert_digest("", 1, 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_digest("abc", 1, 64, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_digest(message, 1, 64, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	assert_digest("a", 1000000, 1, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void sha256_takes_pieces_of_any_size(void **state)
{
	static const char message[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";

	(void)state;
	for (size_t piece = 1; piece < 60; piece++)
		assert_digest(message, 1, piece, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	assert_digest("aaaaaaaaaa", 100000, 7, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* What `write` prints, in a buffer that the next call reuses. */
static const char *json_of(bool pretty, void (*write)(struct json *json))
{
	static char text[4096];
	struct json json = { .pretty = pretty };

	json.out = fmemopen(text, sizeof(text), "w");
	write(&json);
	fclose(json.out);
	return text;
}

static void write_nested(struct json *json)
{
	json_open(json, NULL, '{');
	json_string(json, "name", "x");
	json_open(json, "list", '[');
	json_number(json, NULL, 1);
	json_number(json, NULL, UINT64_MAX);
	json_open(json, NULL, '{');
	json_close(json, '}');
	json_open(json, NULL, '[');
	json_close(json, ']');
	json_close(json, ']');
	json_bool(json, "yes", true);
	json_bool(json, "no", false);
	json_string(json, "nothing", NULL);
	json_close(json, '}');
	json_end(json);
}

static void json_nesting(void **state)
{
	(void)state;
	assert_string_equal(json_of(false, write_nested),
			    "{\"name\":\"x\",\"list\":[1,18446744073709551615,{},[]],\"yes\":true,\"no\":false,"
			    "\"nothing\":null}\n");
	assert_string_equal(
		json_of(true, write_nested),
		"{\n  \"name\": \"x\",\n  \"list\": [\n    1,\n    18446744073709551615,\n    {},\n    []\n  ],\n"
		"  \"yes\": true,\n  \"no\": false,\n  \"nothing\": null\n}\n");
}

static void write_two_lines(struct json *json)
{
	for (int i = 0; i < 2; i++) {
		json_open(json, NULL, '{');
		json_number(json, "a\"b", i);
		json_close(json, '}');
		json_end(json);
	}
}

static void json_lines_and_keys(void **state)
{
	(void)state;
	assert_string_equal(json_of(false, write_two_lines), "{\"a\\\"b\":0}\n{\"a\\\"b\":1}\n");
}

static const char *quoted_text;

static void write_quoted(struct json *json)
{
	json_string(json, NULL, quoted_text);
}

static void assert_quoted(const char *text, const char *want)
{
	quoted_text = text;
	assert_string_equal(json_of(false, write_quoted), want);
}

static void json_escapes(void **state)
{
	(void)state;
	assert_quoted("", "\"\"");
	assert_quoted("a\"b\\c/", "\"a\\\"b\\\\c/\"");
	assert_quoted("\b\f\n\r\t\x01\x1f", "\"\\u0008\\u000c\\u000a\\u000d\\u0009\\u0001\\u001f\"");
	assert_quoted("\x7f\xc2\x9b\xe2\x80\xae\xf3\xa0\x81\x81", "\"\\u007f\\u009b\\u202e\\udb40\\udc41\"");
	assert_quoted("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\"");
	assert_quoted("\xed\x9f\xbf \xee\x80\x80 \xf4\x8f\xbf\xbf", "\"\xed\x9f\xbf \xee\x80\x80 \xf4\x8f\xbf\xbf\"");
}

static void json_replaces_what_is_not_utf8(void **state)
{
	(void)state;
	assert_quoted("\xff", "\"\\ufffd\"");
	assert_quoted("\x80"
		      "a",
		      "\"\\ufffda\"");
	assert_quoted("\xc3", "\"\\ufffd\"");
	assert_quoted("\xc3(", "\"\\ufffd(\"");
	assert_quoted("\xc0\xaf", "\"\\ufffd\\ufffd\"");            /* overlong */
	assert_quoted("\xe0\x80\xaf", "\"\\ufffd\\ufffd\\ufffd\""); /* overlong */
	assert_quoted("\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""); /* surrogate */
	assert_quoted("\xe2\x82", "\"\\ufffd\\ufffd\"");            /* cut off */
	assert_quoted("\xf0\x80\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
	assert_quoted("\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""); /* beyond the last character */
	assert_quoted("\xf5\x80\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
}

static void interned_strings_keep_their_numbers(void **state)
{
	struct intern set = { 0 };
	char text[16];
	size_t len;

	(void)state;
	assert_int_equal(intern(&set, "", 0), 0);
	assert_int_equal(intern(&set, NULL, 0), 0);
	assert_int_equal(intern(&set, "a", 1), 1);
	assert_int_equal(intern(&set, "a\0b", 3), 2);
	assert_int_equal(intern(&set, "a\0c", 3), 3);
	for (uint32_t i = 4; i < 20000; i++)
		assert_int_equal(intern(&set, text, snprintf(text, sizeof(text), "%u", i)), i);
	for (uint32_t i = 4; i < 20000; i++) {
		int n = snprintf(text, sizeof(text), "%u", i);

		assert_int_equal(intern(&set, text, n), i);
		assert_memory_equal(interned(&set, i, &len), text, n);
		assert_int_equal(len, n);
	}
	assert_int_equal(intern(&set, "", 0), 0);
	interned(&set, 0, &len);
	assert_int_equal(len, 0);
	assert_memory_equal(interned(&set, 2, &len), "a\0b", 3);
	intern_free(&set);
	assert_int_equal(intern(&set, "a", 1), 0);
	intern_free(&set);
}

static void option_names_return(void **state)
{
	char text[SOCKOPT_TEXT], buf[SOCKOPT_TEXT];
	int named = 0;

	(void)state;
	for (int level = 0; level < 300; level++) {
		for (int name = 0; name < 110; name++) {
			int level_again, name_again;

			strcpy(text, sockopt_format(level, name, buf));
			named += !strchr(text, ':');
			assert_true(sockopt_parse(text, &level_again, &name_again));
			assert_int_equal(level, level_again);
			assert_int_equal(name, name_again);
		}
	}
	assert_true(named >= 215);
}

static void option_text_is_strict(void **state)
{
	static const char *const bad[] = { "",
					   "SO_",
					   "so_error",
					   "SO_ERROR ",
					   "1",
					   "1:",
					   ":1",
					   "1:2:3",
					   "-1:2",
					   "1:-2",
					   "+1:2",
					   " 1:2",
					   "1: 2",
					   "1:2 ",
					   "0x1:2",
					   "1:4294967300",
					   "4294967297:4",
					   "2147483648:1",
					   "99999999999:1",
					   "1:2x",
					   "SOL_SOCKET:SO_ERROR" };
	int level, name;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (sockopt_parse(bad[i], &level, &name))
			fail_msg("'%s' was read as %d:%d", bad[i], level, name);
	assert_true(sockopt_parse("1:4", &level, &name));
	assert_int_equal(level, SOL_SOCKET);
	assert_int_equal(name, SO_ERROR);
	assert_true(sockopt_parse("2147483647:2147483647", &level, &name));
	assert_int_equal(level, 2147483647);
}

static void every_number_has_a_name(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SW_REASON_COUNT; i++) {
		assert_true(*reason_name(i) && strcmp(reason_name(i), "?"));
		assert_true(*reason_help(i) && strcmp(reason_help(i), "?"));
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(reason_name(i), reason_name(j));
	}
	for (unsigned i = 0; i < SW_CAUSE_COUNT; i++) {
		assert_true(*cause_name(i) && strcmp(cause_name(i), "?"));
		assert_true(*cause_help(i) && strcmp(cause_help(i), "?"));
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(cause_name(i), cause_name(j));
	}
	for (unsigned i = 0; i < SW_WATCH_COUNT; i++) {
		assert_true(*watch_name(i) && strcmp(watch_name(i), "?"));
		assert_true(*watch_sees(i) && strcmp(watch_sees(i), "?"));
	}
	for (unsigned i = 0; i < SW_HOOK_COUNT; i++)
		assert_true(*hook_name(i) && strcmp(hook_name(i), "?"));
	assert_string_equal(hook_name(SW_HOOK_PASS), "pass");
	assert_string_equal(hook_name(SW_HOOK_USE), "use");
	assert_string_equal(cause_name(SW_CAUSE_IDLE), "idle");
	assert_string_equal(watch_name(SW_WATCH_POLL_TCP), "poll_tcp");
	assert_string_equal(reason_name(SW_REASON_COUNT), "?");
	assert_string_equal(reason_help(SW_REASON_COUNT), "?");
	assert_string_equal(cause_name(SW_CAUSE_COUNT), "?");
	assert_string_equal(cause_help(SW_CAUSE_COUNT), "?");
	assert_string_equal(watch_name(SW_WATCH_COUNT), "?");
	assert_string_equal(watch_sees(SW_WATCH_COUNT), "?");
	assert_string_equal(hook_name(SW_HOOK_USE + 1), "?");
	assert_string_equal(proto_name(SW_TCP), "tcp");
	assert_string_equal(proto_name(SW_UDP), "udp");
	assert_string_equal(proto_name(SW_PROTOS), "other");
}

static char *diags_text(struct diags *diags)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	diags_print(diags, out);
	fclose(out);
	return text;
}

static void assert_plain(const char *text, const char *want)
{
	char copy[64];

	snprintf(copy, sizeof(copy), "%s", text);
	assert_string_equal(plain(copy), want);
}

static void foreign_text_is_plain(void **state)
{
	char kept[] = "a\tb\nc\x1b";

	(void)state;
	assert_plain("", "");
	assert_plain("caf\xc3\xa9 \\x1b ~", "caf\xc3\xa9 \\x1b ~");
	assert_plain("\xe4\xb8\xad \xf0\x9f\x98\x80", "\xe4\xb8\xad \xf0\x9f\x98\x80");
	assert_plain("\x1b[31mred\x7f\r\n\t", "?[31mred????");
	assert_plain("\xc2\x9b"
		     "2J",
		     "??2J");                              /* a control character that begins a sequence, as ESC does */
	assert_plain("\xe2\x80\xaegpj.exe", "???gpj.exe"); /* turns the direction */
	assert_plain("\xe2\x80\xa8", "???");               /* ends a line */
	assert_plain("\xf3\xa0\x81\x81", "????");          /* is not seen */
	assert_plain("\xff\xc3", "??");
	assert_plain("\xc3(", "?(");
	assert_plain("\xed\xa0\x80", "???"); /* no character */
	assert_string_equal(plain_but(kept, "\t\n"), "a\tb\nc?");
}

static void messages_in_the_order_of_the_file(void **state)
{
	static const char source[] = "first\n\tsecond\x1b[31m\nthird";
	struct place place = { .file = "f", .text = source, .len = sizeof(source) - 1 };
	struct diags diags = { 0 };
	char *text;

	(void)state;
	place.line = 3;
	place.col = 6;
	diag_error(&diags, &place, "at the end");
	place.line = 2;
	place.col = 2;
	diag_note(&diags, &place, "a tab, and '%s'", "one\nline\x1b[0m");
	place.line = 1;
	place.col = 99;
	diag_error(&diags, &place, "beyond the line");
	place.line = 9;
	diag_error(&diags, &place, "beyond the file");
	diag_error(&diags, &(struct place){ .file = "g" }, "the whole file");
	assert_int_equal(diags.errors, 4);
	text = diags_text(&diags);
	assert_string_equal(text, "f:1:99: error: beyond the line\n  first\n"
				  "f:2:2: note: a tab, and 'one?line?[0m'\n  \tsecond?[31m\n  \t^\n"
				  "f:3:6: error: at the end\n  third\n       ^\n"
				  "f:9:99: error: beyond the file\n"
				  "g: error: the whole file\n");
	free(text);
	diags_free(&diags);
}

static void too_many_messages_are_counted(void **state)
{
	struct place place = { .file = "f", .line = 1, .col = 1 };
	struct diags diags = { 0 };
	char *text;

	(void)state;
	for (int i = 0; i < 1003; i++)
		diag_error(&diags, &place, "again");
	assert_int_equal(diags.errors, 1003);
	assert_int_equal(diags.n, 1000);
	text = diags_text(&diags);
	assert_non_null(strstr(text, "\n3 more mistakes are not shown"));
	free(text);
	diags_free(&diags);
}

static bool read_google(const char *text, struct google_list *list, size_t *errors)
{
	struct diags diags = { 0 };
	bool good = google_read("goog.json", text, strlen(text), list, &diags);

	*errors = diags.errors;
	diags_free(&diags);
	return good;
}

static void google_lists_are_read(void **state)
{
	struct google_list list;
	size_t errors;

	(void)state;
	assert_true(read_google(
		"{\"syncToken\": \"1\", \"creationTime\": \"2024-04-25\", \"prefixes\": [\n"
		"\t{\"ipv4Prefix\": \"8.8.8.0/24\", \"service\": \"x\"},\n\t{\"ipv6Prefix\": \"2001:4860::/32\"}]}",
		&list, &errors));
	assert_int_equal(errors, 0);
	assert_string_equal(list.created, "2024-04-25");
	assert_int_equal(list.prefixes.n, 2);
	google_free(&list);
	assert_true(read_google("{\"prefixes\": [{\"ipv4Prefix\": \"8.8.8.0/24\"}], \"creationTime\": \"a\\nb\"}",
				&list, &errors));
	assert_string_equal(list.created, "an unknown time");
	google_free(&list);
}

static void other_lists_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{}",
		"<html></html>",
		"{\"prefixes\": []}",
		"{\"prefixes\": {}}",
		"{\"prefixes\": [{}]}",
		"{\"prefixes\": [\"8.8.8.0/24\"]}",
		"{\"prefixes\": [{\"ipv4Prefix\": [1]}]}",
		"{\"prefixes\": [{\"ipv4Prefix\": \"8.8.8.8/24\"}]}",
		"{\"prefixes\": [{\"ipv4Prefix\": \"8.8.8.0/24\"}, {\"ipv6Prefix\": \"nonsense\"}]}",
		"{\"prefixes\": [{\"ipv4Prefix\": \"8.8.8.0/24\"}",
		"{\"prefixes\": [{\"ipv4Prefix\": &a \"8.8.8.0/24\"}]}",
	};
	struct google_list list;
	size_t errors;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (read_google(bad[i], &list, &errors) || !errors)
			fail_msg("%s was accepted, or refused without a message", bad[i]);
		google_free(&list);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256_of_the_standard),
		cmocka_unit_test(sha256_takes_pieces_of_any_size),
		cmocka_unit_test(json_nesting),
		cmocka_unit_test(json_lines_and_keys),
		cmocka_unit_test(json_escapes),
		cmocka_unit_test(json_replaces_what_is_not_utf8),
		cmocka_unit_test(interned_strings_keep_their_numbers),
		cmocka_unit_test(option_names_return),
		cmocka_unit_test(option_text_is_strict),
		cmocka_unit_test(every_number_has_a_name),
		cmocka_unit_test(foreign_text_is_plain),
		cmocka_unit_test(messages_in_the_order_of_the_file),
		cmocka_unit_test(too_many_messages_are_counted),
		cmocka_unit_test(google_lists_are_read),
		cmocka_unit_test(other_lists_are_refused),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
