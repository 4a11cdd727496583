/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why something failed: the error number for the program, one line for the operator. The line is written
 * where the cause is known and printed by the command, once.
 */
#ifndef SW_FAULT_H
#define SW_FAULT_H

struct fault {
	char text[512];
};

/* Writes the line and returns -error. */
int fault_set(struct fault *fault, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
