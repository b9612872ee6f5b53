// SPDX-License-Identifier: BSD-2-Clause
// A program of the guest, without a C library: writes an empty line to the second serial port, and
// prints its monotonic clock before and after that and its wall clock, in nanoseconds.
#include <asm/unistd_64.h>
#include <fcntl.h>
#include <time.h>

enum { DIGITS = 24, STANDARD_OUTPUT = 1 };

static long call(long number, long first, long second, long third) {
	long result;

	asm volatile("syscall"
		     : "=a"(result)
		     : "a"(number), "D"(first), "S"(second), "d"(third)
		     : "rcx", "r11", "memory");
	return result;
}

static unsigned long now(clockid_t clock) {
	struct timespec time;

	call(__NR_clock_gettime, clock, (long)&time, 0);
	return (unsigned long)time.tv_sec * 1000000000ul + (unsigned long)time.tv_nsec;
}

static void put(unsigned long number, char end) {
	char text[DIGITS];
	char *digit = text + DIGITS;

	*--digit = end;
	do {
		*--digit = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	call(__NR_write, STANDARD_OUTPUT, (long)digit, text + DIGITS - digit);
}

_Noreturn void _start(void) {
	long port = call(__NR_open, (long)"/dev/ttyS1", O_WRONLY, 0);
	unsigned long before, after, wall;

	before = now(CLOCK_MONOTONIC);
	call(__NR_write, port, (long)"\n", 1);
	after = now(CLOCK_MONOTONIC);
	wall = now(CLOCK_REALTIME);
	call(__NR_write, port, (long)"print\n", 6);
	call(__NR_write, STANDARD_OUTPUT, (long)"guest's clocks: ", 16);
	put(before, ' ');
	put(after, ' ');
	put(wall, '\n');
	call(__NR_exit, 0, 0, 0);
	__builtin_unreachable();
}
