// SPDX-License-Identifier: BSD-2-Clause
// Every kind of capability, object and invocation: one row each.
#include <base/compiler.h>
#include <cpu/vmx.h>
#include <kernel/cnode.h>
#include <kernel/delete.h>
#include <kernel/invocation.h>
#include <kernel/irq.h>
#include <kernel/notification.h>
#include <kernel/object.h>
#include <kernel/reply.h>
#include <kernel/sched_context.h>
#include <kernel/space_objects.h>
#include <kernel/untyped.h>
#include <object/asid.h>
#include <object/port_range.h>
#include <object/vcpu.h>

// Copies

static enum error derive_nothing(const struct slot *, struct cap *cap)
{
	*cap = cap_null();
	return ERROR_NONE;
}

// Ends

static void endpoint_destroy(struct slot *slot, bool last)
{
	if (last)
		endpoint_cancel_all(cap_object(&slot->cap));
}

static void notification_destroy(struct slot *slot, bool last)
{
	struct notification *notification = cap_object(&slot->cap);

	if (!last)
		return;
	notification_cancel_all(notification);
	notification_unbind(notification);
	if (notification->sched_context)
		sched_context_unbind_notification(notification->sched_context);
}

static void reply_destroy(struct slot *slot, bool last)
{
	struct reply *reply = cap_object(&slot->cap);
	struct thread *thread = reply->thread;

	if (!last || !thread)
		return;
	if (thread->state == THREAD_BLOCKED_REPLY) {
		reply_remove(reply);
		thread->state = THREAD_INACTIVE;
		thread->fault.kind = FAULT_NONE;
	} else {
		thread_cancel_ipc(thread);
	}
}

static void sched_context_destroy(struct slot *slot, bool last)
{
	if (last)
		sched_context_detach(cap_object(&slot->cap));
}

// Beginnings

static struct cap thread_create(void *memory, unsigned, bool)
{
	thread_init(memory);
	return cap_make(CAP_THREAD, memory);
}

static struct cap endpoint_create(void *memory, unsigned, bool)
{
	return cap_make(CAP_ENDPOINT, memory);
}

static struct cap notification_create(void *memory, unsigned, bool)
{
	return cap_make(CAP_NOTIFICATION, memory);
}

static struct cap reply_create(void *memory, unsigned, bool)
{
	return cap_make(CAP_REPLY, memory);
}

static struct cap sched_context_create(void *memory, unsigned size_bits, bool)
{
	struct sched_context *context = memory;
	struct cap cap = cap_make(CAP_SCHED_CONTEXT, memory);

	context->size_bits = (uint8_t)size_bits;
	cap.size_bits = size_bits & 0x3f;
	return cap;
}

// DebugCapIdentify of page-table nodes, by format and level (syscalls.md 6).
static unsigned table_identify(const struct cap *cap)
{
	static const uint8_t codes[4][4] = {
		[SPACE_HOST] = {0, 3, 5, 7},
		[SPACE_GUEST] = {0, 23, 25, 27},
		[SPACE_DMA] = {17, 17, 17, 17},
	};

	return codes[cap->map.format][cap->map.level];
}

static unsigned space_identify(const struct cap *cap)
{
	return cap->map.format == SPACE_HOST ? 9 : 29;
}

const struct object_ops object_ops[CAP_TYPES] = {
	[CAP_NULL] = {.name = "null"},
	[CAP_UNTYPED] = {.name = "untyped", .derive = untyped_derive, .identify_code = 2},
	[CAP_ENDPOINT] = {.name = "endpoint", .destroy = endpoint_destroy, .identify_code = 4},
	[CAP_NOTIFICATION] = {.name = "notification",
		.destroy = notification_destroy,
		.identify_code = 6},
	[CAP_REPLY] = {.name = "reply", .destroy = reply_destroy, .identify_code = 8},
	[CAP_CNODE] = {.name = "cnode", .destroy = cnode_destroy, .identify_code = 10},
	[CAP_THREAD] = {.name = "thread", .destroy = thread_cap_destroy, .identify_code = 12},
	[CAP_SCHED_CONTEXT] = {.name = "sched_context",
		.destroy = sched_context_destroy,
		.identify_code = 22},
	[CAP_SCHED_CONTROL] = {.name = "sched_control", .identify_code = 24},
	[CAP_DOMAIN] = {.name = "domain", .identify_code = 20},
	[CAP_IRQ_CONTROL] = {.name = "irq_control", .derive = derive_nothing, .identify_code = 14},
	[CAP_IRQ_HANDLER] = {.name = "irq_handler",
		.destroy = irq_handler_destroy,
		.identify_code = 16},
	[CAP_ZOMBIE] = {.name = "zombie", .derive = derive_nothing, .identify_code = 18},
	[CAP_FRAME] = {.name = "frame",
		.derive = frame_derive,
		.destroy = frame_destroy,
		.identify_code = 1},
	[CAP_TABLE] = {.name = "table",
		.derive = table_derive,
		.destroy = table_destroy,
		.identify = table_identify},
	[CAP_SPACE] = {.name = "space",
		.derive = space_derive,
		.destroy = space_destroy,
		.identify = space_identify},
	[CAP_ASID_CONTROL] = {.name = "asid_control", .identify_code = 11},
	[CAP_ASID_POOL] = {.name = "asid_pool", .destroy = asid_pool_destroy, .identify_code = 13},
	[CAP_PORT_CONTROL] = {.name = "port_control",
		.derive = derive_nothing,
		.identify_code = 31},
	[CAP_PORT_RANGE] = {.name = "port_range",
		.derive = port_range_derive,
		.destroy = port_range_destroy,
		.identify_code = 19},
	[CAP_VCPU] = {.name = "vcpu", .destroy = vcpu_destroy, .identify_code = 21},
};

#define TABLE_ROW(text, maker) \
	{ \
		.name = text, .size_bits = TABLE_BITS, .create = maker \
	}
#define FRAME_ROW(text, bits) \
	{ \
		.name = text, .size_bits = bits, .on_device = true, .create = frame_create \
	}

const struct object_kind object_kinds[OBJECT_TYPE_COUNT] = {
	[OBJECT_UNTYPED] = {.name = "untyped",
		.on_device = true,
		.keep = true,
		.create = untyped_create},
	[OBJECT_TCB] = {.name = "thread", .size_bits = TCB_BITS, .create = thread_create},
	[OBJECT_ENDPOINT] = {.name = "endpoint",
		.size_bits = ENDPOINT_BITS,
		.create = endpoint_create},
	[OBJECT_NOTIFICATION] = {.name = "notification",
		.size_bits = NOTIFICATION_BITS,
		.create = notification_create},
	[OBJECT_CNODE] = {.name = "cnode", .create = cnode_create},
	[OBJECT_SCHED_CONTEXT] = {.name = "sched_context", .create = sched_context_create},
	[OBJECT_REPLY] = {.name = "reply", .size_bits = REPLY_BITS, .create = reply_create},
	[OBJECT_PDPT] = TABLE_ROW("PDPT", table_create_pdpt),
	[OBJECT_PML4] = TABLE_ROW("PML4", space_create_host),
	[OBJECT_HUGE_PAGE] = FRAME_ROW("1 GiB frame", HUGE_PAGE_BITS),
	[OBJECT_PAGE] = FRAME_ROW("4 KiB frame", PAGE_BITS),
	[OBJECT_LARGE_PAGE] = FRAME_ROW("2 MiB frame", LARGE_PAGE_BITS),
	[OBJECT_PAGE_TABLE] = TABLE_ROW("page table", table_create_page_table),
	[OBJECT_PAGE_DIRECTORY] = TABLE_ROW("page directory", table_create_page_directory),
	[OBJECT_IO_PAGE_TABLE] = TABLE_ROW("I/O page table", table_create_dma),
	[OBJECT_VCPU] = {.name = "VCPU", .size_bits = VCPU_BITS, .create = vcpu_create},
	[OBJECT_EPT_PML4] = TABLE_ROW("EPT PML4", space_create_guest),
	[OBJECT_EPT_PDPT] = TABLE_ROW("EPT PDPT", table_create_guest_pdpt),
	[OBJECT_EPT_PD] = TABLE_ROW("EPT page directory", table_create_guest_page_directory),
	[OBJECT_EPT_PT] = TABLE_ROW("EPT page table", table_create_guest_page_table),
};

bool object_is_available(enum object_type type)
{
	return type != OBJECT_VCPU || vmx_is_on();
}

// Which capability a row of abi/invocation.h means by its kind: type, format and level.
#define KIND_UNTYPED CAP_UNTYPED, 0, 0
#define KIND_TCB CAP_THREAD, 0, 0
#define KIND_CNODE CAP_CNODE, 0, 0
#define KIND_SCHED_CONTEXT CAP_SCHED_CONTEXT, 0, 0
#define KIND_SCHED_CONTROL CAP_SCHED_CONTROL, 0, 0
#define KIND_IRQ_CONTROL CAP_IRQ_CONTROL, 0, 0
#define KIND_IRQ_HANDLER CAP_IRQ_HANDLER, 0, 0
#define KIND_DOMAIN CAP_DOMAIN, 0, 0
#define KIND_PDPT CAP_TABLE, SPACE_HOST, 3
#define KIND_PAGE_DIRECTORY CAP_TABLE, SPACE_HOST, 2
#define KIND_PAGE_TABLE CAP_TABLE, SPACE_HOST, 1
#define KIND_IO_PAGE_TABLE CAP_TABLE, SPACE_DMA, 0
#define KIND_FRAME CAP_FRAME, 0, 0
#define KIND_ASID_CONTROL CAP_ASID_CONTROL, 0, 0
#define KIND_ASID_POOL CAP_ASID_POOL, 0, 0
#define KIND_PORT_CONTROL CAP_PORT_CONTROL, 0, 0
#define KIND_PORT_RANGE CAP_PORT_RANGE, 0, 0
#define KIND_VCPU CAP_VCPU, 0, 0
#define KIND_EPT_PDPT CAP_TABLE, SPACE_GUEST, 3
#define KIND_EPT_PD CAP_TABLE, SPACE_GUEST, 2
#define KIND_EPT_PT CAP_TABLE, SPACE_GUEST, 1

#define ROW(number, name, handler, kind, words, caps) \
	[number] = {handler, KIND_##kind, words, caps},
#define EXTENSION_ROW(number, name, handler, kind, words, caps) \
	[number - LABEL_EXTENSION_FIRST] = {handler, KIND_##kind, words, caps},

static const struct invocation_row rows[LABEL_LAST + 1] = {ABI_INVOCATIONS(ROW)};
static const struct invocation_row extension_rows[] = {ABI_INVOCATION_EXTENSIONS(EXTENSION_ROW)};

const struct invocation_row *invocation_row_of(uint64_t label)
{
	if (label >= 1 && label <= LABEL_LAST)
		return &rows[label];
	if (label >= LABEL_EXTENSION_FIRST &&
		label - LABEL_EXTENSION_FIRST < array_count(extension_rows))
		return &extension_rows[label - LABEL_EXTENSION_FIRST];
	return NULL;
}
