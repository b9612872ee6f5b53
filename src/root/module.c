// SPDX-License-Identifier: BSD-2-Clause
// Maps a boot module. Its pages are device untypeds, so that retyping does not clear them; frames
// are large where they can be.
#include <root/module.h>

#include <stdbool.h>

#include <base/bits.h>

#include <root/system.h>

#include <user/print.h>
#include <user/slots.h>
#include <user/space.h>
#include <user/untyped.h>

enum {
	LARGE_OFFSET_MASK = (1 << LARGE_PAGE_BITS) - 1,
};

// Far from the image; keeps the offset in a 2 MiB page, so that large frames can be mapped.
#define MODULE_WINDOW 0x100000000000ul

// Maps physical memory from start to end (page aligned) at an address.
static seL4_Error map_range(seL4_Word start, seL4_Word end, seL4_Word address) {
	struct space own = space_own();
	seL4_Word bits;

	for (; start < end; start += 1ul << bits, address += 1ul << bits) {
		bool large = (start & LARGE_OFFSET_MASK) == 0 && end - start > LARGE_OFFSET_MASK;
		struct mapping mapping = {
			.frame = slots_allocate(1),
			.address = address,
			.rights = seL4_CanRead,
			.bits = large ? LARGE_PAGE_BITS : PAGE_BITS,
		};
		seL4_Error error;

		bits = mapping.bits;
		if (!mapping.frame) return seL4_NotEnoughMemory;
		error = untyped_make_at(
			large ? OBJECT_LARGE_PAGE : OBJECT_PAGE, 0, start, mapping.frame);
		if (!error) error = space_prepare(&own, address, bits);
		if (!error) error = space_map(&own, &mapping);
		if (error) return error;
	}
	return seL4_NoError;
}

const void *module_map(const seL4_BootInfo *bootinfo, seL4_Word *size) {
	const seL4_BootInfoHeader *chunk = bootinfo_find(bootinfo, BOOTINFO_MODULES);
	const struct bootinfo_module *module = (const void *)(chunk + 1);
	seL4_Word start, address;
	seL4_Error error;

	if (!chunk || chunk->len < sizeof(*chunk) + sizeof(*module)) {
		print("system: the boot loader gave no system image: add a second module\n");
		return NULL;
	}
	start = align_down(module->paddr, 1ul << PAGE_BITS);
	address = MODULE_WINDOW + (start & LARGE_OFFSET_MASK);
	*size = module->length;
	error = map_range(
		start, align_up(module->paddr + module->length, 1ul << PAGE_BITS), address);
	if (error) {
		system_report(error, "module", module->name);
		return NULL;
	}
	return (const void *)(address + (module->paddr - start));
}
