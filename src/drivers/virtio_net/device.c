// SPDX-License-Identifier: BSD-2-Clause
// Buffers to a virtio network device and back. Nothing that it writes is believed before it was
// checked.
#include <drivers/virtio_net/device.h>

#include <stddef.h>

#include <base/bits.h>
#include <base/memory.h>

#include <virtio/net.h>

enum {
	CHAIN = 2, // descriptors of a buffer: the header, the frame
	DESCRIPTORS = NET_BUFFERS * CHAIN,
	// In the first lane's memory, behind its queue: a queue for one command, and the command.
	CONTROL = 0xe00,
	CONTROL_DESCRIPTORS = 4,
	COMMAND = 0xe80,
	COMMAND_LOOKS = 100000, // at the answer, each with an access to the device
	// In a lane's memory, behind its queue. One header does for all buffers of the lane: those
	// of frames to send are alike, and those of received ones are not looked at.
	HEADER = VIRTIO_NET_LANE_MEMORY - 16,
};

_Static_assert(sizeof(struct virtio_net_header) <= VIRTIO_NET_LANE_MEMORY - HEADER);

// 5.1.2, 5.1.6.
static const struct {
	uint16_t queue;
	uint16_t flags; // of descriptors
} kinds[NET_LANES] = {
	[NET_TO_SWITCH] = {VIRTIO_NET_RECEIVE, VIRTQ_WRITE},
	[NET_TO_STATION] = {VIRTIO_NET_TRANSMIT, 0},
};

static bool lane_start(struct virtio_net *device, enum net_direction direction) {
	struct virtio_net_lane *lane = &device->lanes[direction];
	uint64_t offset = direction * VIRTIO_NET_LANE_MEMORY;

	virtio_queue_lay(
		&lane->queue, kinds[direction].queue, DESCRIPTORS, device->memory + offset);
	return virtio_queue_start(&device->places, &lane->queue, device->paddr + offset);
}

// 5.1.6.5.1: what the device reads, and its answer.
struct command {
	struct virtio_net_command head;
	uint8_t on;
	uint8_t answer;
};

static bool has_filter(const struct virtio_net *device) {
	const uint64_t both = VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_CTRL_RX;

	return (device->features & both) == both;
}

static bool control_start(struct virtio_net *device) {
	virtio_queue_lay(&device->control, VIRTIO_NET_CONTROL, CONTROL_DESCRIPTORS,
		device->memory + CONTROL);
	return virtio_queue_start(&device->places, &device->control, device->paddr + CONTROL);
}

// The stations of the switch have addresses of their own.
static bool ask_for_all(struct virtio_net *device) {
	struct command *command = (struct command *)(device->memory + COMMAND);
	uint64_t paddr = device->paddr + COMMAND;
	struct virtq_used_entry entry;

	*command = (struct command){
		{VIRTIO_NET_CLASS_RX, VIRTIO_NET_RX_PROMISCUOUS}, 1, VIRTIO_NET_ERR};
	device->control.descriptors[0] = (struct virtq_split_descriptor){
		paddr, offsetof(struct command, answer), VIRTQ_NEXT, 1};
	device->control.descriptors[1] = (struct virtq_split_descriptor){
		paddr + offsetof(struct command, answer), 1, VIRTQ_WRITE, 0};
	virtio_queue_give(&device->control, 0);
	virtio_queue_notify(&device->control);
	for (unsigned i = 0; i < COMMAND_LOOKS && !virtio_is_broken(&device->places); i++)
		if (virtio_queue_take(&device->control, &entry) == VIRTIO_TAKEN)
			return __atomic_load_n(&command->answer, __ATOMIC_RELAXED) == VIRTIO_NET_OK;
	return false;
}

bool virtio_net_reset(struct virtio_net *device) {
	bool is_reset = virtio_begin(&device->places, VIRTIO_F_VERSION_1,
		VIRTIO_NET_F_MAC | VIRTIO_NET_F_STATUS | VIRTIO_NET_F_CTRL_VQ |
			VIRTIO_NET_F_CTRL_RX,
		&device->features);

	for (unsigned i = 0; i < NET_LANES; i++)
		device->lanes[i].lost = device->lanes[i].held;
	if (!is_reset) return false;
	memset(device->memory, 0, VIRTIO_NET_MEMORY);
	if (!lane_start(device, NET_TO_SWITCH) || !lane_start(device, NET_TO_STATION)) return false;
	if (has_filter(device) && !control_start(device)) return false;
	virtio_run(&device->places);
	device->takes_all = !has_filter(device) || ask_for_all(device);
	return true;
}

bool virtio_net_mac(const struct virtio_net *device, uint8_t mac[NET_MAC_BYTES]) {
	return device->features & VIRTIO_NET_F_MAC &&
		virtio_config_read(&device->places, offsetof(struct virtio_net_config, mac),
			sizeof(uint8_t), mac, NET_MAC_BYTES);
}

bool virtio_net_link_is_up(const struct virtio_net *device) {
	uint16_t status;

	if (!(device->features & VIRTIO_NET_F_STATUS)) return true;
	return virtio_config_read(&device->places, offsetof(struct virtio_net_config, status),
		       sizeof(status), &status, sizeof(status)) &&
		status & VIRTIO_NET_LINK_UP;
}

bool virtio_net_give(struct virtio_net *device, enum net_direction direction, unsigned buffer,
	uint64_t paddr, unsigned length) {
	struct virtio_net_lane *lane = &device->lanes[direction];
	struct virtq_split_descriptor *chain = &lane->queue.descriptors[buffer * CHAIN];
	uint64_t header = device->paddr + direction * VIRTIO_NET_LANE_MEMORY + HEADER;
	uint16_t flags = kinds[direction].flags;

	if (lane->held & BIT(buffer)) return false;
	lane->held |= BIT(buffer);
	lane->count++;
	chain[0] = (struct virtq_split_descriptor){header, sizeof(struct virtio_net_header),
		VIRTQ_NEXT | flags, (uint16_t)(buffer * CHAIN + 1)};
	chain[1] = (struct virtq_split_descriptor){paddr, length, flags, 0};
	virtio_queue_give(&lane->queue, (uint16_t)(buffer * CHAIN));
	return true;
}

static void release(struct virtio_net_lane *lane, unsigned buffer) {
	lane->held &= ~BIT(buffer);
	lane->count--;
}

static bool take_lost(struct virtio_net_lane *lane, unsigned *buffer) {
	if (lane->lost == 0) return false;
	*buffer = (unsigned)__builtin_ctzl(lane->lost);
	lane->lost &= lane->lost - 1;
	release(lane, *buffer);
	return true;
}

// Of what was written into header and buffer.
static unsigned frame_length(uint32_t written) {
	uint32_t length = written - (uint32_t)sizeof(struct virtio_net_header);

	return length >= NET_FRAME_MIN && length <= NET_FRAME_MAX ? length : 0;
}

enum virtio_answer virtio_net_take(struct virtio_net *device, enum net_direction direction,
	unsigned *buffer, unsigned *length) {
	struct virtio_net_lane *lane = &device->lanes[direction];
	struct virtq_used_entry entry;
	enum virtio_answer answer;

	*length = 0;
	if (take_lost(lane, buffer)) return VIRTIO_TAKEN;
	answer = virtio_queue_take(&lane->queue, &entry);
	if (answer != VIRTIO_TAKEN) return answer;
	if (entry.id >= DESCRIPTORS || entry.id % CHAIN || !(lane->held & BIT(entry.id / CHAIN)))
		return VIRTIO_IMPOSSIBLE;
	*buffer = entry.id / CHAIN;
	release(lane, *buffer);
	*length = frame_length(entry.length);
	return VIRTIO_TAKEN;
}
