// SPDX-License-Identifier: BSD-2-Clause
// Registers of devices that guests drive themselves. The pages of each are in the storage one after
// the other: the capability that the monitor's mapping has, the guest's or none, and the one from
// the frame's creation.
#include <root/passed.h>

#include <base/bits.h>

#include <root/devices.h>
#include <root/group.h>
#include <root/pages.h>

#include <user/slots.h>
#include <user/untyped.h>

enum {
	CAPS_OF_PAGE = 3,
	FRAME_CAP = 2,
	TABLES = 4, // above the lowest ones, in each of two spaces
};

bool device_is_passed(const struct system *system, uint32_t index) {
	return system->image.io_spaces[index].owner != SYSTEM_NONE &&
		system->image.io_spaces[index].guest != SYSTEM_NONE;
}

static bool is_needed(const struct system *system, uint32_t index) {
	return device_is_passed(system, index) && system->devices[index].found &&
		!system->domains[system->image.io_spaces[index].owner].omitted;
}

static seL4_Word pages_of(const struct device *device) {
	seL4_Word count = 0;

	for (unsigned bar = 0; bar < PCI_BARS; bar++)
		count += device->passed.bars[bar].size >> PAGE_BITS;
	return count;
}

seL4_Word passed_storage(const struct system *system) {
	seL4_Word count = 0;

	for (uint32_t i = 0; i < image_count(&system->image, SYSTEM_IO_SPACES); i++)
		if (is_needed(system, i)) count += CAPS_OF_PAGE * pages_of(&system->devices[i]);
	return count;
}

seL4_Word passed_bytes(const struct system *system, unsigned group) {
	seL4_Word tables = 0;

	for (uint32_t i = 0; i < image_count(&system->image, SYSTEM_IO_SPACES); i++)
		if (is_needed(system, i) && group_of_device(system, i) == group)
			tables += 2 * (TABLES + (SYSTEM_PASSED_WINDOW >> LARGE_PAGE_BITS));
	return tables << PAGE_BITS;
}

// Puts a capability at the next place of the storage, in which one of a former life may be.
static seL4_Error keep(struct system *system, seL4_CPtr slot) {
	seL4_Error error = seL4_CNode_Delete(
		system->storage, system->storage_used, (seL4_Uint8)system->storage_bits);

	return error ? error : pages_retire(system, slot);
}

static seL4_Error map_copy(struct system *system, const struct space *space, seL4_CPtr frame,
	seL4_Word address, seL4_Word attributes) {
	seL4_CPtr copy = slots_allocate(1);
	const struct mapping mapping = {.frame = copy,
		.address = address,
		.rights = seL4_ReadWrite,
		.attributes = attributes};
	seL4_Error error;

	if (!copy) return seL4_NotEnoughMemory;
	error = seL4_CNode_Copy(seL4_CapInitThreadCNode, copy, seL4_WordBits,
		seL4_CapInitThreadCNode, frame, seL4_WordBits, seL4_AllRights);
	if (!error) error = page_map(space, &mapping, PAGE_BITS);
	return error ? error : keep(system, copy);
}

// The frame of a page that was built before is in the storage.
static seL4_Error take_frame(
	struct system *system, const struct device *device, seL4_Word paddr, seL4_CPtr *frame) {
	const struct page page = {.bits = PAGE_BITS, .paddr = paddr};

	if (!device->is_built) return page_make(&page, frame);
	*frame = slots_allocate(1);
	if (!*frame) return seL4_NotEnoughMemory;
	return pages_recall(system, system->storage_used + FRAME_CAP, *frame);
}

static seL4_Error build_page(
	struct system *system, uint32_t index, unsigned bar, seL4_Word offset) {
	const struct system_io_space *record = &system->image.io_spaces[index];
	const struct device *device = &system->devices[index];
	const struct pci_passed *passed = &device->passed;
	seL4_Word place = passed->bars[bar].offset + offset;
	seL4_CPtr frame;
	seL4_Error error = take_frame(system, device, passed->bars[bar].address + offset, &frame);

	if (!error)
		error = map_copy(system, &system->domains[record->owner].space, frame,
			record->window + place, seL4_X86_CacheDisabled);
	if (error) return error;
	if (pci_passed_directly(passed, bar, offset))
		error = map_copy(system, &system->guests[record->guest].space, frame,
			record->window + place, seL4_X86_EPT_Uncached_VMAttributes);
	else
		system->storage_used++;
	return error ? error : keep(system, frame);
}

static seL4_Error build_device(struct system *system, uint32_t index) {
	struct device *device = &system->devices[index];
	seL4_Word stored = system->storage_used;
	seL4_Error error = seL4_NoError;

	if (device->is_built)
		system->storage_used = device->passed_stored;
	else
		device->passed_stored = stored;
	for (unsigned bar = 0; bar < PCI_BARS; bar++)
		for (seL4_Word offset = 0; !error && offset < device->passed.bars[bar].size;
			offset += 1ul << PAGE_BITS)
			error = build_page(system, index, bar, offset);
	if (device->is_built) system->storage_used = stored;
	return error;
}

seL4_Error passed_build(struct system *system, unsigned group) {
	for (uint32_t i = 0; i < image_count(&system->image, SYSTEM_IO_SPACES); i++) {
		unsigned own = group_of_device(system, i);
		seL4_Error error;

		if (!is_needed(system, i) || !group_matches(group, own)) continue;
		untyped_select(own);
		error = build_device(system, i);
		untyped_select(GROUP_NONE);
		if (error)
			return system_report(error, "registers of the device of",
				system->image.io_spaces[i].name);
	}
	return seL4_NoError;
}
