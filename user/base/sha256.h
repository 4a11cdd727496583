/* SPDX-License-Identifier: GPL-2.0-only */
/* SHA-256 (FIPS 180-4): names an image by its content, so that tenants can share one. */
#ifndef SW_SHA256_H
#define SW_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct sha256 {
	uint32_t state[8];
	uint64_t len; /* bytes taken so far */
	uint8_t block[64];
};

void sha256_init(struct sha256 *sha);
void sha256_add(struct sha256 *sha, const void *data, size_t len);
void sha256_end(struct sha256 *sha, uint8_t out[32]);

#define SHA256_TEXT 65
const char *sha256_format(const uint8_t hash[32], char text[SHA256_TEXT]); /* in hexadecimal */

#endif
