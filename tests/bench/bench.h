/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What things cost: hooks, traffic, memory, loading. The parent decides who runs when; the work is done by clients,
 * one process to a cgroup, that run in turns of some milliseconds. Everything is compared within a round, in
 * which every client had the same number of turns, and what is printed is the median of the rounds.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "abi.h"

#define ROUNDS 31

#define NEAR4 "127.0.0.1" /* `bench serve` answers here, on the near side */
#define NEAR6 "::1"
#define FAR4  "198.51.0.1" /* and here, at the other end of the veth pair */
#define FAR6  "2001:db8:1::1"
#define NULL4 "203.0.113.1" /* nobody: dropped on arrival */
#define NULL6 "2001:db8::1"

enum port {
	PORT_NOBODY = 7000,
	PORT_CLOSE = 7001,  /* TCP: accepts and resets */
	PORT_STREAM = 7002, /* TCP, far only: far_accept() */
	PORT_DROP = 7003,   /* UDP: never read; the first of PEERS_MAX */
};

void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* ---- work ---- */

#define PEERS_MAX 16

struct work {
	int fd, other;
	struct sockaddr_storage peer[PEERS_MAX];
	socklen_t len;
	unsigned turn;
	int *crowd; /* `load->crowd` sockets */
	struct dialog *dialog;
	const struct load *load;
};

struct load {
	const char *name;
	int batch; /* operations between two looks at the clock */
	const char *peer;
	int port;
	unsigned peers; /* at this port and the next ones, a power of two; more than one where `run` takes turns */
	int (*open)(struct work *work); /* 0 or -1 with errno, as both */
	int (*run)(struct work *work);  /* one operation */
	int crowd;
	const struct answer *answer; /* to the question that is asked */
	int most;                    /* operations in a turn; 0: as many as there is time for */
};

enum load_id {
	LOAD_SOCKET,
	LOAD_CONNECT4,
	LOAD_CONNECT4_TWO,
	LOAD_CONNECT6,
	LOAD_SEND_NULL,
	LOAD_SENDTO4,
	LOAD_SENDTO4_TWO,
	LOAD_SENDTO6,
	LOAD_INGRESS,
	LOAD_BIND4,
	LOAD_BIND6,
	LOAD_GET_PASS,
	LOAD_GET_MOCK,
	LOAD_SET_PASS,
	LOAD_SET_MOCK,
	LOAD_TCP_NEAR,
	LOAD_NAME4,
	LOAD_NAME6,
	LOAD_PEER4,
	LOAD_PEER6,
	LOAD_RECV4,
	LOAD_RECV6,
	LOAD_TCP_FAR,
	LOAD_STREAM,
	LOAD_SEND_FAR,
	LOAD_SENDTO_FAR,
	LOAD_SENDTO_FAR_TWO,
	LOAD_SENDTO_FAR_SIXTEEN,
	LOAD_REFUSED,
	LOAD_REFUSED6,
	LOAD_SERVED,
	LOAD_REQUEST,
	LOAD_CROWD,
	LOAD_SEND_FAR6,
	LOAD_SENDTO_FAR6,
	LOAD_HOLD_IDLE,
	LOAD_HOLD_CONNECTED,
	LOAD_ASK_NEGATIVE,
	LOAD_ASK_ANEW,
	LOAD_ASK_RENEWED,
	LOAD_ASK_NEW,
	LOAD_ASK_NEW_MANY,
	LOAD_ASK_ALIASES,
	LOAD_ASK_STRANGE,
	LOAD_ASK_STREAM,
	LOAD_NAMED_CONNECT,
	LOAD_NAMED_SEND,
	LOAD_NAMED_SENDTO,
};

extern const struct load loads[];

/* ---- questions to a name server ---- */

#define NAME_SERVER "127.0.0.53"
#define NAME_NAMED  "api.example.com" /* a rule has it, and none has the other */
#define NAME_OTHER  "www.example.org"

struct answer {
	const char *name;
	unsigned aliases, addresses;
	const char *first; /* of the addresses; NULL: one that is nobody's here */
	bool fresh;        /* the addresses are others each time */
};

/* Before the clients start: what they are answered over is no tenant's. */
void answers_open(void);

/* In these one thread is both ends, so nobody is woken. */
int open_asking(struct work *work);
int open_asking_anew(struct work *work);
int open_asking_stream(struct work *work);
int run_ask(struct work *work);
int run_ask_anew(struct work *work);
int ask_once(struct work *work);

/* ---- clients ---- */

struct client {
	char cgroup[SW_PATH_MAX];
	int fd; /* to the process */
	int pid;
	long done; /* operations in all its turns */
};

/* The bench's own near side, or its twin. */
enum network { NETWORK_OWN, NETWORK_TWIN, NETWORKS };

/* Makes cgroup `name` below the bench's own, and starts a process in it. */
void client_start(struct client *client, const char *name);

/* Starts a process in client->cgroup, which is there. */
void client_start_in(struct client *client, enum network network);
void client_stop(struct client *client);
void client_open(struct client *client, enum load_id load);
void client_close(struct client *client);

/* Nanoseconds per operation. */
double client_turn(struct client *client, int ms);

/* Can it send a datagram to prefix_of(i)? */
bool client_reaches(struct client *client, unsigned i);

/* Gives each of `n` clients `ms` in each of ROUNDS rounds; ns[client][round]. */
void take_turns(struct client *clients, int n, int ms, double ns[][ROUNDS]);

const char *given(const char *name); /* an environment variable that tests/bench/bench sets */
const char *cgroup_base(void);
void cgroup_add(const char *name, char path[SW_PATH_MAX]);
__u64 cgroup_number(const char *path);
__u32 cgroup_level(const char *path);
void network_enter(const char *process); /* that of the process of this number */
socklen_t address_set(struct sockaddr_storage *to, const char *address, int port);
void pin_near(void);
void pin_far(void);

int listening(const char *address, int port);

/* On disk, for what would cost nothing in memory. */
const char *ledger_folder(void);

/* Never returns. TCP at the first address only. */
void serve(char *const addresses[]);

/* Listens on the far sides, before the clients start: what they accept there is theirs to read, and no tenant's. */
void far_listen(void);
void far_use(enum network network);
int far_accept(void);

/* ---- policies ---- */

/* Prefix `i` of an endless list without repeats: /24 and /48 in turns, none of which has a server in it. */
struct sw_prefix prefix_of(unsigned i);

/* A policy that denies the first `n` of them, as a file; `variant` makes it another policy. */
void policy_write(unsigned n, int variant, char path[SW_PATH_MAX]);

/* ---- programs that do nothing ---- */

void empty_load(const char *object);
int empty_program(enum sw_hook hook);
int pinned(const char *prefix, const char *name);                  /* of the host: a program or a map */
int hook_hold(const char *cgroup, int program, enum sw_hook hook); /* a link, which the caller closes */

/* Holds an empty program on each hook on which `model` has one; how many there are. */
int hooks_copy(const char *cgroup, const char *model, int links[SW_HOOK_COUNT]);

struct cost {
	double wall, user, system; /* milliseconds */
};

const char *program(void);

/* Runs the program; it must succeed. */
struct cost sockwarden(const char *const args[]);
void attach(const char *cgroup, const char *tenant, const char *policy);
void detach(const char *tenant);

/* ---- numbers ---- */

struct quartiles {
	double low, median, high;
};

struct quartiles quartiles(const double *v, int n);
struct quartiles ratios(const double *over, const double *under, int n);

double now_ns(void);

/* A Markdown table: cells come row by row, the first row is the heading. */
void cell(const char *format, ...) __attribute__((format(printf, 1, 2)));
void cell_ratio(struct quartiles q);
void table_print(const char *title, int columns);

/* ---- the measurements ---- */

void bench_hooks(int ms, const char *empty_object);
void bench_peers(int ms, const char *empty_object);
void bench_builds(int ms);
void bench_names(void);
void bench_memory(void);
void bench_life(void);
void bench_loading(void);
void bench_passes(void);
void bench_tenants(void);

#define HOOK_TURNS  (24 * 3 * (ROUNDS + 1)) /* how many turns these take */
#define BUILD_TURNS (LOAD_HOLD_IDLE * 3 * (ROUNDS + 1))
#define PEER_TURNS  ((23 * 6 + 2 * 4 * 7) * (ROUNDS + 1))

#endif
