/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Values of the maps that tenancies and invoices need (MAP_CARRIED, MAP_COPIED), also where another build laid them out
 * otherwise: then they are read, and written, member by member (fields.h). So what any build left can be shown, booked
 * and ended.
 */
#ifndef SW_VALUES_H
#define SW_VALUES_H

#include "host.h"

/* As bpf_map_lookup_elem() and bpf_map_update_elem(), of ours; of meters one value for each CPU. 0 or -errno. */
int value_read(const struct host *host, enum sw_map map, const void *key, void *value);
int value_write(const struct host *host, enum sw_map map, const void *key, const void *value, __u64 flags);

/* Opens a map of another layout, for the two above. 0 or -errno. */
int values_open(struct host *host, enum sw_map map, struct fault *fault);
void values_close(struct host *host);

/* For its keys, of whichever build. */
int values_fd(const struct host *host, enum sw_map map);

/* All `n` values of an array, `size` bytes each of ours: to be freed. And the same again, as they are now. */
void *values_copy(const struct host *host, enum sw_map map, size_t n, size_t size);
void values_refresh(const struct host *host, enum sw_map map, void *copy, size_t n, size_t size);

#endif
