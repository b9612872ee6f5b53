// SPDX-License-Identifier: BSD-2-Clause
// The chunk of bootinfo that has options of the initial task.
#include <root/options.h>

#include <user/root/root.h>

struct bootinfo_options options_of(const seL4_BootInfo *bootinfo) {
	const seL4_BootInfoHeader *chunk = bootinfo_find(bootinfo, BOOTINFO_OPTIONS);

	if (!chunk || chunk->len < sizeof(*chunk) + sizeof(struct bootinfo_options))
		return (struct bootinfo_options){0};
	return *(const struct bootinfo_options *)(chunk + 1);
}
