// SPDX-License-Identifier: BSD-2-Clause
// Unit tests of the socket device: a guest on one side, a native component on the other.
#include "../check.h"

#include "virtio_driver.h"

#include <vmm/virtio/vsock.h>

#include <string.h>

enum { CID = 5, PORT = 80, OTHER = 81, NOWHERE = 99, SOURCE = 1024, HEADER = 44 };
enum { OUT = 0x2000, IN = 0x100000, IN_SIZE = 4096, BUFFERS = 32, ROOM = 1000 };

static struct vsock vsock;
static struct stream regions[2] __attribute__((aligned(64)));
static struct stream_end component; // at PORT
static struct driver driver;
static struct driver_queue *receive, *transmit;
static unsigned signals, room;
static struct virtio_vsock_header packet; // the last one received
static const uint8_t *packet_bytes;
static struct stream_message message; // the last one from the monitor

static void signal(void *) { signals++; }

static void give(unsigned number) {
	const struct driver_buffer buffer = {IN + number * IN_SIZE, IN_SIZE};

	check(driver_add(receive, &buffer, 0, 1, number));
}

static void start_with(unsigned buffers) {
	memset(&vsock, 0, sizeof(vsock));
	memset(regions, 0, sizeof(regions));
	signals = 0;
	room = ROOM;
	vsock.stream_count = 2;
	for (unsigned i = 0; i < 2; i++) {
		vsock.streams[i].port = PORT + i;
		vsock.streams[i].region = &regions[i];
		vsock.streams[i].signal = signal;
	}
	check(vsock_init(&vsock, CID) && stream_open(&component, &regions[0]));
	driver_start(&driver, &vsock.device, VIRTIO_F_VERSION_1);
	receive = driver_open(&driver, VIRTIO_VSOCK_RECEIVE, 64);
	transmit = driver_open(&driver, VIRTIO_VSOCK_TRANSMIT, 64);
	driver_open(&driver, VIRTIO_VSOCK_EVENT, 8);
	driver_ok(&driver);
	for (unsigned i = 0; i < buffers; i++)
		give(i);
	driver_kick(receive);
}

static void start(void) { start_with(BUFFERS); }

static void send_to(uint64_t cid, uint32_t port, enum virtio_vsock_operation operation,
	const char *bytes, uint32_t length, uint32_t flags, uint32_t forwarded) {
	const struct driver_buffer buffers[] = {{OUT, HEADER}, {OUT + 64, length}};
	const struct virtio_vsock_header header = {
		.src_cid = CID,
		.dst_cid = cid,
		.src_port = SOURCE,
		.dst_port = port,
		.length = length,
		.type = VIRTIO_VSOCK_STREAM,
		.operation = (uint16_t)operation,
		.flags = flags,
		.buf_alloc = room,
		.fwd_cnt = forwarded,
	};
	uint64_t cookie;
	uint32_t written;

	memcpy(driver_at(&driver, OUT), &header, HEADER);
	memcpy(driver_at(&driver, OUT + 64), bytes, length);
	check(driver_add(transmit, buffers, length > 0 ? 2 : 1, 0, 1));
	driver_kick(transmit);
	check(driver_reap(transmit, &cookie, &written) && written == 0);
}

static void send(enum virtio_vsock_operation operation, const char *bytes) {
	send_to(VIRTIO_VSOCK_HOST, PORT, operation, bytes, (uint32_t)strlen(bytes),
		VIRTIO_VSOCK_NOTHING, 0);
}

// The next packet's operation; 0 for none. Its buffer is given back.
static unsigned next(void) {
	uint64_t number;
	uint32_t written;

	if (!driver_reap(receive, &number, &written)) return 0;
	packet_bytes = driver_at(&driver, IN + number * IN_SIZE);
	memcpy(&packet, packet_bytes, HEADER);
	packet_bytes += HEADER;
	check_equal(written, HEADER + packet.length);
	check(packet.dst_cid == CID && packet.dst_port == SOURCE);
	check_equal(packet.type, VIRTIO_VSOCK_STREAM);
	give((unsigned)number);
	driver_kick(receive);
	return packet.operation;
}

static void say(enum stream_kind kind, const char *bytes) {
	struct stream_message said = {
		.kind = (uint16_t)kind, .length = (uint16_t)strlen(bytes), .port = SOURCE};

	memcpy(said.bytes, bytes, said.length);
	check(ring_put(&component.out, &said));
	vsock_notified(&vsock);
}

// The kind of the component's next message; 0 for none.
static unsigned heard(void) { return ring_get(&component.in, &message) ? message.kind : 0; }

static void connect_guest(void) {
	send(VIRTIO_VSOCK_REQUEST, "");
	check(heard() == STREAM_OPEN && message.port == SOURCE && next() == 0);
	say(STREAM_OPEN, "");
	check_equal(next(), VIRTIO_VSOCK_RESPONSE);
	check(packet.src_cid == VIRTIO_VSOCK_HOST && packet.src_port == PORT);
	check(packet.buf_alloc == VSOCK_BUFFER && packet.fwd_cnt == 0);
}

static void test_connection(void) {
	start();
	connect_guest();
	send(VIRTIO_VSOCK_RW, "hello");
	check(heard() == STREAM_DATA && message.length == 5);
	check(memcmp(message.bytes, "hello", 5) == 0);
	say(STREAM_DATA, "world");
	check(next() == VIRTIO_VSOCK_RW && packet.length == 5 && packet.fwd_cnt == 5);
	check(memcmp(packet_bytes, "world", 5) == 0);
	send(VIRTIO_VSOCK_CREDIT_REQUEST, "");
	check(next() == VIRTIO_VSOCK_CREDIT_UPDATE && packet.fwd_cnt == 5);
	send(VIRTIO_VSOCK_SHUTDOWN, "");
	check(next() == VIRTIO_VSOCK_RST && heard() == STREAM_CLOSE && vsock.streams[0].joined);
	say(STREAM_DATA, "too late");
	say(STREAM_CLOSE, "");
	check(next() == 0 && !vsock.streams[0].joined && signals > 0);
	connect_guest();
}

static void test_component_closes(void) {
	start();
	connect_guest();
	say(STREAM_DATA, "last");
	say(STREAM_CLOSE, "");
	check(next() == VIRTIO_VSOCK_RW && next() == VIRTIO_VSOCK_SHUTDOWN);
	check_equal(packet.flags, VIRTIO_VSOCK_NOTHING);
	check(heard() == STREAM_CLOSE && heard() == 0);
	send(VIRTIO_VSOCK_CREDIT_UPDATE, ""); // the guest still reads
	check(next() == 0);
	send(VIRTIO_VSOCK_RST, "");
	check(next() == 0 && heard() == 0);
	connect_guest();
}

static void test_component_calls(void) {
	start();
	say(STREAM_OPEN, "");
	say(STREAM_DATA, "early");
	check(next() == VIRTIO_VSOCK_REQUEST && packet.src_port == PORT && next() == 0);
	send(VIRTIO_VSOCK_RESPONSE, "");
	check(heard() == STREAM_OPEN && next() == VIRTIO_VSOCK_RW);
	send(VIRTIO_VSOCK_RST, "");
	check(heard() == STREAM_CLOSE);
	say(STREAM_CLOSE, "");
	// The guest refuses.
	say(STREAM_OPEN, "");
	check_equal(next(), VIRTIO_VSOCK_REQUEST);
	send(VIRTIO_VSOCK_RST, "");
	check(heard() == STREAM_CLOSE && next() == 0);
	say(STREAM_CLOSE, "");
	check(!vsock.streams[0].joined);
}

static void test_refusals(void) {
	start();
	send(VIRTIO_VSOCK_RW, "bytes"); // without a connection
	check(next() == VIRTIO_VSOCK_RST && packet.src_port == PORT);
	send(VIRTIO_VSOCK_RST, "");
	check_equal(next(), 0);
	send_to(VIRTIO_VSOCK_HOST, NOWHERE, VIRTIO_VSOCK_REQUEST, "", 0, 0, 0);
	check(next() == VIRTIO_VSOCK_RST && packet.src_port == NOWHERE);
	send_to(77, PORT, VIRTIO_VSOCK_REQUEST, "", 0, 0, 0);
	check(next() == VIRTIO_VSOCK_RST && packet.src_cid == 77);
	send(VIRTIO_VSOCK_REQUEST, "");
	check_equal(heard(), STREAM_OPEN);
	send(VIRTIO_VSOCK_REQUEST, ""); // a second one
	check_equal(next(), VIRTIO_VSOCK_RST);
	say(STREAM_CLOSE, ""); // the component refuses
	check(next() == VIRTIO_VSOCK_RST && heard() == STREAM_CLOSE);
	connect_guest();
	send((enum virtio_vsock_operation)9, "");
	check(next() == VIRTIO_VSOCK_RST && heard() == STREAM_CLOSE);
}

static void test_credit_of_guest(void) {
	char text[STREAM_BYTES + 1];
	unsigned got = 0;

	memset(text, 'x', STREAM_BYTES);
	text[STREAM_BYTES] = '\0';
	start();
	connect_guest();
	for (unsigned i = 0; i < 8; i++)
		say(STREAM_DATA, text);
	while (next() == VIRTIO_VSOCK_RW)
		got += packet.length;
	check_equal(got, ROOM);
	send_to(VIRTIO_VSOCK_HOST, PORT, VIRTIO_VSOCK_CREDIT_UPDATE, "", 0, 0, 100);
	check(next() == VIRTIO_VSOCK_RW && packet.length == 100 && next() == 0);
	// What the guest says is not believed: it can have passed on no more than it was sent.
	send_to(VIRTIO_VSOCK_HOST, PORT, VIRTIO_VSOCK_CREDIT_UPDATE, "", 0, 0, 5000);
	check_equal(next(), 0);
	send_to(VIRTIO_VSOCK_HOST, PORT, VIRTIO_VSOCK_CREDIT_UPDATE, "", 0, 0, 1100);
	for (got = 0; next() == VIRTIO_VSOCK_RW;)
		got += packet.length;
	check_equal(got, 8 * STREAM_BYTES - 1100);
}

static void test_credit_of_component(void) {
	char text[1024];
	unsigned got = 0, updates = 0, sent = 0;
	struct vsock_stream *stream = &vsock.streams[0];

	memset(text, 'y', sizeof(text) - 24);
	memset(text + sizeof(text) - 24, 0, 24);
	start();
	connect_guest();
	// The component does not read: its ring and the buffer fill.
	while (vsock_stream_room(stream) >= 1000) {
		send(VIRTIO_VSOCK_RW, text);
		sent += 1000;
		updates += next() == VIRTIO_VSOCK_CREDIT_UPDATE;
	}
	check(sent > VSOCK_BUFFER && updates > 0 && stream->state == VSOCK_OPEN);
	while (got < sent && heard() == STREAM_DATA) {
		got += message.length;
		if (ring_must_notify_producer(&component.in)) vsock_notified(&vsock);
	}
	check_equal(got, sent);
	for (updates = 0; next() == VIRTIO_VSOCK_CREDIT_UPDATE;)
		updates++;
	check(updates > 0 && sent - packet.fwd_cnt < VSOCK_BUFFER / 2);
	for (unsigned i = 0; i < 100 && stream->state == VSOCK_OPEN; i++)
		send(VIRTIO_VSOCK_RW, text);
	check(stream->state == VSOCK_NONE); // it sent more than it might
	for (unsigned i = 0; (i = next()) != VIRTIO_VSOCK_RST;)
		check_equal(i, VIRTIO_VSOCK_CREDIT_UPDATE);
}

// Without buffers answers wait, and with too many of them the guest's packets.
static void test_no_buffers(void) {
	const struct driver_buffer buffer = {OUT, HEADER};
	uint64_t cookie;
	uint32_t written;
	unsigned done = 0, resets = 0;

	start_with(0);
	for (unsigned i = 0; i < 40; i++) {
		const struct virtio_vsock_header header = {.src_cid = CID,
			.dst_cid = VIRTIO_VSOCK_HOST,
			.src_port = SOURCE,
			.dst_port = NOWHERE,
			.type = 1,
			.operation = VIRTIO_VSOCK_REQUEST};

		memcpy(driver_at(&driver, OUT), &header, HEADER);
		check(driver_add(transmit, &buffer, 1, 0, 1));
	}
	driver_kick(transmit);
	for (; driver_reap(transmit, &cookie, &written); done++)
		;
	check_equal(done, VSOCK_RESETS);
	for (unsigned i = 0; i < 4; i++)
		give(i);
	driver_kick(receive);
	while (next() == VIRTIO_VSOCK_RST)
		resets++;
	check_equal(resets, 40);
	virtio_set_status(&vsock.device, 0);
	check(vsock.device.status == 0);
}

static void test_reset(void) {
	start();
	connect_guest();
	virtio_set_status(&vsock.device, 0);
	check(heard() == STREAM_CLOSE && heard() == 0);
	// A component that does anything.
	start();
	for (unsigned i = 0; i < 20000; i++) {
		unsigned kind = i * 7919 >> 3 & 7;

		(void)ring_put(&component.out,
			(&(struct stream_message){
				(uint16_t)kind, (uint16_t)(i * 31), SOURCE, {0}}));
		if (i % 5 == 0) vsock_notified(&vsock);
		if (i % 11 == 0) send(VIRTIO_VSOCK_REQUEST, "");
		if (i % 13 == 0) (void)next();
		if (i % 17 == 0) (void)heard();
		if (i % 19 == 0) send(VIRTIO_VSOCK_RW, "bytes");
		if (i % 29 == 0) send(VIRTIO_VSOCK_SHUTDOWN, "");
		while (vsock.reset_count > 8)
			(void)next();
	}
	check(!(vsock.device.status & VIRTIO_NEEDS_RESET));
}

static const struct test tests[] = {
	{"vsock-connection", "A guest connects, bytes go both ways, it closes, and again",
		test_connection},
	{"vsock-component-closes", "A component's last bytes come before its close",
		test_component_closes},
	{"vsock-component-calls", "A component connects to a guest, which may refuse",
		test_component_calls},
	{"vsock-refusals", "What belongs to no connection is reset", test_refusals},
	{"vsock-credit-guest", "A guest is sent what it has room for", test_credit_of_guest},
	{"vsock-credit-component",
		"A guest may send what the monitor has room for, and learns of it",
		test_credit_of_component},
	{"vsock-no-buffers", "Answers wait for buffers of the guest", test_no_buffers},
	{"vsock-reset", "A component learns that the guest was reset, and can do no harm",
		test_reset},
};

int main(void) { return check_run(tests, sizeof(tests) / sizeof(tests[0])); }
