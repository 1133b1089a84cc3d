/* What stands behind the machine, by the debugger's protocol that is called semihosting: its files take the place of a
 * board's flash, its clock that of a battery's, its random numbers those of a generator. */
#ifndef USOCKET_DISK_H
#define USOCKET_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Seconds since 1970. */
uint32_t disk_time(void);

/* False: there are none. */
bool disk_random(void* into, size_t size);

/* The words that the machine was started with, one space between them; false: they do not fit. */
bool disk_command_line(char* into, size_t size);

/* To the standard error of what runs the machine. */
void disk_complain(const char* text, size_t size);

_Noreturn void disk_exit(int status);

#endif
