// SPDX-License-Identifier: BSD-2-Clause
// Every kind of capability, object and invocation: one row each.
#include <object/vcpu.h>
#include <syscall/dispatch.h>

static enum error derive_nothing(const struct slot *, struct cap *cap) {
	*cap = (struct cap){};
	return ERROR_NONE;
}

// Name, derive, destroy, identify code, whether it refuses a first phase (false unless said).
const struct object_ops object_ops[CAP_TYPES] = {
	[CAP_NULL] = {"null", NULL, NULL, 0},
	[CAP_UNTYPED] = {"untyped", untyped_derive, NULL, 2},
	[CAP_ENDPOINT] = {"endpoint", NULL, endpoint_destroy, 4},
	[CAP_NOTIFICATION] = {"notification", NULL, notification_destroy, 6},
	[CAP_REPLY] = {"reply", NULL, reply_destroy, 8},
	[CAP_CNODE] = {"cnode", NULL, cnode_destroy, 10, true},
	[CAP_THREAD] = {"thread", NULL, thread_cap_destroy, 12, true},
	[CAP_SCHED_CONTEXT] = {"sched_context", NULL, sched_context_destroy, 22, true},
	[CAP_SCHED_CONTROL] = {"sched_control", NULL, NULL, 24, true},
	[CAP_DOMAIN] = {"domain", NULL, NULL, 20, true},
	[CAP_IRQ_CONTROL] = {"irq_control", derive_nothing, NULL, 14},
	[CAP_IRQ_HANDLER] = {"irq_handler", NULL, irq_handler_destroy, 16},
	[CAP_ZOMBIE] = {"zombie", derive_nothing, NULL, 18},
	[CAP_FRAME] = {"frame", frame_derive, vcpu_frame_destroy, 1},
	[CAP_TABLE] = {"table", space_derive, table_destroy, 0},
	[CAP_SPACE] = {"space", space_derive, space_destroy, 0},
	[CAP_ASID_CONTROL] = {"asid_control", NULL, NULL, 11},
	[CAP_ASID_POOL] = {"asid_pool", NULL, asid_pool_destroy, 13},
	[CAP_PORT_CONTROL] = {"port_control", derive_nothing, NULL, 31},
	[CAP_PORT_RANGE] = {"port_range", port_range_derive, port_range_destroy, 19},
	[CAP_VCPU] = {"vcpu", NULL, vcpu_destroy, 21},
	[CAP_IO_SPACE] = {"io_space", NULL, io_space_destroy, 15},
};

// Kinds of abi/invocation.h and of objects that are not called as their type is.
enum {
	CAP_TCB = CAP_THREAD,
	CAP_PML4 = CAP_KIND(CAP_SPACE, SPACE_HOST, 0),
	CAP_PDPT = CAP_KIND(CAP_TABLE, SPACE_HOST, 3),
	CAP_PAGE_DIRECTORY = CAP_KIND(CAP_TABLE, SPACE_HOST, 2),
	CAP_PAGE_TABLE = CAP_KIND(CAP_TABLE, SPACE_HOST, 1),
	// A DMA table takes whichever level is missing when it is mapped, so it has none before.
	CAP_IO_PAGE_TABLE = CAP_KIND(CAP_TABLE, SPACE_DMA, 0),
	CAP_EPT_PML4 = CAP_KIND(CAP_SPACE, SPACE_GUEST, 0),
	CAP_EPT_PDPT = CAP_KIND(CAP_TABLE, SPACE_GUEST, 3),
	CAP_EPT_PD = CAP_KIND(CAP_TABLE, SPACE_GUEST, 2),
	CAP_EPT_PT = CAP_KIND(CAP_TABLE, SPACE_GUEST, 1),
};

// Laid out by hand: the list is no array, nor is what follows an index into it.
// clang-format off
#define OBJECT(number, name, of_kind, size, device) \
	[number] = {.size_bits = size, .on_device = device, \
		.cap = {.head = (size) << 9 | RIGHTS_ALL << 5 | (CAP_##of_kind & CAP_HEAD_TYPE), \
			.map = {.format = CAP_##of_kind >> 5 & 3, .level = CAP_##of_kind >> 7}}},

const struct object_kind object_kinds[OBJECT_TYPE_COUNT] = {
	ABI_OBJECTS(OBJECT)
	[OBJECT_UNTYPED].keep = true,
	[OBJECT_TCB].init = thread_init,
	[OBJECT_PML4].init = space_init_host,
	[OBJECT_VCPU].init = vcpu_init,
	[OBJECT_VCPU].is_available = guest_engine_is_on,
};
// clang-format on

#define ROW(number, name, handler, kind, words, caps) [number] = {handler, CAP_##kind, words, caps},
#define EXTENSION_ROW(number, name, handler, kind, words, caps) \
	ROW(INVOCATION_EXTENSIONS + number - LABEL_EXTENSION_FIRST, name, handler, kind, words, \
		caps)

const struct invocation_row invocation_rows[] = {
	[0] = {.kind = CAP_TYPES}, ABI_INVOCATIONS(ROW) ABI_INVOCATION_EXTENSIONS(EXTENSION_ROW)};
