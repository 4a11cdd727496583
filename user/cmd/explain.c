// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "cli.h"
#include "meter.h"
#include "named.h"
#include "names.h"
#include "publish.h"
#include "storage.h"
#include "target.h"

/* ADDRESS:PORT, or [ADDRESS]:PORT for IPv6. */
static const char *peer_parse(const char *text, struct sw_flow *flow)
{
	const char *colon = strrchr(text, ':');
	char addr[SW_ADDR_TEXT + 2], *inner = addr, *end;
	unsigned long port;
	size_t len;

	if (!colon || !colon[1])
		return "a port is missing: write ADDRESS:PORT, or [ADDRESS]:PORT for IPv6";
	len = colon - text;
	if (len >= sizeof(addr))
		return "not an IP address";
	memcpy(addr, text, len);
	addr[len] = '\0';
	port = strtoul(colon + 1, &end, 10);
	if (colon[1] < '0' || colon[1] > '9' || *end || port > 65535)
		return "the port is not a number from 0 to 65535";
	if (*addr == '[' && len && addr[len - 1] == ']') {
		addr[len - 1] = '\0';
		inner++;
	} else if (strchr(addr, ':')) {
		return "an IPv6 address goes into brackets: [ADDRESS]:PORT";
	}
	flow->port = port;
	return addr_parse(inner, &flow->peer);
}

static int flow_parse(const char *proto, const char *peer, struct sw_flow *flow)
{
	const char *wrong = peer_parse(peer, flow);

	for (flow->proto = 0; flow->proto < SW_PROTOS; flow->proto++)
		if (!strcmp(proto, proto_name(flow->proto)))
			break;
	if (flow->proto == SW_PROTOS)
		return usage("'%s' is no protocol of a policy: write tcp or udp", proto);
	return wrong ? usage("'%s': %s", peer, wrong) : EXIT_OK;
}

/* A verdict, and what to say about it. */
struct answer {
	struct sw_flow flow;
	struct sw_verdict verdict;
	char policy[SW_NAME_MAX];
	char text[SW_TEXT_MAX];
	unsigned line;
	bool audit;
};

static int from_policy(const char *name, struct answer *answer)
{
	struct image *image = policy_compile_given(name, false, stderr);

	if (!image)
		return EXIT_FAILED;
	answer->verdict = image_decide(image, &answer->flow);
	snprintf(answer->text, sizeof(answer->text), "%s", image_rule(image, answer->verdict.rule, &answer->line));
	memcpy(answer->policy, image->settings.policy, sizeof(answer->policy));
	answer->audit = image->settings.audit;
	image_free(image);
	return EXIT_OK;
}

static int from_tenant(const char *name, struct answer *answer)
{
	struct sw_text text = { .text = "default" }, *texts;
	size_t n;
	struct sw_tenant tenant;
	struct fault fault;
	struct host host;
	struct tenancy of;
	int err = host_open(&host, HOST_USING, &fault);

	if (err)
		return fail("%s", fault.text);
	of = target_find(&host, name, &fault);
	if (!of.number || !storage_of_slot(&host, of.slot, &tenant)) {
		host_close(&host);
		return of.number ? fail("tenant %s is under no policy: attach it again", name) : fail("%s", fault.text);
	}
	err = ask(&host, tenant.image, &answer->flow, &answer->verdict, &fault);
	texts = published_texts(&host, tenant.image, &n);
	if (!err && answer->verdict.rule < n)
		text = texts[answer->verdict.rule];
	free(texts);
	answer->line = text.line;
	memcpy(answer->text, text.text, sizeof(answer->text));
	memcpy(answer->policy, host.settings[tenant.image].policy, sizeof(answer->policy));
	answer->audit = host.settings[tenant.image].audit;
	host_close(&host);
	return err ? fail("%s", fault.text) : EXIT_OK;
}

static void print_json(const struct answer *answer, struct json *json)
{
	char peer[SW_ADDR_TEXT];

	json_open(json, NULL, '{');
	json_string(json, "verdict", answer->verdict.allow ? "allow" : "deny");
	json_string(json, "protocol", proto_name(answer->flow.proto));
	json_string(json, "peer", addr_format(&answer->flow.peer, peer));
	json_number(json, "port", answer->flow.port);
	json_string(json, "policy", answer->policy);
	if (answer->verdict.allow)
		json_string(json, "class", billing_name(answer->verdict.billing));
	else
		json_string(json, "reason", reason_name(answer->verdict.reason));
	if (answer->verdict.rule < SW_RULES_MAX) {
		json_number(json, "rule", answer->verdict.rule + 1);
		json_number(json, "line", answer->line);
	}
	json_string(json, "text", answer->text);
	json_bool(json, "audit", answer->audit);
	json_close(json, '}');
	json_end(json);
}

static void print_text(const struct answer *answer)
{
	char peer[SW_FLOW_TEXT];

	printf("%s  %s\n", answer->verdict.allow ? "allow" : "deny", flow_format(&answer->flow, peer));
	if (answer->verdict.rule < SW_RULES_MAX)
		printf("rule %u of %s, line %u: %s\n", answer->verdict.rule + 1, answer->policy, answer->line,
		       answer->text);
	else if (answer->verdict.rule == SW_RULE_DEFAULT)
		printf("no rule of %s matches: its default\n", answer->policy);
	else
		printf("%s: %s\n", reason_name(answer->verdict.reason), reason_help(answer->verdict.reason));
	if (answer->verdict.allow && answer->verdict.billing == SW_EXEMPT)
		puts("exempt: what goes to and comes from it is not billed");
	if (answer->audit && !answer->verdict.allow)
		puts("the policy only audits: it would pass, and be logged");
}

int cmd_explain(struct cli *cli)
{
	const char *tenant = cli->value[OPTION_TENANT];
	struct answer answer = { 0 };
	int status, at = tenant ? 0 : 1;

	if (cli->argc != at + 2)
		return usage("explain takes POLICY PROTOCOL ADDRESS:PORT, or --tenant NAME PROTOCOL ADDRESS:PORT");
	status = flow_parse(cli->args[at], cli->args[at + 1], &answer.flow);
	if (!status)
		status = tenant ? from_tenant(tenant, &answer) : from_policy(cli->args[0], &answer);
	if (status)
		return status;
	if (cli_has(cli, OPTION_JSON))
		print_json(&answer, &cli->json);
	else
		print_text(&answer);
	return answer.verdict.allow ? EXIT_OK : EXIT_DENIED;
}
