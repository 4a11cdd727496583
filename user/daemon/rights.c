// SPDX-License-Identifier: GPL-2.0-only
/*
 * The daemon starts as root, with CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON if the programs have to be loaded. From then
 * on it works on descriptors that it has, and keeps
 *
 *   CAP_BPF              reads and writes maps, makes those of a policy
 *   CAP_DAC_READ_SEARCH  open_by_handle_at(2), by which it sees whether a tenant's cgroup still exists
 *
 * The reaper goes where tenants' sockets are, and keeps besides
 *
 *   CAP_PERFMON          makes iterators of the programs
 *   CAP_SYS_ADMIN        setns(2), for network namespaces
 *   CAP_SYS_PTRACE       finds these through the processes in them
 *   CAP_NET_ADMIN        SOCK_DESTROY, where the kernel has no bpf_sock_destroy()
 *
 * The keeper attaches again what was attached, and keeps besides those of the daemon
 *
 *   CAP_NET_ADMIN        attaches packet programs to a cgroup
 *   CAP_PERFMON          loads what sees operations that no hook of a cgroup does, with the first tenant
 */
#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon.h"

#define BIT(cap) (1ULL << (cap))

#define DAEMON (BIT(CAP_BPF) | BIT(CAP_DAC_READ_SEARCH))
#define KEEPER (DAEMON | BIT(CAP_NET_ADMIN) | BIT(CAP_PERFMON))
#define REAPER (DAEMON | BIT(CAP_PERFMON) | BIT(CAP_SYS_ADMIN) | BIT(CAP_SYS_PTRACE) | BIT(CAP_NET_ADMIN))

/* Of `wanted`, what it has: a service manager may have given it less. */
static int keep(__u64 wanted, struct fault *fault)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	for (int cap = 0; cap < 64 && prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		if (!(wanted & BIT(cap)) && prctl(PR_CAPBSET_DROP, cap) && errno != EPERM)
			return fault_set(fault, errno, "cannot drop a capability: %s", strerror(errno));
	if (syscall(SYS_capget, &head, data))
		return fault_set(fault, errno, "cannot read the capabilities: %s", strerror(errno));
	for (int i = 0; i < 2; i++) {
		data[i].permitted &= wanted >> 32 * i;
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_capset, &head, data))
		return fault_set(fault, errno, "cannot drop what is not needed: %s", strerror(errno));
	return 0;
}

int rights_keep_daemon(struct fault *fault)
{
	return keep(DAEMON, fault);
}

int rights_keep_keeper(struct fault *fault)
{
	return keep(KEEPER, fault);
}

int rights_keep_reaper(struct fault *fault)
{
	return keep(REAPER, fault);
}
