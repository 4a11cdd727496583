/* SPDX-License-Identifier: GPL-2.0-only */
/* The file below the ledger: its connection, its statements, and SQLite's errors in our words. */
#ifndef SW_STORE_H
#define SW_STORE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "ledger.h"
#include "mem.h"

#define DAY    86400 /* seconds */
#define MS     1000
#define DAY_MS 86400000

/* What is true of every row, in SQL. */
#define IN_RANGE "(class IN (0, 1) AND (tx_bytes | tx_payload | tx_packets | rx_bytes | rx_payload | rx_packets) >= 0)"
#define IN_ORDER "(0 <= started AND started <= ended AND ended < 253402300800000)"

struct book;
struct spents;

struct ledger {
	char *path; /* as it was given */
	char *real; /* where that led when it was opened; NULL: it is not open */
	enum ledger_for purpose;
	struct stat seen; /* the file when we were last done with it: it is opened anew when somebody changed it */
	__u64 id;         /* of the file, once it was opened, or as it has to be; then none is made */
	int lock;         /* descriptor of the lock file, or -1; kept until the ledger is closed */
	sqlite3 *db;      /* NULL after a failure, until the next try */
	LIST(struct statement {
		const char *text;
		sqlite3_stmt *stmt;
	})
	statements;
	__s64 steps;           /* of SQLite's machine that are left to the statement */
	struct book *book;     /* what the writer remembers; NULL: to be read again */
	struct spents *spents; /* of all tenants, between ledger_begin() and ledger_end(); else NULL */
};

static inline bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/*
 * Connects, if it is not, or if somebody else moved or changed the file: makes what is missing for booking, and refuses
 * what is not a ledger.
 */
int store_connect(struct ledger *ledger, struct fault *fault);

/* The file as it is now is our own work. */
void store_stamp(struct ledger *ledger);

/* Lets go of the connection and of everything that was not committed. */
void store_disconnect(struct ledger *ledger);

/* Statements without parameters and results. */
int store_run(struct ledger *ledger, const char *text, struct fault *fault);

/*
 * A statement, compiled once for each `text`, which is a literal. `types` has a letter for each parameter: i an
 * __s64, t a text or NULL, h the 32 bytes of a hash.
 */
int store_ask(struct ledger *ledger, sqlite3_stmt **stmt, struct fault *fault, const char *text, const char *types,
	      ...);
/* 1: there is a row; 0: no more; or -errno. Whoever stops at a row calls sqlite3_reset(). */
int store_step(struct ledger *ledger, sqlite3_stmt *stmt, struct fault *fault);

/* For statements that give no row. */
#define store_write(ledger, fault, ...)                                                                                \
	({                                                                                                             \
		sqlite3_stmt *stmt_;                                                                                   \
		int err_ = store_ask(ledger, &stmt_, fault, __VA_ARGS__);                                              \
		err_ ? err_ : store_step(ledger, stmt_, fault);                                                        \
	})

/* The number in the only row, for those that give one: `value` is left alone when there is no row, or an error. */
int store_take(struct ledger *ledger, sqlite3_stmt *stmt, __s64 *value, struct fault *fault);
#define store_number(ledger, value, fault, ...)                                                                        \
	({                                                                                                             \
		sqlite3_stmt *stmt_;                                                                                   \
		int err_ = store_ask(ledger, &stmt_, fault, __VA_ARGS__);                                              \
		err_ ? err_ : store_take(ledger, stmt_, value, fault);                                                 \
	})

/* Writes the line of SQLite's last error and returns its -errno. */
int store_fault(struct ledger *ledger, struct fault *fault);

int place_make(struct ledger *ledger, struct fault *fault);         /* the file, and what is around it */
int place_look(struct ledger *ledger, struct fault *fault);         /* is it there, and a file? */
int place_trust(struct ledger *ledger, struct fault *fault);        /* its file system keeps locks and syncs */
int place_closed(const struct ledger *ledger, struct fault *fault); /* -EACCES, and who may read it */
int place_lock(struct ledger *ledger, struct fault *fault);         /* against a second daemon */
int schema_prepare(struct ledger *ledger, struct fault *fault);

/* The layer below SQLite that keeps and compares the pages' checksums; see pages.c. */
const char *pages_vfs(void);
void pages_reserve(sqlite3 *db); /* of a file that is to be made: room for them */
bool pages_summed(sqlite3 *db);  /* they are there, and compared; known once something was read */

/*
 * Gives them to a file that has none, if it is small enough to wait for. True: it has them now, and has to be opened
 * anew. What fails leaves the file as it was, or with room for them: that is no reason not to book in it.
 */
bool pages_add_sums(struct ledger *ledger);

/* Writes the file anew, without its free pages, and so that later ones can be given back a few at a time. */
int pages_vacuum(struct ledger *ledger, struct fault *fault);
#define PAGES_VACUUM_MAX (64 << 20) /* bytes of a file for which that may be waited for: about a second */

/* Whether a day's sums are those of its rows; see check.c. */
struct proof {
	__s64 tick;   /* the ledger's last then, */
	__s64 pruned; /* and the last of the day's that was pruned */
	__u64 rows;
};
int check_proof(struct ledger *ledger, __s64 day, struct proof *out, struct fault *fault);

/* Turns of a long work: in the pauses between two of them a daemon that waits can book. */
struct turns {
	__s64 breathed; /* when others could write last, milliseconds */
};
void turns_breathe(struct turns *turns);
#define ROWS_A_TURN 20000 /* some 40 ms to read */

/*
 * -ENODATA, and a line, when rows that begin in [from, to), milliseconds, were pruned. Whoever asks after reading has
 * missed none.
 */
int prune_missed(struct ledger *ledger, __s64 from, __s64 to, struct fault *fault);

void book_free(struct book *book);       /* NULL is fine */
void spents_free(struct spents *spents); /* likewise */

#endif
