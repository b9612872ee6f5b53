// SPDX-License-Identifier: BSD-2-Clause
// Reads options out of the first boot module, if there is one.
#include "options.h"

#include <abi/bootinfo.h>
#include <user/root/root.h>
#include <user/slots.h>
#include <user/space.h>
#include <user/untyped.h>

enum { TEXT_MAX = 256 };

#define OPTIONS_ADDRESS 0x50000000ul

// The module's memory is a device untyped, so it is not cleared. Null: it cannot be mapped.
static const char *module_text(const struct bootinfo_module *module) {
	seL4_Word paddr = module->paddr & ~((1ul << PAGE_BITS) - 1);
	struct space own = space_own();
	seL4_CPtr slot = slots_allocate(1);
	struct mapping mapping = {.frame = slot,
		.address = OPTIONS_ADDRESS,
		.rights = seL4_CanRead,
		.bits = PAGE_BITS};

	if (!slot || untyped_make_at(OBJECT_PAGE, 0, paddr, slot) || space_map(&own, &mapping))
		return NULL;
	return (const char *)OPTIONS_ADDRESS + (module->paddr - paddr);
}

static bool starts_with(const char *text, const char *end, const char *word) {
	while (*word && text < end && *text == *word) {
		text++;
		word++;
	}
	return *word == '\0';
}

static void option_find(const char *text, const char *end, const char *name, uint64_t *value) {
	for (; text < end; text++) {
		if (!starts_with(text, end, name)) continue;
		while (*text != '=')
			text++;
		*value = 0;
		for (text++; text < end && *text >= '0' && *text <= '9'; text++)
			*value = *value * 10 + (uint64_t)(*text - '0');
		return;
	}
}

void options_read(const seL4_BootInfo *bootinfo, struct options *options) {
	const seL4_BootInfoHeader *chunk = bootinfo_find(bootinfo, BOOTINFO_MODULES);
	const struct bootinfo_module *module = (const void *)(chunk + 1);
	const char *text;
	const char *end;

	if (!chunk || chunk->len < sizeof(*chunk) + sizeof(*module)) return;
	text = module_text(module);
	if (!text) return;
	end = text + (module->length < TEXT_MAX ? module->length : TEXT_MAX);
	option_find(text, end, "seed=", &options->seed);
	option_find(text, end, "count=", &options->count);
}
