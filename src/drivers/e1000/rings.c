// SPDX-License-Identifier: BSD-2-Clause
// The card's two rings of descriptors.
#include <drivers/e1000/rings.h>

#include <nacre/protocol/net.h>

static unsigned after(unsigned index) { return (index + 1) % E1000_DESCRIPTORS; }

void e1000_receive_add(struct e1000_receive *ring, unsigned buffer, uint64_t address) {
	struct e1000_receive_descriptor *descriptor = &ring->descriptors[ring->tail];

	descriptor->status = 0;
	descriptor->errors = 0;
	descriptor->length = 0;
	descriptor->address = address;
	ring->buffers[ring->tail] = (uint8_t)buffer;
	ring->tail = after(ring->tail);
}

bool e1000_receive_take(struct e1000_receive *ring, unsigned *buffer, unsigned *length) {
	const struct e1000_receive_descriptor *descriptor = &ring->descriptors[ring->next];
	uint8_t status;
	bool whole;

	if (ring->next == ring->tail) return false;
	status = descriptor->status;
	if (!(status & RECEIVE_DONE)) return false;
	*buffer = ring->buffers[ring->next];
	*length = descriptor->length;
	whole = !ring->in_long_frame && status & RECEIVE_END && descriptor->errors == 0;
	if (!whole || *length < NET_FRAME_MIN || *length > NET_FRAME_MAX) *length = 0;
	ring->in_long_frame = !(status & RECEIVE_END);
	ring->next = after(ring->next);
	return true;
}

void e1000_transmit_add(
	struct e1000_transmit *ring, unsigned buffer, uint64_t address, unsigned length) {
	struct e1000_transmit_descriptor *descriptor = &ring->descriptors[ring->tail];

	descriptor->address = address;
	descriptor->length = (uint16_t)length;
	descriptor->checksum_offset = 0;
	descriptor->checksum_start = 0;
	descriptor->special = 0;
	descriptor->status = 0;
	descriptor->command = TRANSMIT_END | TRANSMIT_ADD_CHECKSUM | TRANSMIT_REPORT;
	ring->buffers[ring->tail] = (uint8_t)buffer;
	ring->tail = after(ring->tail);
}

bool e1000_transmit_take(struct e1000_transmit *ring, unsigned *buffer) {
	if (ring->next == ring->tail || !(ring->descriptors[ring->next].status & TRANSMIT_DONE))
		return false;
	*buffer = ring->buffers[ring->next];
	ring->next = after(ring->next);
	return true;
}
