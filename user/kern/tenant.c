// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "hits.h"
#include "mem.h"
#include "meter.h"
#include "names.h"
#include "refused.h"
#include "tenant.h"
#include "wanted.h"
#include "watch.h"

static const enum bpf_attach_type attach_type[] = {
#define X(id, name, type) [SW_HOOK_##id] = type,
	SW_HOOKS(X)
#undef X
};

const char *tenant_name_check(const char *name)
{
	if (!*name)
		return "it is empty";
	if (strlen(name) >= SW_NAME_MAX)
		return "it has more than 63 bytes";
	if (*name == '.' || *name == '-')
		return "it begins with a dot or a hyphen";
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("-_.@:", *name))
			return "only letters, digits and - _ . @ : may stand in it";
	return NULL;
}

/* It has its name and, while that is there, its cgroup. */
static bool is_attached(const struct sw_record *record)
{
	return record->cgroup && !record->lingers;
}

__u32 tenant_find(const struct host *host, const char *name)
{
	for (__u32 slot = 1; slot < SW_TENANTS_MAX; slot++)
		if (is_attached(&host->records[slot]) && !strcmp(host->records[slot].name, name))
			return slot;
	return 0;
}

__u32 tenant_of_tenancy(const struct host *host, __u64 tenancy)
{
	for (__u32 slot = 1; slot < SW_TENANTS_MAX; slot++)
		if (is_attached(&host->records[slot]) && host->records[slot].tenancy == tenancy)
			return slot;
	return 0;
}

__u32 tenant_of_cgroup(const struct host *host, __u64 cgroup)
{
	for (__u32 slot = 1; slot < SW_TENANTS_MAX; slot++)
		if (is_attached(&host->records[slot]) && host->records[slot].cgroup == cgroup)
			return slot;
	return 0;
}

/* bpffs keeps dots for itself; a comma is in no tenant's name. */
static const char *pin_folder(char path[256], const char *name)
{
	int len = snprintf(path, 256, SW_PINS "/tenants/%s", name);

	for (char *c = path + len - strlen(name); *c; c++)
		if (*c == '.')
			*c = ',';
	return path;
}

/* Where the record's pins are. */
static const char *folder_of(char path[256], const struct sw_record *record)
{
	return record->lingers ? host_kept(path, record->tenancy) : pin_folder(path, record->name);
}

static const char *pin_path(char path[256], const struct sw_record *record, enum sw_hook hook)
{
	size_t len = strlen(folder_of(path, record));

	snprintf(path + len, 256 - len, "/%s", hook_name(hook));
	return path;
}

static bool is_hook(const char *name)
{
	for (int hook = 0; hook < SW_HOOK_COUNT; hook++)
		if (!strcmp(hook_name(hook), name))
			return true;
	return false;
}

/* Someone may have removed links by hand. The folder is listed: asking for each pin is three times dearer. */
static bool pins_whole(const struct sw_record *record)
{
	char path[256];
	DIR *folder = opendir(folder_of(path, record));
	struct dirent *pin;
	int found = 0;

	while (folder && (pin = readdir(folder)))
		found += is_hook(pin->d_name);
	if (folder)
		closedir(folder);
	return found == SW_HOOK_COUNT;
}

/* With what the programs know of the tenant: all zeroes when that is nothing, or another's. */
static enum tenant_state read_state(const struct host *host, __u32 slot, struct sw_tenant *tenant)
{
	const struct sw_record *record = &host->records[slot];

	if (host_storage(host, record->cgroup, tenant) || tenant->slot != slot)
		*tenant = (struct sw_tenant){ 0 };
	if (cgroup_alive(host->cgroups, record->cgroup) == 0)
		return TENANT_GONE;
	if (!tenant->slot || !pins_whole(record))
		return TENANT_INCOMPLETE;
	return host->settings[tenant->image].audit ? TENANT_AUDITED : TENANT_ENFORCED;
}

enum tenant_state tenant_state(const struct host *host, __u32 slot)
{
	struct sw_tenant tenant;

	return read_state(host, slot, &tenant);
}

static int write_storage(struct host *host, __u64 cgroup, const struct sw_tenant *tenant, struct fault *fault)
{
	if (!bpf_map_update_elem(host->map[MAP_tenants], &cgroup, tenant, BPF_EXIST))
		return 0;
	return fault_set(fault, errno, "cannot write the storage of the cgroup: %s", strerror(errno));
}

static int write_record(struct host *host, __u32 slot, const struct sw_record *record, struct fault *fault)
{
	if (!bpf_map_update_elem(host->map[MAP_records], &slot, record, BPF_ANY))
		return 0;
	return fault_set(fault, errno, "cannot write the map 'records': %s", strerror(errno));
}

/* Counters of the slot's last tenant must not show up on the next one's invoice. */
static int clear_counters(struct host *host, __u32 slot, struct fault *fault)
{
	int cpus = libbpf_num_possible_cpus();
	struct sw_meter *zero = mem_alloc(cpus, sizeof(*zero));
	struct sw_counts none = { 0 };
	int err = 0;

	if (bpf_map_update_elem(host->map[MAP_meters], &slot, zero, BPF_ANY) ||
	    bpf_map_update_elem(host->map[MAP_counts], &slot, &none, BPF_ANY))
		err = fault_set(fault, errno, "cannot clear the counters: %s", strerror(errno));
	free(zero);
	return err;
}

/* Egress goes last, as it came first. */
static int unpin_all(const struct sw_record *record, struct fault *fault)
{
	char path[256];

	for (int hook = SW_HOOK_COUNT - 1; hook >= 0; hook--)
		if (unlink(pin_path(path, record, hook)) && errno != ENOENT)
			return fault_set(fault, errno, "cannot remove %s: %s", path, strerror(errno));
	return 0;
}

/* The tenant's folder goes, or waits for the ledger. */
static int end_folder(const struct sw_record *record, bool booked, struct fault *fault)
{
	char path[256];

	folder_of(path, record);
	if (booked)
		return record->lingers ? 0 : host_keep(path, record->tenancy, fault);
	if (rmdir(path) && errno != ENOENT)
		return fault_set(fault, errno, "cannot remove %s: %s", path, strerror(errno));
	return 0;
}

static int make_links(const struct host *host, const struct cgroup *cgroup, int links[SW_HOOK_COUNT],
		      struct fault *fault)
{
	for (int hook = 0; hook < SW_HOOK_COUNT; hook++) {
		links[hook] = bpf_link_create(host->prog[hook], cgroup->fd, attach_type[hook], NULL);
		if (links[hook] < 0)
			return fault_set(fault, errno, "the kernel does not attach %s to %s: %s", hook_name(hook),
					 cgroup->path, strerror(errno));
	}
	return 0;
}

static int pin_links(const struct sw_record *record, const int links[SW_HOOK_COUNT], struct fault *fault)
{
	char path[256];

	if (mkdir(folder_of(path, record), 0700))
		return fault_set(fault, errno, "cannot make %s: %s", path, strerror(errno));
	for (int hook = 0; hook < SW_HOOK_COUNT; hook++)
		if (bpf_obj_pin(links[hook], pin_path(path, record, hook)))
			return fault_set(fault, errno, "cannot pin %s: %s", path, strerror(errno));
	return 0;
}

/* True for a path and any path below it. */
static bool is_below(const char *path, const char *above)
{
	size_t len = strlen(above);

	return !strncmp(path, above, len) && (path[len] == '/' || !path[len]);
}

/* Why the cgroup cannot become a tenant of this name beside the one in `slot`; 0 if it can. */
static int check_beside(const struct host *host, __u32 slot, const char *name, const struct cgroup *cgroup,
			struct fault *fault)
{
	const struct sw_record *other = &host->records[slot];

	if (!strcmp(other->name, name))
		return fault_set(fault, EEXIST,
				 "tenant %s is attached already, to %s: choose another name with --tenant, or end it "
				 "with 'sockwarden detach %s'",
				 name, other->path, name);
	if (other->cgroup == cgroup->id)
		return fault_set(fault, EEXIST, "%s is tenant %s already", cgroup->path, other->name);
	if (is_below(cgroup->path, other->path))
		return fault_set(fault, EEXIST, "%s is inside tenant %s: a tenant has one policy for all of it",
				 cgroup->path, other->name);
	if (is_below(other->path, cgroup->path))
		return fault_set(fault, EEXIST, "%s has tenant %s inside: detach that first", cgroup->path,
				 other->name);
	return 0;
}

static int check_free(const struct host *host, const char *name, const struct cgroup *cgroup, struct fault *fault)
{
	for (__u32 slot = 1; slot < SW_TENANTS_MAX; slot++) {
		int err = host->records[slot].cgroup ? check_beside(host, slot, name, cgroup, fault) : 0;

		if (err && tenant_state(host, slot) != TENANT_GONE)
			return err;
	}
	return 0;
}

/*
 * A slot that was never used, or has been released. While no ledger books on this host nobody waits for the bytes of
 * those that have ended, and when no slot is left the one that ended first is used again.
 */
static int find_slot(const struct host *host, __u32 *slot, struct fault *fault)
{
	char ledger[SW_PATH_MAX];
	__u32 ended = 0;
	int err;

	for (*slot = 1; *slot < SW_TENANTS_MAX; ++*slot) {
		const struct sw_record *record = &host->records[*slot];

		if (!record->tenancy)
			return 0;
		if (!record->cgroup && (!ended || record->tenancy < host->records[ended].tenancy))
			ended = *slot;
	}
	err = host_ledger(host, ledger, fault);
	if (err)
		return err;
	*slot = ended;
	if (!ended)
		return fault_set(fault, ENOSPC, "%d tenants are attached, which is the most: detach one",
				 SW_TENANTS_MAX - 1);
	if (*ledger)
		return fault_set(fault, ENOSPC,
				 "no slot is free until the ledger has booked the tenants that have "
				 "ended: start sockwarden daemon");
	return 0;
}

/* Storage outlives the programs: what an earlier tenant left there must not come into force again. */
static int clear_storage(struct host *host, __u64 cgroup, struct fault *fault)
{
	struct sw_tenant tenant;
	int err = host_storage(host, cgroup, &tenant);

	if (err && err != -ENOENT)
		return fault_set(fault, -err, "cannot read the storage of the cgroup: %s", strerror(-err));
	return err ? 0 : write_storage(host, cgroup, &(struct sw_tenant){ 0 }, fault);
}

static int attach_links(struct host *host, const struct sw_record *record, const struct cgroup *cgroup,
			struct fault *fault)
{
	int links[SW_HOOK_COUNT], err;

	memset(links, -1, sizeof(links));
	err = make_links(host, cgroup, links, fault);
	if (!err)
		err = pin_links(record, links, fault);
	for (int hook = 0; hook < SW_HOOK_COUNT; hook++)
		if (links[hook] >= 0)
			close(links[hook]);
	return err;
}

static int fill_storage(struct host *host, __u32 slot, const struct cgroup *cgroup, const struct published *image,
			__u64 limit, struct fault *fault)
{
	struct sw_tenant tenant = {
		.slot = slot,
		.image = image->image,
		.serial = image->serial,
		.cgroup = cgroup->id,
		.limit = limit,
		.level = cgroup->level,
		.tenancy = host->records[slot].tenancy,
	};

	return write_storage(host, cgroup->id, &tenant, fault);
}

/* What the next row of the ledger will say of it. */
static void name_policy(struct host *host, struct sw_record *record, const struct published *image, const char *policy)
{
	memcpy(record->hash, host->settings[image->image].hash, sizeof(record->hash));
	snprintf(record->policy, sizeof(record->policy), "%s", policy);
}

static int make_record(struct host *host, const struct attachment *as, const struct cgroup *cgroup,
		       struct sw_record *record, struct fault *fault)
{
	*record = (struct sw_record){ .cgroup = cgroup->id, .since = time(NULL), .tenancy = as->tenancy };
	snprintf(record->name, sizeof(record->name), "%s", as->name);
	snprintf(record->path, sizeof(record->path), "%s", cgroup->path);
	name_policy(host, record, &as->image, as->policy);
	return record->tenancy ? 0 : host_next_serial(host, &record->tenancy, fault);
}

/* It is noted before it is in force: who is killed in between leaves a tenant that the daemon attaches. */
static int note_wanted(struct host *host, const struct sw_record *record, struct fault *fault)
{
	struct sw_wanted is;

	memcpy(is.path, record->path, sizeof(is.path));
	memcpy(is.policy, record->policy, sizeof(is.policy));
	return wanted_put(host, record->name, &is, fault);
}

/* What keeps the cgroup, or the name, from being a tenant's is an error, or is tidied up. */
static int make_room(struct host *host, const struct cgroup *cgroup, const struct attachment *as, __u32 *slot,
		     struct fault *fault)
{
	__u32 old = tenant_find(host, as->name);
	int err = 0;

	if (!as->wanted && wanted_has(host, as->name))
		return fault_set(fault, EEXIST,
				 "tenant %s is to be attached when its cgroup is there again: choose another name, or "
				 "'sockwarden detach %s' first",
				 as->name, as->name);
	if (old && tenant_state(host, old) > TENANT_AUDITED)
		err = tenant_detach(host, old, fault);
	if (err)
		return err;
	tenant_sweep(host);
	err = check_free(host, as->name, cgroup, fault);
	if (!err)
		err = find_slot(host, slot, fault);
	if (!err)
		err = clear_counters(host, *slot, fault);
	return err ? err : clear_storage(host, cgroup->id, fault);
}

int tenant_attach(struct host *host, const struct cgroup *cgroup, const struct attachment *as, __u32 *slot,
		  struct fault *fault)
{
	bool known = wanted_has(host, as->name);
	struct sw_record record;
	struct fault ignored;
	int err = make_room(host, cgroup, as, slot, fault);

	if (!err)
		err = make_record(host, as, cgroup, &record, fault);
	if (!err)
		err = write_record(host, *slot, &record, fault);
	if (err)
		return err;
	err = attach_links(host, &record, cgroup, fault);
	if (!err)
		err = as->wanted ? note_wanted(host, &record, fault) : 0;
	if (!err)
		err = hits_place(host, *slot, as->image.serial, host->settings[as->image.image].rules, fault);
	if (!err)
		err = fill_storage(host, *slot, cgroup, &as->image, as->limit, fault);
	if (err) {
		tenant_detach(host, *slot, &ignored);
		if (!known)
			wanted_drop(host, as->name, &ignored);
		return err;
	}
	watch_start(host);
	host_announce();
	return 0;
}

static int read_storage(const struct host *host, __u32 slot, struct sw_tenant *tenant, struct fault *fault)
{
	int err = host_storage(host, host->records[slot].cgroup, tenant);

	if (!err && tenant->slot == slot)
		return 0;
	return fault_set(fault, EINVAL, "tenant %s is %s: detach it, and attach it again", host->records[slot].name,
			 tenant_state_name(tenant_state(host, slot)));
}

/*
 * While there is no limit nothing is spent, so what the meter has beyond it is found when spending begins: at first
 * under a limit that is never reached, so that all that passes from then on is in both. The counter is read before the
 * meter: what passes between the two is taken for unspent, in the budget's favour.
 */
int tenant_count(struct host *host, __u32 slot, struct fault *fault)
{
	struct sw_record record = host->records[slot];
	struct sw_tenant tenant;
	struct sw_meter meter;
	__u64 spent;
	int err = read_storage(host, slot, &tenant, fault);

	if (err || tenant.limit != SW_NO_LIMIT)
		return err;
	tenant.limit = SW_COUNTING;
	err = write_storage(host, tenant.cgroup, &tenant, fault);
	if (!err)
		err = host_synchronize(host, fault);
	if (err)
		return err;
	spent = *(volatile const __u64 *)&host->counts[slot].spent;
	err = tenant_meter(host, slot, &meter, fault);
	record.unspent = meter.of[SW_BILLABLE][SW_TX].bytes - spent;
	return err ? err : write_record(host, slot, &record, fault);
}

/* The record goes first: whoever is killed in between leaves a tenant under its old policy, and a row with the new
 * hash. */
int tenant_replace(struct host *host, __u32 slot, const struct attachment *as, struct fault *fault)
{
	struct sw_record record = host->records[slot];
	struct sw_tenant tenant;
	int err = read_storage(host, slot, &tenant, fault);

	if (err)
		return err;
	if (tenant.serial != as->image.serial)
		err = hits_place(host, slot, as->image.serial, host->settings[as->image.image].rules, fault);
	if (err)
		return err;
	tenant.image = as->image.image;
	tenant.serial = as->image.serial;
	tenant.limit = as->limit;
	name_policy(host, &record, &as->image, as->policy);
	err = write_record(host, slot, &record, fault);
	if (!err && wanted_at(host, record.name, record.path))
		err = note_wanted(host, &record, fault);
	if (!err)
		err = write_storage(host, tenant.cgroup, &tenant, fault);
	host_announce();
	return err;
}

int tenant_limit(struct host *host, __u32 slot, __u64 limit, struct fault *fault)
{
	struct sw_tenant tenant;
	int err = read_storage(host, slot, &tenant, fault);

	if (err || tenant.limit == limit)
		return err;
	tenant.limit = limit;
	return write_storage(host, tenant.cgroup, &tenant, fault);
}

static bool any_tenant(const struct host *host)
{
	for (__u32 slot = 1; slot < SW_TENANTS_MAX; slot++)
		if (host->records[slot].cgroup)
			return true;
	return false;
}

static int end_slot(struct host *host, __u32 slot, struct fault *fault)
{
	struct sw_record record = host->records[slot];
	char ledger[SW_PATH_MAX] = "";
	int err = clear_storage(host, record.cgroup, fault);

	if (!err)
		err = unpin_all(&record, fault);
	if (!err)
		err = host_ledger(host, ledger, fault);
	if (!err)
		err = end_folder(&record, *ledger, fault);
	record.cgroup = 0;
	if (!err)
		err = write_record(host, slot, &record, fault);
	if (!any_tenant(host))
		watch_stop();
	host_announce();
	return err;
}

/* Of a cgroup that was removed the storage and the programs live on until its last socket is gone. */
static bool has_sockets(const struct host *host, __u32 slot)
{
	struct sw_tenant tenant;

	return host_storage(host, host->records[slot].cgroup, &tenant) != -ENOENT;
}

/* The name is given away, and the links stay: what its sockets have yet to send is held to the policy and metered. */
static int let_linger(struct host *host, __u32 slot, struct fault *fault)
{
	struct sw_record record = host->records[slot];
	char path[256];
	int err = host_keep(pin_folder(path, record.name), record.tenancy, fault);

	record.lingers = 1;
	return err ? err : write_record(host, slot, &record, fault);
}

int tenant_detach(struct host *host, __u32 slot, struct fault *fault)
{
	if (tenant_lingers(host, slot))
		return let_linger(host, slot, fault);
	return end_slot(host, slot, fault);
}

int tenant_end(struct host *host, __u32 slot, struct fault *fault)
{
	return has_sockets(host, slot) ? 0 : end_slot(host, slot, fault);
}

void tenant_sweep(struct host *host)
{
	struct fault ignored;

	for (__u32 slot = 1; slot < SW_TENANTS_MAX; slot++)
		if (host->records[slot].cgroup && host->records[slot].lingers)
			tenant_end(host, slot, &ignored);
}

bool tenant_lingers(const struct host *host, __u32 slot)
{
	return slot && tenant_state(host, slot) == TENANT_GONE && has_sockets(host, slot);
}

int tenant_release(struct host *host, __u32 slot, struct fault *fault)
{
	int err = host_let_go(host->records[slot].tenancy, fault);

	return err ? err : write_record(host, slot, &(struct sw_record){ 0 }, fault);
}

int tenant_meter(const struct host *host, __u32 slot, struct sw_meter *out, struct fault *fault)
{
	int cpus = libbpf_num_possible_cpus(), err = 0;
	struct sw_meter *per_cpu = mem_alloc(cpus, sizeof(*per_cpu));

	*out = (struct sw_meter){ 0 };
	if (bpf_map_lookup_elem(host->map[MAP_meters], &slot, per_cpu))
		err = fault_set(fault, errno, "cannot read the meters: %s", strerror(errno));
	for (int i = 0; i < cpus && !err; i++)
		meter_add(out, &per_cpu[i]);
	free(per_cpu);
	return err;
}

/* What is gone, and is to be attached again when it is there again, may be there already. */
static enum tenant_state shown_state(const struct host *host, __u32 slot, struct sw_tenant *tenant)
{
	enum tenant_state state = read_state(host, slot, tenant);
	const struct sw_record *record = &host->records[slot];
	bool named = state == TENANT_GONE && !record->lingers;

	return named && wanted_at(host, record->name, record->path) ? TENANT_UNPROTECTED : state;
}

#define READ_TRIES 10 /* a policy may be replaced while we read, and its number given away */

__u32 tenant_begin_report(const struct host *host, __u32 slot, struct report *report)
{
	struct sw_tenant tenant;

	*report = (struct report){
		.record = host->records[slot],
		.counts = host->counts[slot],
		.limit = SW_NO_LIMIT,
	};
	for (int i = 0; i < READ_TRIES; i++) {
		report->state = shown_state(host, slot, &tenant);
		report->settings = host->settings[tenant.image];
		if (report->settings.serial == tenant.serial)
			break;
	}
	if (!tenant.slot || report->settings.serial != tenant.serial) {
		report->settings = (struct sw_settings){ 0 };
		return 0;
	}
	report->limit = tenant.limit;
	return tenant.image;
}

static void add_rule(const struct host *host, __u32 slot, __u32 rule, const struct sw_text *text, struct report *report)
{
	struct rule_hits row = { .rule = rule, .hits = hits_of(host, slot, report->settings.serial, rule) };

	if (!row.hits)
		return;
	if (text)
		row.text = *text;
	else
		strcpy(row.text.text, rule == SW_RULE_DEFAULT ? "default" : "?");
	*list_add(&report->rules) = row;
}

void tenant_rules(const struct host *host, __u32 slot, const struct sw_text *texts, size_t n, struct report *report)
{
	if (!report->settings.serial)
		return;
	for (__u32 rule = 0; rule < report->settings.rules; rule++)
		add_rule(host, slot, rule, rule < n ? &texts[rule] : NULL, report);
	add_rule(host, slot, SW_RULE_DEFAULT, NULL, report);
}

int tenant_report(const struct host *host, __u32 slot, struct report *report, struct fault *fault)
{
	__u32 image = tenant_begin_report(host, slot, report);
	size_t n;
	struct sw_text *texts = published_texts(host, image, &n);
	int err;

	tenant_rules(host, slot, texts, n, report);
	free(texts);
	err = refused_read(host, slot, report, fault);
	return err ? err : tenant_meter(host, slot, &report->meter, fault);
}

int tenant_close(struct host *host, __u32 slot, struct report *report, struct fault *fault)
{
	int err = tenant_detach(host, slot, fault);

	if (!err)
		err = host_synchronize(host, fault);
	if (err)
		return err;
	report->counts = host->counts[slot];
	return tenant_meter(host, slot, &report->meter, fault);
}

static bool is_ours(const struct host *host, __u32 id)
{
	struct bpf_prog_info info;
	__u32 len;

	for (int hook = 0; hook < SW_HOOK_COUNT; hook++) {
		len = sizeof(info);
		memset(&info, 0, sizeof(info));
		if (!bpf_obj_get_info_by_fd(host->prog[hook], &info, &len) && info.id == id)
			return true;
	}
	return false;
}

static void name_program(struct foreign *foreign)
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(foreign->id);

	if (fd < 0)
		return;
	if (!bpf_obj_get_info_by_fd(fd, &info, &len))
		snprintf(foreign->program, sizeof(foreign->program), "%s", info.name);
	close(fd);
}

#define FOREIGN_MAX 64

static int foreign_at(const struct host *host, const char *path, int fd, void (*report)(const struct foreign *, void *),
		      void *data, struct fault *fault)
{
	for (int hook = 0; hook < SW_HOOK_COUNT; hook++) {
		__u32 ids[FOREIGN_MAX], n = FOREIGN_MAX, flags;

		if (bpf_prog_query(fd, attach_type[hook], 0, &flags, ids, &n))
			return fault_set(fault, errno, "cannot see which programs are on %s: %s", path,
					 strerror(errno));
		for (__u32 i = 0; i < n; i++) {
			struct foreign foreign = { .id = ids[i], .hook = hook };

			if (is_ours(host, ids[i]))
				continue;
			snprintf(foreign.cgroup, sizeof(foreign.cgroup), "%s", path);
			name_program(&foreign);
			report(&foreign, data);
		}
	}
	return 0;
}

int tenant_foreign(const struct host *host, const struct cgroup *cgroup,
		   void (*report)(const struct foreign *foreign, void *data), void *data, struct fault *fault)
{
	char path[SW_PATH_MAX];
	int fd = cgroup->fd, above, err = 0;

	strcpy(path, cgroup->path);
	for (__u32 level = cgroup->level; !err && level; level--) {
		above = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd != cgroup->fd)
			close(fd);
		fd = above;
		*strrchr(path, '/') = '\0';
		if (fd < 0)
			return fault_set(fault, errno, "%s: %s", path, strerror(errno));
		err = foreign_at(host, path, fd, report, data, fault);
	}
	if (fd != cgroup->fd)
		close(fd);
	return err;
}
