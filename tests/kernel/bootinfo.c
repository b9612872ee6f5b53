// SPDX-License-Identifier: BSD-2-Clause
// Tests: what the initial task is given (BOOT-1 to BOOT-16).
#include "world.h"

static void fields(void) {
	const struct bootinfo *info = world.bootinfo;

	CHECK_EQUAL(info->node_id, 0);
	CHECK(info->node_count >= 1);
	CHECK(info->root_cnode_bits >= ROOT_CNODE_MIN_BITS);
	CHECK_EQUAL(info->domain, 0);
	CHECK_EQUAL(info->shared_frames.end, 0);
	CHECK_EQUAL(info->io_space_caps.end, 0);
	CHECK_EQUAL(info->sched_control.end - info->sched_control.start, info->node_count);
	CHECK_EQUAL(info->empty.end, 1ul << info->root_cnode_bits);
}

static void fixed_slots(void) {
	static const uint64_t kinds[] = {
		[ROOT_SLOT_TCB] = KIND_TCB,
		[ROOT_SLOT_CNODE] = KIND_CNODE,
		[ROOT_SLOT_SPACE] = KIND_PML4,
		[ROOT_SLOT_IRQ_CONTROL] = KIND_IRQ_CONTROL,
		[ROOT_SLOT_ASID_CONTROL] = KIND_ASID_CONTROL,
		[ROOT_SLOT_ASID_POOL] = KIND_ASID_POOL,
		[ROOT_SLOT_PORT_CONTROL] = KIND_PORT_CONTROL,
		[ROOT_SLOT_BOOTINFO_FRAME] = KIND_FRAME,
		[ROOT_SLOT_IPC_BUFFER] = KIND_FRAME,
		[ROOT_SLOT_DOMAIN] = KIND_DOMAIN,
		[ROOT_SLOT_SCHED_CONTEXT] = KIND_SCHED_CONTEXT,
		[15] = KIND_NULL,
	};

	for (uint64_t slot = 0; slot < array_count(kinds); slot++) {
		if (slot != ROOT_SLOT_IO_SPACE) CHECK_EQUAL(cap_kind(slot), kinds[slot]);
	}
}

static void range_kind_check(struct bootinfo_range range, uint64_t kind) {
	for (uint64_t slot = range.start; slot < range.end; slot++)
		CHECK_EQUAL(cap_kind(slot), kind);
}

static void ranges(void) {
	const struct bootinfo *info = world.bootinfo;

	CHECK(info->image_frames.end > info->image_frames.start);
	CHECK(info->untyped.end > info->untyped.start);
	CHECK(info->untyped.end - info->untyped.start <= BOOTINFO_MAX_UNTYPED);
	range_kind_check(info->image_frames, KIND_FRAME);
	range_kind_check(info->extra_pages, KIND_FRAME);
	range_kind_check(info->sched_control, KIND_SCHED_CONTROL);
	range_kind_check(info->untyped, KIND_UNTYPED);
	for (uint64_t slot = info->image_paging.start; slot < info->image_paging.end; slot++)
		CHECK(cap_kind(slot) == KIND_PDPT || cap_kind(slot) == KIND_PAGE_DIRECTORY ||
			cap_kind(slot) == KIND_PAGE_TABLE);
}

static void empty_slots(void) {
	for (uint64_t slot = world.slot_first; slot < world.slot_end; slot++)
		CHECK_EQUAL(cap_kind(slot), KIND_NULL);
}

static void untyped_sizes(void) {
	const struct bootinfo *info = world.bootinfo;
	uint64_t count = info->untyped.end - info->untyped.start;

	for (uint64_t index = 0; index < BOOTINFO_MAX_UNTYPED; index++) {
		const struct bootinfo_untyped *entry = &info->untyped_list[index];

		if (index >= count) {
			CHECK_EQUAL(entry->paddr | entry->size_bits | entry->is_device, 0);
			continue;
		}
		CHECK_BETWEEN(entry->size_bits, UNTYPED_MIN_BITS, UNTYPED_MAX_BITS);
		CHECK(entry->is_device <= 1);
		CHECK_EQUAL(entry->paddr & ((1ul << entry->size_bits) - 1), 0);
	}
}

static void untyped_overlap(void) {
	const struct bootinfo_untyped *list = world.bootinfo->untyped_list;
	uint64_t count = world.bootinfo->untyped.end - world.bootinfo->untyped.start;

	for (uint64_t first = 0; first < count; first++) {
		for (uint64_t second = first + 1; second < count; second++)
			CHECK(list[first].paddr + (1ul << list[first].size_bits) <=
					list[second].paddr ||
				list[second].paddr + (1ul << list[second].size_bits) <=
					list[first].paddr);
	}
}

static int is_device_memory(uint64_t address) {
	const struct bootinfo_untyped *list = world.bootinfo->untyped_list;
	uint64_t count = world.bootinfo->untyped.end - world.bootinfo->untyped.start;

	for (uint64_t index = 0; index < count; index++) {
		if (list[index].is_device && address >= list[index].paddr &&
			address - list[index].paddr < 1ul << list[index].size_bits)
			return 1;
	}
	return 0;
}

static void device_regions(void) {
	CHECK(is_device_memory(0xb8000));
	CHECK(is_device_memory(0xf0000));
	CHECK(is_device_memory(0xfed00000)); // HPET
	CHECK(is_device_memory(0x100000000000));
	CHECK(!is_device_memory(0xfee00000)); // local APIC
	CHECK(!is_device_memory(0xfec00000)); // I/O APIC
}

static void chunks(void) {
	const struct bootinfo_chunk *memory_map = chunk_find(BOOTINFO_MEMORY_MAP);
	const struct bootinfo_chunk *rsdp = chunk_find(BOOTINFO_ACPI_RSDP);
	const struct bootinfo_chunk *frequency = chunk_find(BOOTINFO_TSC_FREQUENCY);

	CHECK(memory_map);
	CHECK_EQUAL(memory_map->length, 1220);
	CHECK_BETWEEN(*(const uint32_t *)(memory_map + 1), 24, 1200);
	CHECK(rsdp);
	CHECK_EQUAL(rsdp->length, 52);
	CHECK_EQUAL(*(const uint64_t *)(rsdp + 1), 0x2052545020445352); // "RSD PTR "
	CHECK(frequency);
	CHECK_EQUAL(frequency->length, 20);
	CHECK_BETWEEN(*(const uint32_t *)(frequency + 1), 10, 10000);
}

// The exact rate follows directly after the megahertz, which are the rounded rate.
static void rate_chunk(void) {
	const struct bootinfo_chunk *frequency = chunk_find(BOOTINFO_TSC_FREQUENCY);
	const struct bootinfo_chunk *rate = chunk_find(BOOTINFO_TSC_RATE);
	const uint32_t *words;
	uint64_t hertz;

	CHECK(frequency && rate);
	CHECK((const char *)rate == (const char *)frequency + frequency->length);
	CHECK_EQUAL(rate->length, 24);
	words = (const uint32_t *)(rate + 1); // chunks follow each other without padding
	hertz = (uint64_t)words[1] << 32 | words[0];
	CHECK_EQUAL((hertz + 500000) / 1000000, *(const uint32_t *)(frequency + 1));
}

// All units of an emulator work; whether they remap interrupts, remap-message knows.
static void iommu_chunk(void) {
	const struct bootinfo_chunk *iommu = chunk_find(BOOTINFO_IOMMU);
	uint64_t bits;

	CHECK(iommu);
	CHECK_EQUAL(iommu->length, 24);
	bits = ((const uint32_t *)(iommu + 1))[0];
	CHECK_EQUAL(((const uint32_t *)(iommu + 1))[1], 0);
	CHECK_EQUAL(bits & BOOTINFO_IOMMU_WHOLE,
		world.bootinfo->iopt_levels ? BOOTINFO_IOMMU_WHOLE : 0);
	CHECK((bits & ~BOOTINFO_IOMMU_INTERRUPTS) == (bits ? BOOTINFO_IOMMU_WHOLE : 0));
}

static void chunks_fit(void) {
	const char *start = (const char *)world.bootinfo + 4096;
	uint64_t pages = world.bootinfo->extra_pages.end - world.bootinfo->extra_pages.start;
	uint64_t offset = 0;

	CHECK(world.bootinfo->extra_length <= pages << PAGE_BITS);
	CHECK_EQUAL(pages & (pages - 1), 0);
	while (offset < world.bootinfo->extra_length) {
		const struct bootinfo_chunk *chunk = (const void *)(start + offset);

		CHECK(chunk->length >= sizeof(*chunk));
		offset += chunk->length;
	}
	CHECK_EQUAL(offset, world.bootinfo->extra_length);
}

static void addresses(void) {
	CHECK_EQUAL(world.bootinfo->ipc_buffer & 0xfff, 0);
	CHECK_EQUAL((uint64_t)world.bootinfo, world.bootinfo->ipc_buffer + 4096);
	CHECK((uint64_t)addresses >= world.image_base);
	CHECK((uint64_t)addresses < world.bootinfo->ipc_buffer);
}

static void mapped_frames(void) {
	uint64_t frame = image_frame((const void *)addresses);

	CHECK_ERROR(frame_map(frame, ROOT_SLOT_SPACE, TEST_ADDRESS, RIGHT_READ),
		ERROR_INVALID_ARGUMENT, 0);
	CHECK_ERROR(frame_map(ROOT_SLOT_IPC_BUFFER, ROOT_SLOT_SPACE, TEST_ADDRESS, RIGHT_READ),
		ERROR_INVALID_ARGUMENT, 0);
	CHECK_ERROR(frame_map(ROOT_SLOT_BOOTINFO_FRAME, ROOT_SLOT_SPACE, TEST_ADDRESS, RIGHT_READ),
		ERROR_INVALID_ARGUMENT, 0);
}

static void own_frames_contiguous(void) {
	struct message first = invoke(
		world.bootinfo->image_frames.start, LABEL_FRAME_GET_ADDRESS, CAPS(), WORDS());
	struct message last = invoke(
		world.bootinfo->image_frames.end - 1, LABEL_FRAME_GET_ADDRESS, CAPS(), WORDS());

	check_ok(HERE, &first);
	CHECK_EQUAL(first.length, 1);
	CHECK_EQUAL(last.words[0] - first.words[0], (image_page_count() - 1) << PAGE_BITS);
}

static const struct test tests[] = {
	{"bootinfo-fields", "the fields of the boot information have their documented values",
		fields, NULL},
	{"bootinfo-slots", "each fixed slot of the root CNode holds its kind of capability",
		fixed_slots, NULL},
	{"bootinfo-ranges", "each slot range holds capabilities of its kind and nothing else",
		ranges, NULL},
	{"bootinfo-empty", "every slot of the empty range is empty", empty_slots, NULL},
	{"bootinfo-untyped", "untypeds are aligned powers of two and the list is zero past its end",
		untyped_sizes, NULL},
	{"bootinfo-overlap", "no two untypeds overlap", untyped_overlap, NULL},
	{"bootinfo-device", "device untypeds cover MMIO, not the interrupt controllers",
		device_regions, NULL},
	{"bootinfo-rate", "the TSC's exact rate follows that in megahertz", rate_chunk, NULL},
	{"bootinfo-iommu", "what the kernel keeps devices from is known", iommu_chunk, NULL},
	{"bootinfo-chunks", "memory map, RSDP and TSC frequency chunks are present and well-formed",
		chunks, NULL},
	{"bootinfo-extra",
		"the extra chunks fill exactly the stated length and a power of two of pages",
		chunks_fit, NULL},
	{"bootinfo-addresses", "IPC buffer and boot information follow the image", addresses, NULL},
	{"bootinfo-mapped", "image, buffer and boot information frames record their mapping",
		mapped_frames, "X86PageMap/6"},
	{"bootinfo-contiguous", "image frames ascend with the image's addresses",
		own_frames_contiguous, NULL},
};

TEST_FILE(bootinfo);
