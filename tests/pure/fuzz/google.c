// SPDX-License-Identifier: GPL-2.0-only
/* The reader of Google's lists: it fails with a message, or gives prefixes. */
#include "google.h"
#include "support.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diags diags = { 0 };
	struct google_list list;
	char text[SW_PREFIX_TEXT];
	bool good = google_read("goog.json", size ? (const char *)data : "", size, &list, &diags);

	must_hold(good == !diags.errors, "there is a list, or there is a message");
	must_hold(list.created, "the list has a time, if only an unknown one");
	must_hold(!strpbrk(list.created, "\n\r\x1b"), "the time is one line: it becomes a comment in a file");
	for (size_t i = 0; good && i < list.prefixes.n; i++)
		must_hold(*prefix_format(&list.prefixes.v[i], text), "prefixes can be printed");
	check_diags(&diags);
	google_free(&list);
	diags_free(&diags);
	return 0;
}
