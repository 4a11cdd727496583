// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "caps.h"

int caps_bound(__u64 wanted, struct fault *fault)
{
	for (int cap = 0; cap < 64 && prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		if (!(wanted & CAP_BIT(cap)) && prctl(PR_CAPBSET_DROP, cap) && errno != EPERM)
			return fault_set(fault, errno, "cannot drop a capability: %s", strerror(errno));
	return 0;
}

int caps_keep(__u64 wanted, struct fault *fault)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	int err = caps_bound(wanted, fault);

	if (err)
		return err;
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
