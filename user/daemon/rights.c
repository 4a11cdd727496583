// SPDX-License-Identifier: GPL-2.0-only
/*
 * The daemon starts as root, with CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON if the programs have to be loaded. From then
 * on it works on descriptors that it has, and keeps
 *
 *   CAP_BPF              reads and writes maps, makes those of a policy
 *   CAP_DAC_READ_SEARCH  open_by_handle_at(2), by which it sees whether a tenant's cgroup still exists
 */
#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon.h"

static const int kept[] = { CAP_BPF, CAP_DAC_READ_SEARCH };

static bool is_kept(int cap)
{
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (kept[i] == cap)
			return true;
	return false;
}

int rights_drop(struct fault *fault)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	for (int cap = 0; cap < 64 && prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		if (!is_kept(cap) && prctl(PR_CAPBSET_DROP, cap) && errno != EPERM)
			return fault_set(fault, errno, "cannot drop a capability: %s", strerror(errno));
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		data[kept[i] / 32].permitted |= 1U << kept[i] % 32;
		data[kept[i] / 32].effective |= 1U << kept[i] % 32;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_capset, &head, data))
		return fault_set(fault, errno, "cannot drop what is not needed: %s", strerror(errno));
	return 0;
}
