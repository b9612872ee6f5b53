// SPDX-License-Identifier: BSD-2-Clause
// Maps a boot module. Its pages are device untypeds, so that retyping does not clear them: each is
// retyped in order into frames, large ones where it is large enough.
#include <root/module.h>

#include <base/bits.h>

#include <user/print.h>
#include <user/slots.h>
#include <user/space.h>
#include <user/untyped.h>

enum {
	LARGE_OFFSET_MASK = (1 << LARGE_PAGE_BITS) - 1,
};

// Far from the image; the offset in a 2 MiB page is kept, so that large frames can be mapped.
#define MODULE_WINDOW 0x100000000000ul

struct window {
	seL4_Word paddr; // what to map next
	seL4_Word end;
	seL4_Word vaddr;
};

static seL4_Error map_frames(
	struct window *window, seL4_CPtr first, seL4_Word count, seL4_Word bits) {
	struct space own = space_own();

	for (seL4_Word i = 0; i < count; i++) {
		struct mapping mapping = {
			.frame = first + i,
			.address = window->vaddr,
			.rights = seL4_CanRead,
		};
		seL4_Error error = space_prepare(&own, window->vaddr, bits);

		if (!error) error = space_map(&own, &mapping);
		if (error) return error;
		window->paddr += 1ul << bits;
		window->vaddr += 1ul << bits;
	}
	return seL4_NoError;
}

// Turn one untyped into frames and map them all.
static seL4_Error map_block(struct window *window, seL4_CPtr untyped, seL4_Word size_bits) {
	seL4_Word bits = size_bits >= LARGE_PAGE_BITS ? LARGE_PAGE_BITS : PAGE_BITS;
	seL4_Word left = 1ul << (size_bits - bits);

	while (left > 0) {
		seL4_Word count = left < RETYPE_MAX_OBJECTS ? left : RETYPE_MAX_OBJECTS;
		seL4_CPtr slots = slots_allocate(count);
		seL4_Error error;

		if (!slots) return seL4_NotEnoughMemory;
		error = seL4_Untyped_Retype(untyped,
			bits == PAGE_BITS ? OBJECT_PAGE : OBJECT_LARGE_PAGE, 0,
			seL4_CapInitThreadCNode, 0, 0, slots, count);
		if (!error) error = map_frames(window, slots, count, bits);
		if (error) return error;
		left -= count;
	}
	return seL4_NoError;
}

static seL4_Error map_range(struct window *window) {
	while (window->paddr < window->end) {
		seL4_CPtr untyped;
		seL4_Word bits;
		seL4_Error error;

		if (!untyped_device_at(window->paddr, &untyped, &bits) || bits < PAGE_BITS)
			return seL4_RangeError;
		error = map_block(window, untyped, bits);
		if (error) return error;
	}
	return seL4_NoError;
}

const void *module_map(const seL4_BootInfo *bootinfo, seL4_Word *size) {
	const seL4_BootInfoHeader *chunk = bootinfo_find(bootinfo, BOOTINFO_MODULES);
	const struct bootinfo_module *module = (const void *)(chunk + 1);
	struct window window;
	seL4_Word start;
	seL4_Error error;

	if (!chunk || chunk->len < sizeof(*chunk) + sizeof(*module)) {
		print("system: the boot loader gave no system image: add a second module\n");
		return NULL;
	}
	start = align_down(module->paddr, 1ul << PAGE_BITS);
	window = (struct window){
		.paddr = start,
		.end = module->paddr + module->length,
		.vaddr = MODULE_WINDOW + (start & LARGE_OFFSET_MASK),
	};
	*size = module->length;
	error = map_range(&window);
	if (error) {
		print("system: module '%s' at 0x%lx cannot be mapped at 0x%lx: error %d\n",
			module->name, module->paddr, window.paddr, error);
		return NULL;
	}
	return (const void *)(MODULE_WINDOW + (module->paddr & LARGE_OFFSET_MASK));
}
