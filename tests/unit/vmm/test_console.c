// SPDX-License-Identifier: BSD-2-Clause
// Unit tests of the console device.
#include "../check.h"

#include "virtio_driver.h"

#include <vmm/virtio/console.h>

#include <string.h>

enum { TEXT = 8192, ROOM = 256, BUFFERS = 0x4000, BUFFER = 64 };

// The other end of a port.
struct end {
	uint8_t out[TEXT];
	unsigned written, room; // bytes that it takes at most
	const char *in;
};

static struct virtio_console console;
static struct driver driver;
static struct end ends[3];
static struct driver_queue *queues[8];

static bool ready(void *context) {
	const struct end *end = context;

	return end->written < end->room;
}

static void put(void *context, uint8_t byte) {
	struct end *end = context;

	check(end->written < end->room);
	end->out[end->written++] = byte;
}

static bool get(void *context, uint8_t *byte) {
	struct end *end = context;

	if (!end->in || *end->in == '\0') return false;
	*byte = (uint8_t)*end->in++;
	return true;
}

static bool no_break(void *) { return false; }

static void start(uint64_t features) {
	static const char *const names[] = {NULL, "agent", "trace"};

	memset(&console, 0, sizeof(console));
	memset(ends, 0, sizeof(ends));
	console.port_count = 3;
	for (unsigned i = 0; i < 3; i++) {
		ends[i].room = TEXT;
		console.ports[i].name = names[i];
		console.ports[i].backend = (struct uart_backend){
			&ends[i], ready, put, get, no_break};
	}
	console.ports[0].columns = 80;
	console.ports[0].rows = 25;
	virtio_console_init(&console);
	driver_start(&driver, &console.device, features | VIRTIO_F_VERSION_1);
	for (unsigned i = 0; i < 8; i++)
		queues[i] = driver_open(&driver, i, 16);
	driver_ok(&driver);
	for (unsigned i = 0; i < 8; i++)
		driver_ask(queues[i]);
}

static void give(unsigned queue, unsigned number, uint32_t length) {
	const struct driver_buffer buffer = {BUFFERS + number * BUFFER, length};

	check(driver_add(queues[queue], &buffer, 0, 1, number));
	driver_kick(queues[queue]);
}

// The next bytes that the device wrote into a buffer of a queue.
static const char *got(unsigned queue) {
	static char text[BUFFER + 1];
	uint64_t number;
	uint32_t written;

	if (!driver_reap(queues[queue], &number, &written)) return "nothing";
	memcpy(text, driver_at(&driver, BUFFERS + number * BUFFER), BUFFER);
	text[written] = '\0';
	return text;
}

static void say(unsigned queue, const void *bytes, uint32_t length) {
	const struct driver_buffer buffer = {0x2000, length};

	memcpy(driver_at(&driver, 0x2000), bytes, length);
	check(driver_add(queues[queue], &buffer, 1, 0, 0));
	driver_kick(queues[queue]);
}

static void tell(uint32_t port, enum virtio_console_event event, uint16_t value) {
	const struct virtio_console_control message = {port, (uint16_t)event, value};
	uint64_t cookie;
	uint32_t written;

	say(VIRTIO_CONSOLE_CONTROL_TRANSMIT, &message, sizeof(message));
	check(driver_reap(queues[VIRTIO_CONSOLE_CONTROL_TRANSMIT], &cookie, &written));
}

static void expect(uint32_t port, enum virtio_console_event event, const void *body, size_t size) {
	struct virtio_console_control message;
	const char *text = got(VIRTIO_CONSOLE_CONTROL_RECEIVE);

	memcpy(&message, text, sizeof(message));
	check_equal(message.id, port);
	check_equal(message.event, event);
	check_equal(message.value, 1);
	check(memcmp(text + sizeof(message), body, size) == 0 && text[8 + size] == '\0');
}

static void test_bytes(void) {
	const struct driver_buffer buffers[] = {{0x2000, 3}, {0x2100, 5}, {0x2200, 4}};
	uint64_t cookie;
	uint32_t written;

	start(0);
	memcpy(driver_at(&driver, 0x2000), "one", 3);
	memcpy(driver_at(&driver, 0x2100), " two ", 5);
	memcpy(driver_at(&driver, 0x2200), "end\n", 4);
	ends[0].room = 5;
	check(driver_add(queues[1], buffers, 3, 0, 1) && driver_kick(queues[1]));
	check(!driver_reap(queues[1], &cookie, &written) && virtio_console_blocked(&console));
	check(memcmp(ends[0].out, "one t", 6) == 0);
	ends[0].room = 6;
	virtio_console_retry(&console);
	check(!driver_reap(queues[1], &cookie, &written) && ends[0].written == 6);
	ends[0].room = TEXT;
	virtio_console_retry(&console);
	check(driver_reap(queues[1], &cookie, &written) && written == 0);
	check(!virtio_console_blocked(&console));
	check(memcmp(ends[0].out, "one two end\n", 13) == 0);
	say(1, "more", 4);
	check(memcmp(ends[0].out + 12, "more", 5) == 0);
}

// What comes from one side without an end waits for the next time.
static void test_burst(void) {
	const struct driver_buffer out = {0x2000, 5000}, in = {0x4000, 8000};
	static char typed[6001];
	uint64_t cookie;
	uint32_t written;

	start(0);
	check(driver_add(queues[1], &out, 1, 0, 1) && driver_kick(queues[1]));
	check_equal(ends[0].written, 4096);
	check(virtio_console_blocked(&console));
	virtio_console_retry(&console);
	check_equal(ends[0].written, 5000);
	check(driver_reap(queues[1], &cookie, &written) && !virtio_console_blocked(&console));
	memset(typed, 'x', sizeof(typed) - 1);
	ends[0].in = typed;
	check(driver_add(queues[0], &in, 0, 1, 2) && driver_add(queues[0], &in, 0, 1, 3));
	driver_kick(queues[0]);
	check(driver_reap(queues[0], &cookie, &written) && written == 4096);
	check(!driver_reap(queues[0], &cookie, &written) && virtio_console_blocked(&console));
	say(1, "more", 4);
	check(virtio_console_blocked(&console)); // the input, whatever is said meanwhile
	virtio_console_retry(&console);
	check(driver_reap(queues[0], &cookie, &written) && written == 6000 - 4096);
	check(!virtio_console_blocked(&console));
}

static void test_input(void) {
	start(0);
	ends[0].in = "typed early";
	virtio_console_receive(&console);
	give(0, 0, 6);
	give(0, 1, 64);
	check(strcmp(got(0), "typed ") == 0);
	check(strcmp(got(0), "early") == 0);
	give(0, 2, 64);
	check(strcmp(got(0), "nothing") == 0);
	ends[0].in = "later";
	virtio_console_receive(&console);
	check(strcmp(got(0), "later") == 0);
	check_equal(driver.interrupts[0], 3);
}

static void test_ports(void) {
	const uint16_t window[] = {80, 25}, larger[] = {132, 50};

	start(VIRTIO_CONSOLE_F_MULTIPORT);
	ends[1].in = "for the agent";
	for (unsigned i = 0; i < 12; i++)
		give(VIRTIO_CONSOLE_CONTROL_RECEIVE, i, 64);
	tell(0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	for (unsigned i = 0; i < 3; i++)
		expect(i, VIRTIO_CONSOLE_DEVICE_ADD, "", 0);
	tell(0, VIRTIO_CONSOLE_PORT_READY, 1);
	expect(0, VIRTIO_CONSOLE_CONSOLE_PORT, "", 0);
	expect(0, VIRTIO_CONSOLE_RESIZE, window, 4);
	expect(0, VIRTIO_CONSOLE_PORT_OPEN, "", 0);
	tell(1, VIRTIO_CONSOLE_PORT_READY, 1);
	expect(1, VIRTIO_CONSOLE_PORT_OPEN, "", 0);
	expect(1, VIRTIO_CONSOLE_PORT_NAME, "agent", 5);
	tell(2, VIRTIO_CONSOLE_PORT_READY, 0); // the guest cannot use it
	tell(3, VIRTIO_CONSOLE_PORT_READY, 1); // there is no such port
	tell(UINT32_MAX, VIRTIO_CONSOLE_PORT_OPEN, 1);
	say(VIRTIO_CONSOLE_CONTROL_TRANSMIT, "short", 5);
	check(strcmp(got(VIRTIO_CONSOLE_CONTROL_RECEIVE), "nothing") == 0);
	virtio_console_resize(&console, 0, 132, 50);
	expect(0, VIRTIO_CONSOLE_RESIZE, larger, 4);
	give(4, 20, 64);
	check(strcmp(got(4), "nothing") == 0); // not open
	tell(1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	check(strcmp(got(4), "for the agent") == 0);
	say(5, "answer", 6);
	check(memcmp(ends[1].out, "answer", 7) == 0 && ends[0].written == 0);
	say(7, "trace", 5);
	check(memcmp(ends[2].out, "trace", 6) == 0);
	// Without buffers messages wait.
	for (unsigned i = 0; i < 4; i++)
		virtio_console_resize(&console, 0, 100, 20);
	tell(0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	while (strcmp(got(VIRTIO_CONSOLE_CONTROL_RECEIVE), "nothing") != 0)
		;
	give(VIRTIO_CONSOLE_CONTROL_RECEIVE, 0, 64);
	expect(0, VIRTIO_CONSOLE_DEVICE_ADD, "", 0);
}

static void test_window(void) {
	uint8_t byte = '!';
	uint16_t window[2];

	start(VIRTIO_CONSOLE_F_SIZE);
	virtio_config_read(&console.device, 0, window, 4);
	check(window[0] == 80 && window[1] == 25);
	virtio_console_resize(&console, 0, 100, 30);
	virtio_config_read(&console.device, 0, window, 4);
	check(window[0] == 100 && window[1] == 30 && driver.config_interrupts == 1);
	virtio_config_write(&console.device, 8, &byte, 1);
	virtio_config_write(&console.device, 0, &byte, 1);
	check(ends[0].written == 1 && ends[0].out[0] == '!');
}

static const struct test tests[] = {
	{"console-bytes", "Output waits for room in the back end, byte for byte", test_bytes},
	{"console-burst", "Of much output or input a part is moved at a time", test_burst},
	{"console-input", "Input waits for buffers of the guest, and they for input", test_input},
	{"console-ports", "Ports are added, described, opened by the guest, and separate",
		test_ports},
	{"console-window",
		"The guest is notified of another size of the window; an emergency byte "
		"comes out",
		test_window},
};

int main(void) { return check_run(tests, sizeof(tests) / sizeof(tests[0])); }
