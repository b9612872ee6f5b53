// SPDX-License-Identifier: BSD-2-Clause
// The console beside a UART that answers, falls silent, or never answers.
#include "sources.h"
#include "test.h"

#include <base/compiler.h>
#include <cpu/console.h>
#include <cpu/registers.h>
#include <cpu/platform.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

enum {
	PORT = 0x2f8,
	DATA = 0,
	LINE_CONTROL = 3,
	LINE_STATUS = 5,
	POST = 0x80,
	KEYBOARD = 0x64,
	RESET = 0xcf9,
	DIVISOR_ACCESS = 0x80,
	ROOM = 0x20,
	READS_AT_MOST = 300000, // some 300 ms of a real UART's time
};

static uint8_t status, line_control;
static unsigned reads;
static char written[256];
static unsigned step, resets; // codes of steps, and what resets in the order of the writes
static size_t length;

uint8_t io_in8(uint16_t port) {
	if (port != PORT + LINE_STATUS) return pit_in(port);
	reads++;
	return status;
}

void io_out8(uint16_t port, uint8_t value) {
	pit_out(port, value);
	if (port == POST) step = value;
	if (port == RESET || port == KEYBOARD) resets = resets << 8 | value;
	if (port == PORT + LINE_CONTROL) line_control = value;
	if (port == PORT + DATA && !(line_control & DIVISOR_ACCESS) && length + 1 < sizeof(written))
		written[length++] = (char)value;
}

static jmp_buf stopped;

void cpu_stop(void) { longjmp(stopped, 1); }

static void begin(uint8_t first_status) {
	status = first_status;
	console_init(PORT);
	reads = 0;
	length = 0;
	memset(written, 0, sizeof(written));
}

static void console_answers(void) {
	begin(ROOM);
	print("a\nb");
	check(strcmp(written, "a\r\nb") == 0);
}

static void console_silent(void) {
	begin(0);
	for (unsigned i = 0; i < 2000; i++)
		print("x");
	check(reads <= READS_AT_MOST);
}

static void console_returns(void) {
	begin(0);
	print("lost");
	status = ROOM;
	length = 0;
	memset(written, 0, sizeof(written));
	print("found");
	check(strcmp(written, "found") == 0);
}

// Machine checks come to all cores at once.
static void console_taken(void) {
	static struct cpu other;
	struct console *console = &this_cpu()->platform->console;
	volatile bool is_stopped = false;

	begin(ROOM);
	this_cpu()->is_silent = true;
	print("lost");
	console_take();
	console_take(); // by a panic while it panics
	print("found");
	check(strcmp(written, "found") == 0);
	console->panicking = &other;
	if (setjmp(stopped) == 0)
		console_take();
	else
		is_stopped = true;
	check(is_stopped && console->panicking == &other);
	console->panicking = NULL;
}

// A core that panics while it starts is left out, and the others go on. Later all stop, once: a
// panic takes the console again.
static void peers_stopped(void) {
	struct cpu *cpu = this_cpu();
	static struct cpu other;

	begin(ROOM);
	sources.sent = 0;
	console_take();
	check(sources.sent == 0 && cpu->platform->lock.serving == 0);
	cpu->platform->console.panicking = NULL;
	cpu->has_peers = true;
	cpu->lock.next = &other;
	other.lock.next = cpu;
	console_take();
	console_take();
	check(sources.sent == 1 && other.lock.hold);
	check(cpu->platform->lock.serving != cpu->platform->lock.next);
	cpu->platform->console.panicking = NULL;
	cpu->platform->lock.serving = 0;
	cpu->has_peers = false;
	cpu->lock.next = NULL;
}

// What panics says where it was, and the machine starts anew only if that was asked for.
static void panic_says(bool reboots, const char *where) {
	struct console *console = &this_cpu()->platform->console;

	begin(ROOM);
	resets = 0;
	console->reboots = reboots;
	console_step(6, where);
	if (setjmp(stopped) == 0) panic("odd %d", 7);
	check(step == 6 && strstr(written, "kernel panic: odd 7"));
	check(!strstr(written, "at start-up") == !where);
	check(!where || strstr(written, "odd 7, at start-up: clock\r\n"));
	check_equal(resets, reboots ? 0x0206 : 0);
	console->panicking = NULL;
	console->reboots = false;
}

static void panic_ends(void) {
	panic_says(false, NULL);
	panic_says(false, "clock");
	panic_says(true, "clock");
	this_cpu()->start.options = &resets; // another core, which starts
	begin(ROOM);
	resets = 0;
	this_cpu()->platform->console.reboots = true;
	if (setjmp(stopped) == 0) panic("odd");
	check(strstr(written, "kernel panic: odd") && resets == 0);
	this_cpu()->platform->console.panicking = NULL;
	this_cpu()->platform->console.reboots = false;
	this_cpu()->start.options = NULL;
}

static const struct test rows[] = {
	{"console_answers", "lines go out with their carriage returns", console_answers},
	{"console_silent", "a UART that never has room costs one wait, not one a character",
		console_silent},
	{"console_taken", "of cores that panic the first one prints", console_taken},
	{"peers_stopped", "other cores that are up stop, once", peers_stopped},
	{"panic_ends", "a panic names the step of start-up, and reboots if asked to", panic_ends},
	{"console_returns", "a UART that has room again prints again", console_returns},
};

const struct tests console_tests = {rows, array_count(rows)};
