// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <linux/netlink.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "calls.h"

const struct call_family call_families[] = {
	{ "AF_UNIX", AF_UNIX, -1 },
	{ "AF_INET", AF_INET, -1 },
	{ "AF_INET6", AF_INET6, -1 },
	{ "AF_NETLINK", AF_NETLINK, NETLINK_ROUTE }, /* getifaddrs(3) */
};

const unsigned call_families_n = sizeof(call_families) / sizeof(*call_families);

#define SOCK_TYPES 0xf /* linux/net.h: SOCK_TYPE_MASK */

#define ALWAYS(name)                                                                                                   \
	{                                                                                                              \
		name, ENOSYS, false, 0, 0, 0                                                                           \
	}

/*
 * ENOSYS is what programs know from kernels without the call, and go on without it. It says so of clone3, too, whose
 * flags no filter can see; then the C library calls clone. EPERM is what the kernel itself says to who may not have a
 * user namespace. One that another has made is no better than one's own; setns() by a descriptor alone may mean any.
 * Two ioctls type into a terminal, which is the caller's shell's: that runs it, outside. A type of before Linux 2.2 makes
 * a packet socket of AF_INET.
 */
const struct call_refusal call_refusals[] = {
	ALWAYS("io_uring_setup"),
	ALWAYS("io_uring_enter"),
	ALWAYS("io_uring_register"),
	ALWAYS("add_key"),
	ALWAYS("request_key"),
	ALWAYS("keyctl"),
	ALWAYS("pidfd_getfd"),
	{ "socket", EAFNOSUPPORT, false, 1, SOCK_TYPES, SOCK_PACKET },
	{ "ioctl", EPERM, false, 1, 0xffffffff, TIOCSTI },
	{ "ioctl", EPERM, false, 1, 0xffffffff, TIOCLINUX },
	{ "clone3", ENOSYS, true, 0, 0, 0 },
	{ "clone", EPERM, true, 0, CLONE_NEWUSER, CLONE_NEWUSER },
	{ "unshare", EPERM, true, 0, CLONE_NEWUSER, CLONE_NEWUSER },
	{ "setns", EPERM, true, 1, CLONE_NEWUSER, CLONE_NEWUSER },
	{ "setns", EPERM, true, 1, 0xffffffff, 0 },
};

const unsigned call_refusals_n = sizeof(call_refusals) / sizeof(*call_refusals);

bool call_refused(const struct sw_settings *settings, const struct call_refusal *refusal)
{
	return refusal->namespaces ? !settings->user_namespaces : !settings->system_calls;
}

bool calls_filtered(const struct sw_settings *settings)
{
	return !settings->system_calls || !settings->user_namespaces;
}

static void print_families(FILE *out)
{
	fputs("RestrictAddressFamilies=", out);
	for (unsigned i = 0; i < call_families_n; i++)
		fprintf(out, "%s%s", i ? " " : "", call_families[i].name);
	fputc('\n', out);
}

/*
 * Those with conditions systemd has a word of its own for, or a unit has no need of: it has no terminal of another. A
 * packet socket takes CAP_NET_RAW.
 */
static void print_refusals(FILE *out)
{
	fputs("SystemCallFilter=~", out);
	for (unsigned i = 0; i < call_refusals_n && !call_refusals[i].namespaces; i++)
		if (!call_refusals[i].mask)
			fprintf(out, "%s%s:%s", i ? " " : "", call_refusals[i].name,
				strerrorname_np(call_refusals[i].error));
	fputc('\n', out);
}

void calls_print_unit(const struct sw_settings *settings, FILE *out)
{
	if (!calls_filtered(settings)) {
		fprintf(out, "# The policy %s asks for no filter of system calls.\n", settings->policy);
		return;
	}
	fprintf(out,
		"# What the policy %s says of system calls, as 'sockwarden policy unit' prints it.\n"
		"[Service]\nSystemCallArchitectures=native\n",
		settings->policy);
	if (!settings->system_calls) {
		print_families(out);
		print_refusals(out);
		fputs("CapabilityBoundingSet=~CAP_NET_RAW\n", out);
	}
	if (!settings->user_namespaces)
		fputs("RestrictNamespaces=~user\n", out);
}
