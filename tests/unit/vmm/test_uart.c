// SPDX-License-Identifier: BSD-2-Clause
// Unit tests of the serial port.
#include "../check.h"

#include <vmm/device/uart.h>

#include <string.h>

static char sent[64];
static unsigned sent_count, room;
static const char *input;
static enum line_level level;

static bool backend_ready(void *) { return room > 0; }

static void backend_put(void *, uint8_t byte) {
	if (room == 0) return;
	room--;
	sent[sent_count++ % sizeof(sent)] = (char)byte;
}

static bool backend_get(void *, uint8_t *byte) {
	if (*input == '\0') return false;
	*byte = (uint8_t)*input++;
	return true;
}

// Where the input has a BREAK.
#define BREAK "\377"

static bool backend_take_break(void *) {
	if (*input != BREAK[0]) return false;
	input++;
	return true;
}

static void line_changed(void *controller, unsigned pin, enum line_level now) {
	(void)controller, (void)pin;
	level = now;
}

static struct uart fresh(void) {
	struct uart uart = {
		.backend = {NULL, backend_ready, backend_put, backend_get, backend_take_break},
		.line = {.changed = line_changed},
	};

	sent_count = 0;
	room = 1000;
	input = "";
	level = LINE_LOW;
	check(uart_attach(&uart, &(struct bus){0}, uart_places[0].ports));
	uart_reset(&uart);
	return uart;
}

static uint8_t in(struct uart *uart, unsigned offset) {
	return (uint8_t)uart->window.ops->read(uart, offset, BUS_WIDTH_1);
}

static void out(struct uart *uart, unsigned offset, uint8_t value) {
	uart->window.ops->write(uart, offset, BUS_WIDTH_1, value);
}

static void test_identify(void) {
	struct uart uart = fresh();

	out(&uart, 1, 0xff);
	check_equal(in(&uart, 1), 0x0f);
	out(&uart, 1, 0);
	out(&uart, 7, 0x5a);
	check_equal(in(&uart, 7), 0x5a);
	check_equal(in(&uart, 2) & 0xc0, 0);
	out(&uart, 2, 1);
	check_equal(in(&uart, 2), 0xc1);
	out(&uart, 2, 0x21); // a 16750 would show bit 5
	check_equal(in(&uart, 2) >> 5, 6);
	out(&uart, 3, 0x80);
	out(&uart, 0, 0x0c);
	out(&uart, 1, 0x01);
	check_equal(in(&uart, 0), 0x0c);
	check_equal(in(&uart, 1), 0x01);
	out(&uart, 3, 0x03);
	check_equal(in(&uart, 1), 0x00);
}

static void test_loopback(void) {
	struct uart uart = fresh();

	out(&uart, 4, 0x10 | 0x08 | 0x02); // as Linux probes: LOOP, OUT2, RTS
	check_equal(in(&uart, 6) & 0xf0, 0x90);
	out(&uart, 0, 'x');
	check_equal(in(&uart, 5) & 1, 1);
	check_equal(in(&uart, 0), 'x');
	check_equal(sent_count, 0);
	out(&uart, 4, 0x10 | 0x04);
	out(&uart, 4, 0x10);
	check_equal(in(&uart, 6) & 4, 4);
	check_equal(in(&uart, 6) & 4, 0);
}

static void test_transmit(void) {
	struct uart uart = fresh();

	out(&uart, 4, 0x08);
	out(&uart, 0, 'h');
	out(&uart, 0, 'i');
	check(sent_count == 2 && memcmp(sent, "hi", 2) == 0);
	check_equal(in(&uart, 5), 0x60);
	check_equal(level, LINE_LOW);
	out(&uart, 1, 2);
	check_equal(level, LINE_HIGH);
	check_equal(in(&uart, 2) & 0x0f, 2);
	check_equal(level, LINE_LOW);
	check_equal(in(&uart, 2) & 0x0f, 1);
	out(&uart, 0, '!');
	check_equal(level, LINE_HIGH);
}

static void test_backpressure(void) {
	struct uart uart = fresh();

	out(&uart, 4, 0x08);
	out(&uart, 1, 2);
	room = 1;
	out(&uart, 0, 'a');
	check_equal(in(&uart, 5) & 0x60, 0);
	check_equal(level, LINE_LOW);
	room = 5;
	uart_poll(&uart);
	check_equal(level, LINE_HIGH);
	check_equal(in(&uart, 5) & 0x60, 0x60);
}

static void test_receive(void) {
	struct uart uart = fresh();

	out(&uart, 2, 1);
	out(&uart, 4, 0x08);
	out(&uart, 1, 1);
	input = "0123456789abcdefXYZ";
	uart_poll(&uart);
	check_equal(level, LINE_HIGH);
	check_equal(uart.fifo_count, 16);
	check_equal(in(&uart, 2) & 0x0f, 4);
	for (const char *expected = "0123456789abcdefXYZ"; *expected != '\0'; expected++)
		check_equal(in(&uart, 0), *expected);
	check_equal(level, LINE_LOW);
	check_equal(in(&uart, 5) & 1, 0);
	check_equal(in(&uart, 0), 0);
}

static void test_trigger(void) {
	struct uart uart = fresh();

	out(&uart, 2, 0x81); // trigger at 8
	out(&uart, 1, 1);
	input = "abc";
	uart_poll(&uart);
	check_equal(in(&uart, 2) & 0x0f, 0x0c);
	out(&uart, 2, 0x83); // clears the FIFO
	check_equal(in(&uart, 5) & 1, 0);
}

static void test_break(void) {
	struct uart uart = fresh();

	out(&uart, 2, 1);
	out(&uart, 4, 0x08);
	out(&uart, 1, 4); // line status only
	input = "a" BREAK "b";
	uart_poll(&uart);
	// The mark belongs to its own character, the summary to the whole FIFO.
	check_equal(level, LINE_LOW);
	check_equal(in(&uart, 5), 0xe1);
	check_equal(in(&uart, 0), 'a');
	check_equal(level, LINE_HIGH);
	check_equal(in(&uart, 2) & 0x0f, 6);
	check_equal(in(&uart, 5), 0xf1);
	check_equal(level, LINE_LOW);
	check_equal(in(&uart, 5), 0x61);
	check_equal(in(&uart, 0), 0);
	check_equal(in(&uart, 0), 'b');
	check_equal(in(&uart, 5), 0x60);
}

static void test_break_lost(void) {
	struct uart uart = fresh();

	out(&uart, 2, 1);
	input = BREAK "x";
	uart_poll(&uart);
	out(&uart, 2, 3); // clears the FIFO
	check_equal(in(&uart, 5), 0x60);
	input = BREAK;
	check_equal(in(&uart, 0), 0); // unread, the mark goes with its character
	input = "y";
	check_equal(in(&uart, 5), 0x61);
}

static void test_gate(void) {
	struct uart uart = fresh();

	out(&uart, 1, 1);
	input = "a";
	uart_poll(&uart);
	check_equal(level, LINE_LOW);
	out(&uart, 4, 8);
	check_equal(level, LINE_HIGH);
	uart_reset(&uart);
	check_equal(level, LINE_LOW);
}

static void test_junk(void) {
	struct uart uart = fresh();
	uint32_t seed = 1;

	for (unsigned i = 0; i < 200000; i++) {
		seed = seed * 1664525 + 1013904223;
		room = seed >> 30;
		if (seed >> 29 & 1)
			out(&uart, seed >> 8 & 7, (uint8_t)(seed >> 16));
		else
			(void)in(&uart, seed >> 8 & 7);
		if (i % 100 == 0) input = "junk " BREAK "junk";
	}
	check(uart.fifo_count <= UART_FIFO && uart.fifo_first < UART_FIFO);
}

int main(void) {
	static const struct test tests[] = {
		{"uart.identify", "the port is recognised as a 16550A", test_identify},
		{"uart.loopback", "loopback connects outputs to inputs", test_loopback},
		{"uart.transmit", "bytes go out and raise the transmit interrupt", test_transmit},
		{"uart.backpressure", "a full backend holds the transmitter", test_backpressure},
		{"uart.receive", "input arrives in order and ends the interrupt", test_receive},
		{"uart.trigger", "below its trigger the FIFO reports a time-out", test_trigger},
		{"uart.break", "a BREAK is a marked character in its place", test_break},
		{"uart.break-lost", "a mark goes with its character", test_break_lost},
		{"uart.gate", "OUT2 gates the interrupt, reset drops it", test_gate},
		{"uart.junk", "random accesses keep the model consistent", test_junk},
	};

	return check_run(tests, sizeof(tests) / sizeof(tests[0]));
}
