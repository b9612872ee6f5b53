// SPDX-License-Identifier: BSD-2-Clause
// The back end of a serial port: signals the other component once a burst, not once a byte.
#include <vmm/device/terminal.h>

enum { BURST = 256 };

void terminal_flush(struct terminal *terminal) {
	if (terminal->unsignalled == 0) return;
	terminal->unsignalled = 0;
	if (ring_must_notify(&terminal->console.out)) terminal->signal(terminal->context);
}

static bool terminal_ready(void *context) {
	struct terminal *terminal = context;

	return !terminal->connected || ring_room(&terminal->console.out) > 0;
}

static void terminal_put(void *context, uint8_t byte) {
	struct terminal *terminal = context;

	if (!terminal->connected || !ring_put(&terminal->console.out, &byte)) return;
	terminal->line_open = byte != '\n';
	terminal->unsignalled++;
	if (byte == '\n' || terminal->unsignalled >= BURST ||
		ring_room(&terminal->console.out) == 0)
		terminal_flush(terminal);
}

static bool terminal_get(void *context, uint8_t *byte) {
	struct terminal *terminal = context;
	struct ring_end *in = &terminal->console.in;

	if (!terminal->connected) return false;
	return ring_get(in, byte) || (!ring_may_sleep(in) && ring_get(in, byte));
}

// A BREAK comes after the bytes that were typed before it.
static bool terminal_take_break(void *context) {
	struct terminal *terminal = context;
	uint32_t breaks;
	uint32_t head;

	if (!terminal->connected) return false;
	breaks = __atomic_load_n(&terminal->shared->breaks, __ATOMIC_ACQUIRE);
	head = __atomic_load_n(&terminal->shared->break_head, __ATOMIC_RELAXED);
	if (breaks == terminal->breaks) return false;
	if (head != terminal->console.in.own && ring_count(&terminal->console.in) > 0) return false;
	terminal->breaks = breaks;
	return true;
}

void terminal_open(
	struct terminal *terminal, struct console *console, const char *name, uint32_t kind) {
	terminal->connected = console_open(&terminal->console, console, name, kind);
	terminal->shared = console;
	if (!terminal->connected) return;
	terminal->breaks = __atomic_load_n(&console->breaks, __ATOMIC_ACQUIRE);
}

struct uart_backend terminal_backend(struct terminal *terminal) {
	return (struct uart_backend){
		.context = terminal,
		.ready = terminal_ready,
		.put = terminal_put,
		.get = terminal_get,
		.take_break = terminal_take_break,
	};
}

void terminal_write(void *context, const char *text) {
	struct terminal *terminal = context;

	// A line of the VMM may fall into the middle of one of the guest.
	if (terminal->line_open) {
		terminal_put(terminal, '\r');
		terminal_put(terminal, '\n');
	}
	for (; *text != '\0'; text++)
		terminal_put(terminal, (uint8_t)*text);
}
