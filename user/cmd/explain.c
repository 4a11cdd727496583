// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "domain.h"
#include "explain.h"
#include "meter.h"
#include "named.h"
#include "names.h"
#include "plain.h"
#include "publish.h"
#include "rule_text.h"
#include "storage.h"
#include "target.h"

/* A name that may be meant as one: what ends in a number is an address that was mistyped. */
static char *name_parse(const char *text)
{
	const char *dot = strrchr(text, '.'), *last = dot ? dot + 1 : text;

	return last[strspn(last, "0123456789")] || (dot && !dot[1]) ? domain_name(text) : NULL;
}

/*
 * ADDRESS:PORT, [ADDRESS]:PORT for IPv6, or NAME:PORT: then `name` is to be freed. ADDRESS%lo is reached by way of the
 * loopback device, as one of the host's own is.
 */
static const char *peer_parse(const char *text, struct sw_flow *flow, char **name)
{
	const char *colon = strrchr(text, ':'), *wrong;
	char addr[SW_DOMAIN_LEN + 2], *inner = addr, *zone, *end;
	unsigned long port;
	size_t len;

	if (!colon || !colon[1])
		return "a port is missing: write ADDRESS:PORT, [ADDRESS]:PORT for IPv6, or NAME:PORT";
	len = colon - text;
	if (len >= sizeof(addr))
		return "not an IP address, and not a name";
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
	zone = strchr(inner, '%');
	flow->local = zone && !strcmp(zone, "%lo");
	if (flow->local)
		*zone = '\0';
	*name = name_parse(inner);
	wrong = *name ? NULL : addr_parse(inner, &flow->peer);
	flow->local |= sw_addr_is_loopback(&flow->peer);
	return wrong;
}

static int flow_parse(const char *proto, const char *peer, struct sw_flow *flow, char **name)
{
	const char *wrong = peer_parse(peer, flow, name);

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
	struct sw_text rule;
	bool audit;
};

static int from_policy(const char *name, struct answer *answer)
{
	struct image *image = policy_compile_given(name, false, stderr);

	if (!image)
		return EXIT_FAILED;
	answer->verdict = image_decide(image, &answer->flow);
	answer->rule = *image_rule(image, answer->verdict.rule);
	memcpy(answer->policy, image->settings.policy, sizeof(answer->policy));
	answer->audit = image->settings.audit;
	image_free(image);
	return EXIT_OK;
}

int explain_open(struct host *host, const char *name, struct tenancy *of, struct sw_tenant *tenant, struct fault *fault)
{
	int err = host_open(host, HOST_USING, fault);

	if (err)
		return err;
	*of = target_find(host, name, fault);
	if (!of->number)
		err = -ENOENT;
	else if (!storage_of_slot(host, of->slot, tenant))
		err = fault_set(fault, ENOENT, "tenant %s is under no policy: attach it again", name);
	if (err)
		host_close(host);
	return err;
}

static int from_tenant(const char *name, struct answer *answer)
{
	struct sw_text *texts;
	size_t n;
	struct sw_tenant tenant;
	struct fault fault;
	struct host host;
	struct tenancy of;
	int err = explain_open(&host, name, &of, &tenant, &fault);

	if (err)
		return fail("%s", fault.text);
	err = ask(&host, tenant.image, tenant.tenancy, &answer->flow, &answer->verdict, &fault);
	texts = published_texts(&host, tenant.image, &n);
	answer->rule = (struct sw_text){ .text = "default" };
	if (!err && answer->verdict.rule < n)
		answer->rule = texts[answer->verdict.rule];
	free(texts);
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
	if (answer->verdict.rule < SW_RULES_MAX)
		rule_json(answer->verdict.rule, answer->policy, answer->rule.line, answer->rule.text, json);
	else
		json_string(json, "text", answer->rule.text);
	json_bool(json, "audit", answer->audit);
	json_close(json, '}');
	json_end(json);
}

static void print_text(const struct answer *answer)
{
	char peer[SW_FLOW_TEXT], *told = rule_told(answer->verdict.rule, answer->policy, &answer->rule);

	printf("%s  %s\n", answer->verdict.allow ? "allow" : "deny", flow_format(&answer->flow, peer));
	if (answer->verdict.rule < SW_RULES_MAX)
		plain_line(stdout, "%s", told);
	else if (answer->verdict.rule == SW_RULE_DEFAULT)
		plain_line(stdout, "no rule of %s matches: its default", answer->policy);
	else
		printf("%s: %s\n", reason_name(answer->verdict.reason), reason_help(answer->verdict.reason));
	if (answer->verdict.allow && answer->verdict.billing == SW_EXEMPT)
		puts("exempt: what goes to and comes from it is not billed");
	if (answer->audit && !answer->verdict.allow)
		puts("the policy only audits: it would pass, and be logged");
	free(told);
}

static int explain_address(struct cli *cli, const char *tenant, struct answer *answer)
{
	int status = tenant ? from_tenant(tenant, answer) : from_policy(cli->args[0], answer);

	if (status)
		return status;
	if (cli_has(cli, OPTION_JSON))
		print_json(answer, &cli->json);
	else
		print_text(answer);
	return answer->verdict.allow ? EXIT_OK : EXIT_DENIED;
}

int cmd_explain(struct cli *cli)
{
	const char *tenant = cli->value[OPTION_TENANT];
	struct answer answer = { 0 };
	int status, at = tenant ? 0 : 1;
	char *name = NULL;

	if (cli->argc != at + 2)
		return usage("explain takes POLICY PROTOCOL PEER:PORT, or --tenant NAME PROTOCOL PEER:PORT");
	status = flow_parse(cli->args[at], cli->args[at + 1], &answer.flow, &name);
	if (!status && name) {
		struct named_peer peer = { .flow = answer.flow, .name = name };

		status = tenant ? explain_name_now(cli, tenant, &peer) : explain_name(cli, cli->args[0], &peer);
	} else if (!status) {
		status = explain_address(cli, tenant, &answer);
	}
	free(name);
	return status;
}
