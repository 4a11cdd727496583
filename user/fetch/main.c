// SPDX-License-Identifier: GPL-2.0-only
/*
 * sockwarden-fetch URL: what an https:// URL gives, to standard output. A program of its own, so that what speaks TLS with
 * the world has no right, and what has rights has none of libcurl's libraries. `ranges update` runs it, and bounds what
 * it takes from it.
 */
#include <curl/curl.h>
#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "caps.h"
#include "say.h"

const char say_program[] = "sockwarden";

#define NOBODY   65534 /* the kernel's overflow user and group */
#define PATIENCE 30    /* seconds for all of it */
#define GRACE    5     /* more, after which it is ended: a resolver's thread may not heed the other */
#define INSTEAD  "The sets stay as they are; files will do, too: --goog FILE --cloud FILE"

static int become_nobody(struct fault *fault)
{
	if (geteuid())
		return 0; /* whoever is not root cannot become another */
	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
		return fault_set(fault, errno, "cannot become nobody, as whom lists are fetched: %s. " INSTEAD,
				 strerror(errno));
	return 0;
}

static int limit(struct fault *fault)
{
	static const struct {
		int what;
		rlim_t most;
	} limits[] = { { RLIMIT_AS, 512UL << 20 }, { RLIMIT_NOFILE, 64 }, { RLIMIT_CORE, 0 } };

	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		struct rlimit now = { 0 };
		bool failed = getrlimit(limits[i].what, &now);

		if (now.rlim_max > limits[i].most) /* whoever has less may not have it raised */
			now.rlim_max = now.rlim_cur = limits[i].most;
		if (failed || setrlimit(limits[i].what, &now))
			return fault_set(fault, errno, "cannot limit what a fetch may use: %s", strerror(errno));
	}
	signal(SIGALRM, SIG_DFL);
	alarm(PATIENCE + GRACE);
	return 0;
}

static int give_up_rights(struct fault *fault)
{
	int err = limit(fault);

	if (!err)
		err = caps_bound(0, fault);
	if (!err)
		err = become_nobody(fault);
	if (!err)
		err = caps_keep(0, fault);
	if (!err && prctl(PR_SET_PDEATHSIG, SIGKILL)) /* after the change of user, which takes it back */
		err = fault_set(fault, errno, "cannot end with who asked: %s", strerror(errno));
	return err;
}

#define try(err, call) ((err) = (err) ? (err) : (call))

/* An option that is not known must not be passed over. */
static CURLcode get(CURL *curl, const char *url, char *why)
{
	CURLcode err = curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);

	try(err, curl_easy_setopt(curl, CURLOPT_URL, url));
	try(err, curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https")); /* wherever it is sent on to */
	try(err, curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L));
	try(err, curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L));
	try(err, curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2));
	try(err, curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L));
	try(err, curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 3L));
	try(err, curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L));
	try(err, curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L));
	try(err, curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)PATIENCE));
	try(err, curl_easy_setopt(curl, CURLOPT_USERAGENT, "sockwarden/" SW_VERSION));
	try(err, curl_easy_perform(curl)); /* writes to standard output */
	return err;
}

int main(int argc, char **argv)
{
	char why[CURL_ERROR_SIZE] = "";
	struct fault fault;
	CURLcode err;
	CURL *curl;

	if (argc != 2)
		return usage("usage: sockwarden-fetch URL");
	if (give_up_rights(&fault))
		return fail("%s", fault.text);
	curl = curl_easy_init();
	if (!curl)
		return fail("libcurl cannot begin: is there memory?");
	err = get(curl, argv[1], why);
	if (!err && fflush(stdout))
		err = CURLE_WRITE_ERROR;
	if (err) /* nothing is cleaned up: that could wait for a resolver */
		return fail("cannot fetch %s: %s. " INSTEAD, argv[1], *why ? why : curl_easy_strerror(err));
	return EXIT_OK;
}
