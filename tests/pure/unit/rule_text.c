// SPDX-License-Identifier: GPL-2.0-only
/* What the kernel keeps of a rule: the rule, and what its author says of it, in one text. */
#include "rule_text.h"
#include "test.h"

#define LONG                                                                                                           \
	"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"         \
	"0123456789012345678901234567890123456789"

static void assert_parts(const char *rule, const char *file, const char *id, const char *description,
			 const char *const want[RULE_PARTS])
{
	char text[SW_TEXT_MAX];

	memset(text, 'x', sizeof(text));
	rule_pack(text, (const char *const[]){ rule, file, id, description });
	for (int part = RULE_TEXT; part < RULE_PARTS; part++)
		assert_string_equal(rule_part(text, part), want[part]);
}

static void what_fits_comes_back(void **state)
{
	(void)state;
	assert_parts("deny: {port: 25}", "base", "no-mail", "why",
		     (const char *const[]){ "deny: {port: 25}", "base", "no-mail", "why" });
	assert_parts("", "", "", "", (const char *const[]){ "", "", "", "" });
	assert_parts("a", "", "", "d", (const char *const[]){ "a", "", "", "d" });
}

static void what_does_not_fit_is_cut(void **state)
{
	const char *const parts[] = { LONG, "", "", "" }, *const both[] = { LONG, "b", "i", LONG };
	char text[SW_TEXT_MAX];

	(void)state;
	rule_pack(text, parts);
	assert_int_equal(strlen(rule_part(text, RULE_TEXT)), SW_TEXT_MAX - 1);
	assert_string_equal(text + SW_TEXT_MAX - 4, "...");
	rule_pack(text, both);
	assert_int_equal(strlen(rule_part(text, RULE_TEXT)), (SW_TEXT_MAX - RULE_PARTS - 2) / 2);
	assert_int_equal(strlen(rule_part(text, RULE_DESCRIPTION)), (SW_TEXT_MAX - RULE_PARTS - 2) / 2);
	assert_string_equal(rule_part(text, RULE_ID), "i");
}

/* Who is short leaves room to the other. */
static void a_short_one_leaves_room(void **state)
{
	const char *const rule[] = { LONG, "", "", "short" }, *const why[] = { "short", "", "", LONG };
	char text[SW_TEXT_MAX];

	(void)state;
	rule_pack(text, rule);
	assert_string_equal(rule_part(text, RULE_DESCRIPTION), "short");
	assert_int_equal(strlen(text), SW_TEXT_MAX - RULE_PARTS - 5);
	rule_pack(text, why);
	assert_string_equal(text, "short");
	assert_int_equal(strlen(rule_part(text, RULE_DESCRIPTION)), SW_TEXT_MAX - RULE_PARTS - 5);
}

static void no_character_is_cut_in_two(void **state)
{
	char umlauts[2 * SW_TEXT_MAX + 1] = "", text[SW_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < SW_TEXT_MAX; i++)
		strcat(umlauts, "\xc3\xb6");
	for (size_t shift = 0; shift < 2; shift++) {
		const char *why;
		size_t len;

		rule_pack(text, (const char *const[]){ shift ? "odd" : "even", "", "", umlauts });
		why = rule_part(text, RULE_DESCRIPTION);
		len = strlen(why);
		assert_string_equal(why + len - 3, "...");
		assert_int_equal((len - 3) % 2, 0);
	}
}

static void the_longest_names_leave_room(void **state)
{
	char file[SW_NAME_MAX], id[32], text[SW_TEXT_MAX];

	(void)state;
	memset(file, 'f', sizeof(file) - 1);
	memset(id, 'i', sizeof(id) - 1);
	file[sizeof(file) - 1] = id[sizeof(id) - 1] = '\0';
	rule_pack(text, (const char *const[]){ LONG, file, id, LONG });
	assert_string_equal(rule_part(text, RULE_FILE), file);
	assert_string_equal(rule_part(text, RULE_ID), id);
	assert_string_equal(text, "01234567...");
	assert_string_equal(rule_part(text, RULE_DESCRIPTION), "01234567...");
}

static void any_bytes_have_parts(void **state)
{
	char text[SW_TEXT_MAX];

	(void)state;
	memset(text, 'x', sizeof(text));
	for (int part = RULE_TEXT; part < RULE_PARTS; part++)
		assert_string_equal(rule_part(text, part), "");
	text[3] = '\0';
	assert_string_equal(rule_part(text, RULE_TEXT), "xxx");
	assert_string_equal(rule_part(text, RULE_FILE), "");
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(strlen(rule_part(text, RULE_FILE)), SW_TEXT_MAX - 5);
	assert_string_equal(rule_part(text, RULE_ID), "");
}

static void a_rule_is_told(void **state)
{
	struct sw_text text = { .line = 7 };
	char *told;

	(void)state;
	rule_pack(text.text, (const char *const[]){ "deny: {port: 25}", "base", "no-mail", "why" });
	told = rule_told(2, "shop", &text);
	assert_string_equal(told, "rule 3 (no-mail) of shop, line 7 of base: deny: {port: 25} # why");
	free(told);
	rule_pack(text.text, (const char *const[]){ "deny: {port: 25}", "", "", "" });
	told = rule_told(2, NULL, &text);
	assert_string_equal(told, "rule 3, line 7: deny: {port: 25}");
	free(told);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_fits_comes_back),
		cmocka_unit_test(what_does_not_fit_is_cut),
		cmocka_unit_test(a_short_one_leaves_room),
		cmocka_unit_test(no_character_is_cut_in_two),
		cmocka_unit_test(the_longest_names_leave_room),
		cmocka_unit_test(any_bytes_have_parts),
		cmocka_unit_test(a_rule_is_told),
	};

	return cmocka_run_group_tests_name("rule_text", tests, NULL, NULL);
}
