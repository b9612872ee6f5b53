// SPDX-License-Identifier: BSD-2-Clause
// The capabilities of a virtio device: the first of each kind counts (virtio 1.2, 4.1.4).
#include <lib/virtio/places.h>

#include <base/bits.h>

#include <pci/pci.h>
#include <virtio/pci.h>

enum {
	KINDS = VIRTIO_PCI_CONFIG + 1, // that are of use here
	NOTIFY_LEAST = 2, // 4.1.4.4.1
	ISR_LEAST = 1,
};

struct structure {
	bool is_found;
	uint8_t bar;
	uint32_t offset;
	uint32_t length;
	uint32_t more;
};

typedef uint32_t (*read_function)(unsigned offset, unsigned width);

// 4.1.2, and 4.1.2.3 of transitional devices.
bool virtio_is_of_type(read_function read, unsigned type) {
	unsigned device = read(PCI_REGISTER_DEVICE, 2);

	if (read(PCI_REGISTER_VENDOR, 2) != VIRTIO_PCI_VENDOR) return false;
	if (device >= VIRTIO_PCI_TRANSITIONAL && device < VIRTIO_PCI_DEVICE)
		return read(PCI_REGISTER_SUBSYSTEM + 2, 2) == type;
	return device == VIRTIO_PCI_DEVICE + type;
}

static void read_capability(read_function read, unsigned start, struct structure *found) {
	unsigned kind = read(start + VIRTIO_PCI_CAP_KIND, 1);

	if (kind >= KINDS || found[kind].is_found) return;
	found[kind] = (struct structure){
		.is_found = true,
		.bar = (uint8_t)read(start + VIRTIO_PCI_CAP_BAR, 1),
		.offset = read(start + VIRTIO_PCI_CAP_OFFSET, 4),
		.length = read(start + VIRTIO_PCI_CAP_LENGTH, 4),
	};
	if (kind == VIRTIO_PCI_NOTIFY &&
		start + VIRTIO_PCI_CAP_MULTIPLIER + sizeof(uint32_t) <= PCI_SPACE)
		found[kind].more = read(start + VIRTIO_PCI_CAP_MULTIPLIER, 4);
}

static void read_all(read_function read, struct structure *found) {
	unsigned start = PCI_REGISTER_CAPABILITIES;

	if (!(read(PCI_REGISTER_STATUS, 2) & PCI_STATUS_CAPABILITIES)) return;
	for (unsigned i = 0; i < PCI_CAPABILITIES_MOST; i++) {
		start = read(start, 1) & PCI_CAPABILITY_PLACE;
		if (start < PCI_REGISTER_OWN || start + VIRTIO_PCI_CAP_MULTIPLIER > PCI_SPACE)
			return;
		if (read(start, 1) == PCI_CAPABILITY_VENDOR) read_capability(read, start, found);
		start += VIRTIO_PCI_CAP_NEXT;
	}
}

bool virtio_places_find(read_function read, uint64_t size, struct virtio_places *places) {
	// What is used of each; a configuration structure may be of any length.
	static const uint32_t least[KINDS] = {[VIRTIO_PCI_COMMON] = VIRTIO_PCI_COMMON_SIZE,
		[VIRTIO_PCI_NOTIFY] = NOTIFY_LEAST,
		[VIRTIO_PCI_ISR] = ISR_LEAST};
	struct structure found[KINDS] = {0};

	read_all(read, found);
	for (unsigned kind = VIRTIO_PCI_COMMON; kind < KINDS; kind++) {
		const struct structure *structure = &found[kind];

		if (!structure->is_found || structure->length < least[kind]) return false;
		if (structure->bar != found[VIRTIO_PCI_COMMON].bar) return false;
		if (!range_fits(structure->offset, structure->length, size)) return false;
	}
	*places = (struct virtio_places){
		.bar = found[VIRTIO_PCI_COMMON].bar,
		.common = found[VIRTIO_PCI_COMMON].offset,
		.notify = found[VIRTIO_PCI_NOTIFY].offset,
		.notify_length = found[VIRTIO_PCI_NOTIFY].length,
		.notify_multiplier = found[VIRTIO_PCI_NOTIFY].more,
		.isr = found[VIRTIO_PCI_ISR].offset,
		.config = found[VIRTIO_PCI_CONFIG].offset,
		.config_length = found[VIRTIO_PCI_CONFIG].length,
	};
	return true;
}
