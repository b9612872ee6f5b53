// SPDX-License-Identifier: BSD-2-Clause
// What devices reach: tables and frames in the space of a device (DMA-1 to DMA-9). A capability to
// such a space says which device; the unit has the root and the domain. The first table for a
// device is its root, and each following one goes below the lowest that there is for its address.
#include <memory/mapping.h>

#include <cap/invocation.h>
#include <memory/space.h>

static const struct iommu *iommu(void) { return this_cpu()->platform->iommu; }

// The number of the device in whose space a frame or table is.
static unsigned device_of(const struct cap *cap) {
	return (unsigned)cap->map.asid | (unsigned)cap->map.device_high << 12;
}

// What a capability that is in the space at address records.
static uint64_t place_of(const struct cap *space, uint64_t address, unsigned depth) {
	unsigned device = space->word & IO_SPACE_DEVICE;
	struct cap place = {
		.map = {device & 0xfff, 0, SPACE_DMA, 0, 1, device >> 12 & 15, depth & 7}};

	return place.word | (address & CAP_ADDRESS);
}

// The root of a space that a program has made; none where the kernel keeps memory of firmware open
// to the device.
static struct iommu_root root_of(const void *device) {
	struct iommu_root root = iommu()->root(device);

	return root.domain < iommu()->domains ? root : (struct iommu_root){};
}

static uint64_t *table_of(struct iommu_root root) { return physical_pointer(root.table); }

static void entry_write(uint64_t *entry, uint64_t value) {
	*(volatile uint64_t *)entry = value;
	iommu()->publish(entry, sizeof(*entry));
}

// A frame or table that is mapped nowhere; extra capability 0 is the space of a device, and it has
// the address (word `word`). All about capabilities is said of number 0.
static enum error check_space(struct invocation *invocation, uint64_t address, unsigned word) {
	const struct cap *space = &invocation->caps[0]->cap;
	bool is_mapped = invocation->slot->cap.map.mapped;

	if (is_mapped || space->type != CAP_IO_SPACE || !space->object)
		return error_capability(invocation, 0);
	return address > iommu()->limit ? error_argument(invocation, word) : ERROR_NONE;
}

// Frames

// One of 4 KiB, or as large as the units' pages.
enum error io_frame_map(struct invocation *invocation) {
	struct cap *frame = &invocation->slot->cap;
	const struct cap *space = &invocation->caps[0]->cap;
	uint64_t address = align_down(invocation_word(invocation, 1), BIT(PAGE_BITS));
	enum error error = check_space(invocation, address, 1);
	unsigned access = frame->rights & invocation_word(invocation, 0) & PAGING_READ_WRITE;
	unsigned level = frame_level(frame);
	struct paging_walk walk = {.missing_bits = paging_shift(PAGING_LEVELS)};
	struct iommu_root root;

	if (error) return error;
	if (level > iommu()->largest_page) return error_capability(invocation, 0);
	if (!is_aligned(address, paging_span(level))) return ERROR_ALIGNMENT;
	root = root_of(cap_object(space));
	if (root.table.value)
		walk = paging_walk_from(table_of(root), iommu()->levels, address, level);
	if (!walk.entry) return error_missing(invocation, LOOKUP_TARGET, walk.missing_bits);
	if (!paging_is_free(*walk.entry)) return ERROR_DELETE_FIRST;
	if (!(access & PAGING_READ)) return error_argument(invocation, 0);

	entry_write(walk.entry,
		iommu()->page_bits | frame_entry(frame, iommu()->paging, level, access, 0));
	iommu()->entry_added(root.domain, address, level);
	frame->word = place_of(space, address, 0);
	return ERROR_NONE;
}

// Tables

enum error io_table_map(struct invocation *invocation) {
	struct cap *table = &invocation->slot->cap;
	const struct cap *space = &invocation->caps[0]->cap;
	uint64_t address = align_down(invocation_word(invocation, 0), paging_span(2));
	enum error error = check_space(invocation, address, 0);
	struct iommu_root root;
	unsigned level;
	uint64_t *entry;

	if (error) return error;
	level = iommu()->levels;
	root = root_of(cap_object(space));
	iommu()->publish(cap_object(table), BIT(TABLE_BITS));
	if (!root.table.value) {
		root = (struct iommu_root){physical_of(cap_object(table)),
			(unsigned)(space->word >> IO_SPACE_DOMAIN_SHIFT)};
		iommu()->set_root(cap_object(space), root);
		table->word = place_of(space, 0, level);
		return ERROR_NONE;
	}
	entry = paging_entry(table_of(root), address, level);
	while (level > 2 && paging_is_table(*entry, level))
		entry = paging_entry(physical_pointer(paging_target(*entry, 1)), address, --level);
	if (!paging_is_free(*entry)) return ERROR_DELETE_FIRST;

	entry_write(entry, iommu_table_entry(iommu(), physical_of(cap_object(table)), level - 1));
	iommu()->entry_added(root.domain, address, level);
	table->word = place_of(space, address, level - 1);
	return ERROR_NONE;
}

// Both

// No device reaches it when this returns; of a table, however many pages are below, by one
// invalidation.
void io_detach(const struct cap *cap) {
	const struct iommu *unit = iommu();
	void *device = unit->device(device_of(cap));
	struct iommu_root root = root_of(device);
	physical_t own = physical_of(cap_object(cap));
	bool is_page = cap->type == CAP_FRAME;
	unsigned level = is_page ? frame_level(cap) : cap->map.depth + 1u;
	uint64_t *entry;

	if (level > unit->levels && root.table.value == own.value)
		unit->set_root(device, (struct iommu_root){});
	if (level > unit->levels || !root.table.value) return;
	entry = paging_walk_from(table_of(root), unit->levels, cap_address(cap), level).entry;
	if (!entry || !entry_leads_to(*entry, level, cap->type, own)) return;
	entry_write(entry, 0);
	unit->paging->invalidate(
		root.table, root.domain, is_page && level == 1 ? cap_address(cap) : EVERY_PAGE);
}

// Spaces

// Without its last capability a device reaches nothing.
void io_space_destroy(struct slot *slot, bool last) {
	void *device = cap_object(&slot->cap);

	if (last && device && root_of(device).table.value)
		iommu()->set_root(device, (struct iommu_root){});
}
