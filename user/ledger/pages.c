// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checksums of the ledger's pages. SQLite leaves the last eight bytes of each page alone, if it is told to; there is
 * the sum of the others, with the page's number, so that a page in the wrong place is found too. It is made in a layer
 * between SQLite and the file when a page is written, and compared when one is read: whatever is answered from a file
 * that was damaged, of rows, sums, names or the trees that lead to them, is either right or refused.
 *
 * Either all pages have one or none: page 1 says which, by having one, and gets its own last. A file of an older
 * version has no room for them; VACUUM by another program makes a file with room and without sums. A copy that is made
 * with SQLite's backup has them.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store.h"

#define SUM       8 /* bytes */
#define PAGE_MIN  512
#define PAGE_MAX  65536
#define HEAD      100              /* bytes of page 1 that tell what the file is */
#define ADDED_MAX PAGES_VACUUM_MAX /* bytes of a file that all pages are given sums when it is opened */

struct pages {
	sqlite3_file base;
	bool summed;
	sqlite3_file real[];
};

static struct pages *pages_of(sqlite3_file *file)
{
	return (struct pages *)file;
}

/*
 * What other programs change in page 1 when they copy the file, or look at it in another journal mode; and what is
 * compared by itself: of a version to come the sums may be others.
 */
static void mask(__u8 *head)
{
	memset(head + 18, 0, 2); /* journal mode */
	memset(head + 24, 0, 4); /* change counter */
	memset(head + 40, 0, 4); /* schema cookie */
	memset(head + 60, 0, 4); /* version of the ledger */
	memset(head + 68, 0, 4); /* application */
	memset(head + 92, 0, 8); /* change counter of the size, SQLite's version */
}

/* Fletcher's, as SQLite's own extension for this has it. Never 0: that is none. */
static __u64 sum_words(const __u8 *page, int from, int to, __u64 sum)
{
	__u32 a = sum, b = sum >> 32, words[2];

	for (int i = from; i < to; i += sizeof(words)) {
		memcpy(words, page + i, sizeof(words));
		a += le32toh(words[0]) + b;
		b += le32toh(words[1]) + a;
	}
	return (__u64)b << 32 | a;
}

static __u64 sum_of(const __u8 *page, int size, __u32 number)
{
	__u64 sum = (__u64)size << 32 | number;
	__u8 head[HEAD + 4] = { 0 };
	int from = 0;

	if (number == 1) {
		from = sizeof(head);
		memcpy(head, page, sizeof(head));
		mask(head);
		sum = sum_words(head, 0, from, sum);
	}
	sum = sum_words(page, from, size - SUM, sum);
	return sum ? sum : 1;
}

static __u64 get_sum(const __u8 *page, int size)
{
	__u64 sum;

	memcpy(&sum, page + size - SUM, SUM);
	return le64toh(sum);
}

static void set_sum(__u8 *page, int size, __u32 number)
{
	__u64 sum = htole64(sum_of(page, size, number));

	memcpy(page + size - SUM, &sum, SUM);
}

static bool has_room(const __u8 *head)
{
	return head[20] == SUM;
}

static bool is_page(int size, sqlite3_int64 at)
{
	return size >= PAGE_MIN && !(size & (size - 1)) && at % size == 0;
}

/* ---- the layer ---- */

static int read_at(sqlite3_file *file, void *data, int size, sqlite3_int64 at)
{
	struct pages *pages = pages_of(file);
	int err = pages->real->pMethods->xRead(pages->real, data, size, at);

	if (err || !is_page(size, at))
		return err;
	if (!at)
		pages->summed = has_room(data) && get_sum(data, size);
	return !pages->summed || get_sum(data, size) == sum_of(data, size, at / size + 1) ? SQLITE_OK
											  : SQLITE_IOERR_DATA;
}

/* In SQLite's own page, as its journal has to have the sum too: another program may undo what was cut short. */
static int write_at(sqlite3_file *file, const void *data, int size, sqlite3_int64 at)
{
	struct pages *pages = pages_of(file);

	if (pages->summed && is_page(size, at))
		set_sum((__u8 *)data, size, at / size + 1);
	return pages->real->pMethods->xWrite(pages->real, data, size, at);
}

static int close_file(sqlite3_file *file)
{
	return pages_of(file)->real->pMethods->xClose(pages_of(file)->real);
}

/* The rest is passed on. */
#define PASS(result, call, parameters, ...)                                                                            \
	static result pass_##call parameters                                                                           \
	{                                                                                                              \
		return pages_of(file)->real->pMethods->call(pages_of(file)->real, ##__VA_ARGS__);                      \
	}

PASS(int, xTruncate, (sqlite3_file * file, sqlite3_int64 size), size)
PASS(int, xSync, (sqlite3_file * file, int flags), flags)
PASS(int, xFileSize, (sqlite3_file * file, sqlite3_int64 *size), size)
PASS(int, xLock, (sqlite3_file * file, int level), level)
PASS(int, xUnlock, (sqlite3_file * file, int level), level)
PASS(int, xCheckReservedLock, (sqlite3_file * file, int *held), held)
PASS(int, xFileControl, (sqlite3_file * file, int what, void *data), what, data)
PASS(int, xSectorSize, (sqlite3_file * file))
PASS(int, xDeviceCharacteristics, (sqlite3_file * file))
PASS(int, xShmMap, (sqlite3_file * file, int page, int size, int extend, void volatile **data), page, size, extend,
     data)
PASS(int, xShmLock, (sqlite3_file * file, int at, int n, int flags), at, n, flags)
PASS(void, xShmBarrier, (sqlite3_file * file))
PASS(int, xShmUnmap, (sqlite3_file * file, int remove), remove)

/* Of version 2: without mmap, which would be read past us. */
static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = close_file,
	.xRead = read_at,
	.xWrite = write_at,
	.xTruncate = pass_xTruncate,
	.xSync = pass_xSync,
	.xFileSize = pass_xFileSize,
	.xLock = pass_xLock,
	.xUnlock = pass_xUnlock,
	.xCheckReservedLock = pass_xCheckReservedLock,
	.xFileControl = pass_xFileControl,
	.xSectorSize = pass_xSectorSize,
	.xDeviceCharacteristics = pass_xDeviceCharacteristics,
	.xShmMap = pass_xShmMap,
	.xShmLock = pass_xShmLock,
	.xShmBarrier = pass_xShmBarrier,
	.xShmUnmap = pass_xShmUnmap,
};

/* Journals and temporary files are SQLite's own business. */
static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
	sqlite3_vfs *below = sqlite3_vfs_find(NULL);
	struct pages *pages = pages_of(file);
	int err;

	(void)vfs;
	if (!(flags & SQLITE_OPEN_MAIN_DB))
		return below->xOpen(below, name, file, flags, out);
	memset(pages, 0, sizeof(*pages));
	err = below->xOpen(below, name, pages->real, flags, out);
	if (pages->real->pMethods)
		pages->base.pMethods = &methods;
	return err;
}

const char *pages_vfs(void)
{
	static sqlite3_vfs vfs;
	static const char name[] = "sockwarden";

	if (!vfs.zName) {
		vfs = *sqlite3_vfs_find(NULL);
		vfs.szOsFile += sizeof(struct pages);
		vfs.pNext = NULL;
		vfs.zName = name;
		vfs.xOpen = open_file;
		sqlite3_vfs_register(&vfs, 0);
	}
	return name;
}

/* ---- sums for a file that has none ---- */

static struct pages *pages_below(sqlite3 *db)
{
	sqlite3_file *file = NULL;

	sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
	return pages_of(file);
}

bool pages_summed(sqlite3 *db)
{
	return pages_below(db)->summed;
}

void pages_reserve(sqlite3 *db)
{
	int bytes = SUM;

	sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &bytes);
}

/* Only what SQLite does not look at is written, and nobody compares it before page 1 has its own. */
static int add_sum(sqlite3_file *file, int size, __u32 number)
{
	sqlite3_int64 at = (sqlite3_int64)(number - 1) * size;
	__u8 page[PAGE_MAX];
	int err = file->pMethods->xRead(file, page, size, at);

	if (err)
		return err;
	set_sum(page, size, number);
	return file->pMethods->xWrite(file, page + size - SUM, SUM, at + size - SUM);
}

static int add_sums(sqlite3_file *file)
{
	sqlite3_int64 length;
	__u8 head[HEAD];
	int size, err = file->pMethods->xRead(file, head, sizeof(head), 0) || file->pMethods->xFileSize(file, &length);

	size = head[16] << 8 | head[17] << 16; /* 1 is 65536 */
	if (err || !has_room(head) || head[18] != 1 || !is_page(size, 0))
		return SQLITE_ERROR;
	for (__u32 number = length / size; number > 1 && !err; number--)
		err = add_sum(file, size, number);
	if (!err)
		err = file->pMethods->xSync(file, SQLITE_SYNC_FULL);
	if (!err)
		err = add_sum(file, size, 1);
	return err ? err : file->pMethods->xSync(file, SQLITE_SYNC_FULL);
}

int pages_vacuum(struct ledger *ledger, struct fault *fault)
{
	int err;

	sqlite3_limit(ledger->db, SQLITE_LIMIT_ATTACHED, 1); /* VACUUM's own copy */
	err = store_run(ledger,
			"PRAGMA auto_vacuum = INCREMENTAL; PRAGMA temp_store = MEMORY; VACUUM; "
			"PRAGMA temp_store = DEFAULT",
			fault);
	sqlite3_limit(ledger->db, SQLITE_LIMIT_ATTACHED, 0);
	return err;
}

static int make_room(struct ledger *ledger, struct fault *fault)
{
	pages_reserve(ledger->db);
	return pages_vacuum(ledger, fault);
}

bool pages_add_sums(struct ledger *ledger)
{
	struct pages *pages = pages_below(ledger->db);
	sqlite3_int64 length = 0;
	struct fault ignored;
	__u8 head[HEAD];
	bool added;

	if (pages->summed || pages->real->pMethods->xFileSize(pages->real, &length) || length > ADDED_MAX ||
	    pages->real->pMethods->xRead(pages->real, head, sizeof(head), 0) ||
	    (!has_room(head) && make_room(ledger, &ignored)) || store_run(ledger, "BEGIN EXCLUSIVE", &ignored))
		return false;
	added = !add_sums(pages->real);
	store_run(ledger, "ROLLBACK", &ignored);
	return added;
}
