// SPDX-License-Identifier: BSD-2-Clause
// A guest kernel of a virtio network card and a virtio disk, without interrupts. As "steady" it
// sends numbered frames, each when the last one is gone. As "victim" it first watches that nothing
// writes into the buffers that its last life may have given to the disk, tells that it is there by
// frame 0, and then keeps requests on their way until it is reset, now and then by itself; a frame
// with their number so far follows each answer.
#include <pci/pci.h>
#include <virtio/block.h>
#include <virtio/net.h>
#include <virtio/pci.h>

#include <stdbool.h>

enum {
	// As the monitor has them: src/vmm/devices.c, src/vmm/virtio/pci.c.
	SLOT_DISK = 5,
	SLOT_NET = 9,
	CONFIG = 0x1000,
	NOTIFY = 0x2000,
	REGISTERS = 0xc0000000, // of the first slot
	REGISTERS_STEP = 0x10000,

	QUEUE = 32, // descriptors
	REQUESTS = 8,
	PARTS = 3, // descriptors of a request
	SECTORS = 32, // of a request
	REQUEST_BYTES = SECTORS * VIRTIO_BLK_SECTOR,
	DISK_SECTORS = 2048,
	UNTOUCHED = 0xee,
	WATCH_TICKS = 200000,
	FRAME = 60,
	FRAME_KIND = 12,
	FRAME_NUMBER = 16,
	COMMAND_LINE = 0x228, // of the boot parameters

	PORT_SERIAL = 0x3f8,
	PORT_RESET = 0xcf9,
	PORT_PANIC = 0x505,
};

struct queue {
	volatile uint8_t *registers;
	uint16_t number, used_seen;
	struct virtq_split_descriptor descriptors[QUEUE] __attribute__((aligned(16)));
	struct {
		struct virtq_split_area area;
		uint16_t ring[QUEUE];
	} available __attribute__((aligned(16)));
	struct {
		volatile struct virtq_split_area area;
		struct virtq_used_entry ring[QUEUE];
	} used __attribute__((aligned(16)));
};

struct request {
	uint32_t type, reserved;
	uint64_t sector;
};

struct sent {
	struct virtio_net_header header;
	uint8_t frame[FRAME];
} __attribute__((packed));

static struct queue disk, net;
static struct request requests[REQUESTS];
static volatile uint8_t statuses[REQUESTS];
static struct sent sent;
// Where they were in the last life, too; the loader does not write there.
static uint8_t (*const buffers)[REQUEST_BYTES] = (void *)0x400000;
static uint64_t next_sector;

static void out8(uint16_t port, uint8_t value) {
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static void out32(uint16_t port, uint32_t value) {
	asm volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static uint64_t ticks(void) {
	uint32_t low, high;

	asm volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

// Says what is wrong, and ends by a panic.
static void fail(const char *text) {
	for (; *text; text++)
		out8(PORT_SERIAL, (uint8_t)*text);
	out8(PORT_SERIAL, '\n');
	out8(PORT_PANIC, 1);
	for (;;)
		;
}

static void configure(unsigned slot, unsigned offset, uint32_t value) {
	out32(PCI_PORT_ADDRESS, pci_port_address(slot << 3, offset));
	out32(PCI_PORT_DATA, value);
}

static uint8_t get8(struct queue *queue, unsigned offset) { return queue->registers[offset]; }

static void put8(struct queue *queue, unsigned offset, uint8_t value) {
	queue->registers[offset] = value;
}

static void put16(struct queue *queue, unsigned offset, uint16_t value) {
	*(volatile uint16_t *)(queue->registers + offset) = value;
}

static void put32(struct queue *queue, unsigned offset, uint32_t value) {
	*(volatile uint32_t *)(queue->registers + offset) = value;
}

static void put_address(struct queue *queue, unsigned offset, const volatile void *address) {
	put32(queue, offset, (uint32_t)(uint64_t)address);
	put32(queue, offset + 4, 0);
}

// One queue of a device, the one that is used.
static void open(struct queue *queue, unsigned slot, uint16_t number) {
	uint32_t base = REGISTERS + slot * REGISTERS_STEP;

	configure(slot, PCI_REGISTER_BAR, base);
	configure(slot, PCI_REGISTER_BAR + 8, 0x1000 + slot * 0x20);
	configure(slot, PCI_REGISTER_COMMAND,
		PCI_COMMAND_PORTS | PCI_COMMAND_MEMORY | PCI_COMMAND_BUS_MASTER);
	queue->registers = (volatile uint8_t *)(uint64_t)base;
	queue->number = number;
	put8(queue, VIRTIO_PCI_STATUS, 0);
	if (get8(queue, VIRTIO_PCI_STATUS) != 0) fail("the device is not as new");
	put8(queue, VIRTIO_PCI_STATUS, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);
	put32(queue, VIRTIO_PCI_DRIVER_FEATURE_SELECT, 1);
	put32(queue, VIRTIO_PCI_DRIVER_FEATURE, (uint32_t)(VIRTIO_F_VERSION_1 >> 32));
	put8(queue, VIRTIO_PCI_STATUS, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK);
	put16(queue, VIRTIO_PCI_QUEUE_SELECT, number);
	put16(queue, VIRTIO_PCI_QUEUE_SIZE, QUEUE);
	put_address(queue, VIRTIO_PCI_QUEUE_DESCRIPTORS, queue->descriptors);
	put_address(queue, VIRTIO_PCI_QUEUE_DRIVER, &queue->available);
	put_address(queue, VIRTIO_PCI_QUEUE_DEVICE, &queue->used);
	put16(queue, VIRTIO_PCI_QUEUE_ENABLE, 1);
	put8(queue, VIRTIO_PCI_STATUS,
		VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK);
	if (!(get8(queue, VIRTIO_PCI_STATUS) & VIRTIO_DRIVER_OK)) fail("the device did not start");
}

static void submit(struct queue *queue, uint16_t first) {
	queue->available.ring[queue->available.area.index % QUEUE] = first;
	asm volatile("" : : : "memory");
	queue->available.area.index++;
	asm volatile("mfence" : : : "memory");
	put16(queue, NOTIFY, queue->number);
}

// The first descriptor of a chain that the device is done with.
static bool take(struct queue *queue, uint32_t *first) {
	if (queue->used.area.index == queue->used_seen) return false;
	asm volatile("" : : : "memory");
	*first = queue->used.ring[queue->used_seen++ % QUEUE].id;
	return true;
}

// By a broadcast, which the switch gives to the component, too.
static void send(uint64_t number) {
	uint32_t done;

	for (unsigned i = 0; i < 6; i++) {
		sent.frame[i] = 0xff;
		sent.frame[6 + i] = net.registers[CONFIG + i];
	}
	sent.frame[FRAME_KIND] = 0x88; // IEEE's number for experiments
	sent.frame[FRAME_KIND + 1] = 0xb5;
	__builtin_memcpy(sent.frame + FRAME_NUMBER, &number, sizeof(number));
	net.descriptors[0] = (struct virtq_split_descriptor){(uint64_t)&sent, sizeof(sent), 0, 0};
	submit(&net, 0);
	while (!take(&net, &done))
		;
}

static void request(unsigned number) {
	struct virtq_split_descriptor *parts = &disk.descriptors[PARTS * number];
	uint16_t first = (uint16_t)(PARTS * number);

	requests[number] = (struct request){.type = VIRTIO_BLK_IN, .sector = next_sector};
	next_sector = (next_sector + SECTORS) % DISK_SECTORS;
	statuses[number] = UNTOUCHED;
	parts[0] = (struct virtq_split_descriptor){
		(uint64_t)&requests[number], sizeof(struct request), VIRTQ_NEXT, first + 1};
	parts[1] = (struct virtq_split_descriptor){
		(uint64_t)buffers[number], REQUEST_BYTES, VIRTQ_NEXT | VIRTQ_WRITE, first + 2};
	parts[2] = (struct virtq_split_descriptor){(uint64_t)&statuses[number], 1, VIRTQ_WRITE, 0};
	submit(&disk, first);
}

// Each sector begins with its number.
static void check(unsigned number) {
	if (statuses[number] != 0) fail("a request failed");
	for (unsigned i = 0; i < SECTORS; i++) {
		uint32_t found;

		__builtin_memcpy(&found, buffers[number] + i * VIRTIO_BLK_SECTOR, sizeof(found));
		if (found != requests[number].sector + i) fail("a sector is another one");
	}
}

static void watch_buffers(void) {
	uint64_t end = ticks() + WATCH_TICKS;

	for (unsigned i = 0; i < REQUESTS * REQUEST_BYTES; i++)
		(*buffers)[i] = UNTOUCHED;
	asm volatile("" : : : "memory");
	while (ticks() < end)
		;
	for (unsigned i = 0; i < REQUESTS * REQUEST_BYTES; i++)
		if ((*buffers)[i] != UNTOUCHED) fail("memory of before is written");
}

static void be_victim(void) {
	uint64_t served = 0;
	uint32_t first;

	watch_buffers();
	open(&disk, SLOT_DISK, 0);
	send(0);
	for (unsigned i = 0; i < REQUESTS; i++)
		request(i);
	for (;;) {
		if (!take(&disk, &first)) continue;
		check(first / PARTS);
		request(first / PARTS);
		send(++served);
		// By chance: the counter's low bits.
		if ((ticks() >> 4) % 8 == 0) out8(PORT_RESET, 6);
	}
}

void run(const uint8_t *parameters) {
	uint32_t line;

	__builtin_memcpy(&line, parameters + COMMAND_LINE, sizeof(line));
	open(&net, SLOT_NET, VIRTIO_NET_TRANSMIT);
	if (*(const char *)(uint64_t)line == 'v') be_victim();
	for (uint64_t number = 0;; number++)
		send(number);
}
