/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers of the kernel's interface that are macros there, and so are not in BTF. Each names its header. */
#ifndef SW_UAPI_BPF_H
#define SW_UAPI_BPF_H

#define EACCES          13 /* asm-generic/errno-base.h */
#define EPROTONOSUPPORT 93 /* asm-generic/errno.h */
#define ECONNABORTED    103
#define SIGKILL         9
#define ECONNREFUSED    111

#define AF_UNIX     1 /* linux/socket.h */
#define AF_INET     2
#define AF_INET6    10
#define SOCK_STREAM 1 /* linux/net.h */
#define SOCK_DGRAM  2
#define SOCK_RAW    3

#define PF_EXITING  0x4   /* linux/sched.h */
#define PF_MEMALLOC 0x800 /* on behalf of a block device, such as NBD, whoever reads a file there */
#define PF_KTHREAD  0x200000

#define ETH_P_IP 0x0800 /* linux/if_ether.h */

#define IPPROTO_HOPOPTS  0 /* linux/in6.h */
#define IPPROTO_ROUTING  43
#define IPPROTO_FRAGMENT 44
#define IPPROTO_DSTOPTS  60

/* linux/bpf.h: as programs see a connection. What we do not read has no name here. */
struct bpf_tcp_sock {
	__u32 before[4];
	__u32 rcv_nxt;
	__u32 between[15];
	__u64 bytes_received;
};

#endif
