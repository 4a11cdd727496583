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
 *   CAP_NET_ADMIN        SOCK_DESTROY
 *
 * The keeper attaches again what was attached, and what files of tenants name. It keeps the same: it needs
 *
 *   CAP_NET_ADMIN        attaches packet programs to a cgroup
 *   CAP_PERFMON          loads what sees operations that no hook of a cgroup does, with the first tenant
 *
 * and the rest to close the sockets of a tenant whose file is gone, as the reaper does.
 */
#include "caps.h"
#include "daemon.h"

#define DAEMON (CAP_BIT(CAP_BPF) | CAP_BIT(CAP_DAC_READ_SEARCH))
#define REAPER                                                                                                         \
	(DAEMON | CAP_BIT(CAP_PERFMON) | CAP_BIT(CAP_SYS_ADMIN) | CAP_BIT(CAP_SYS_PTRACE) | CAP_BIT(CAP_NET_ADMIN))

int rights_keep_daemon(struct fault *fault)
{
	return caps_keep(DAEMON, fault);
}

int rights_keep_keeper(struct fault *fault)
{
	return caps_keep(REAPER, fault);
}

int rights_keep_reaper(struct fault *fault)
{
	return caps_keep(REAPER, fault);
}
