/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory. Allocation here never returns NULL: when there is none left the process ends at once, which is
 * safe because nothing that is enforced depends on a process of ours.
 */
#ifndef SW_MEM_H
#define SW_MEM_H

#include <stdarg.h>
#include <stddef.h>

void *mem_alloc(size_t count, size_t size); /* zeroed; free() it */
void *mem_resize(void *old, size_t count, size_t size);
char *mem_strdup(const char *s);
char *mem_strndup(const char *s, size_t len);
char *mem_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *mem_vprintf(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

/* A growing array: `list` is a struct with `v`, `n` and `room`. Evaluates to a pointer to the new, zeroed element. */
#define LIST(type)                                                                                                     \
	struct {                                                                                                       \
		type *v;                                                                                               \
		size_t n, room;                                                                                        \
	}
#define list_add(list)                                                                                                 \
	((list)->v = list_grow((list)->v, (list)->n, &(list)->room, sizeof(*(list)->v)), &(list)->v[(list)->n++])

/* Likewise of an empty list that stays at one element, and takes no room for more. */
#define list_one(list) ((list)->v = mem_alloc(1, sizeof(*(list)->v)), (list)->n = (list)->room = 1, (list)->v)

void *list_grow(void *v, size_t n, size_t *room, size_t size);

#endif
