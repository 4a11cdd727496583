/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SW_POLICY_JSON_H
#define SW_POLICY_JSON_H

#include "json.h"
#include "policy.h"

/* The whole policy as JSON, in the language of policies: it is read as the same policy. */
void policy_json(const struct policy *policy, struct json *json);

#endif
