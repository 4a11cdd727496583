/* SPDX-License-Identifier: GPL-2.0-only */
/* The programs that belong to this one. */
#ifndef SW_BESIDE_H
#define SW_BESIDE_H

/* Becomes the program `name` of this build. Returns only if it cannot, an exit status; why has been said. */
int become_beside(const char *name, char **args);

#endif
