// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "feature.h"

bool feature_without(const char *name)
{
	const char *at = secure_getenv("SOCKWARDEN_WITHOUT");
	size_t len = strlen(name);

	while (at && *at) {
		size_t word = strcspn(at, ",");

		if (word == len && !memcmp(at, name, len))
			return true;
		at += word;
		at += *at == ',';
	}
	return false;
}
