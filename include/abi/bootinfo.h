// SPDX-License-Identifier: BSD-2-Clause
// What the initial task is given (BOOT-6).
#pragma once

#include <abi/compiler.h>
#include <stddef.h>
#include <stdint.h>

enum {
	BOOTINFO_MAX_UNTYPED = 230,
	ROOT_CNODE_MIN_BITS = 12,
	ROOT_CNODE_MAX_BITS = 16, // by the memory there is
	ROOT_CNODE_LIMIT_BITS = 20, // by an option
};

enum root_slot {
	ROOT_SLOT_NULL = 0, // null
	ROOT_SLOT_TCB = 1, // thread
	ROOT_SLOT_CNODE = 2, // root CNode
	ROOT_SLOT_SPACE = 3, // PML4
	ROOT_SLOT_IRQ_CONTROL = 4, // IRQControl
	ROOT_SLOT_ASID_CONTROL = 5, // ASIDControl
	ROOT_SLOT_ASID_POOL = 6, // ASID pool of the task's space
	ROOT_SLOT_PORT_CONTROL = 7, // IOPortControl
	ROOT_SLOT_IO_SPACE = 8, // master IOSpace; null without IOMMU
	ROOT_SLOT_BOOTINFO_FRAME = 9, // frame of bootinfo
	ROOT_SLOT_IPC_BUFFER = 10, // frame of the IPC buffer
	ROOT_SLOT_DOMAIN = 11, // Domain
	ROOT_SLOT_SCHED_CONTEXT = 14, // scheduling context
	ROOT_SLOT_FIRST_FREE = 16, // first that bootinfo's ranges name
};

struct bootinfo_range {
	uint64_t start;
	uint64_t end; // exclusive
};

struct bootinfo_untyped {
	uint64_t paddr;
	uint8_t size_bits;
	uint8_t is_device;
	uint8_t padding[6];
};

struct bootinfo {
	uint64_t extra_length; // bytes of extra bootinfo
	uint64_t node_id; // core of this task: 0
	uint64_t node_count; // cores that are up
	uint64_t iopt_levels; // of I/O page tables; 0: no IOMMU
	uint64_t ipc_buffer; // its address
	struct bootinfo_range empty; // free slots of the root CNode
	struct bootinfo_range shared_frames; // none
	struct bootinfo_range image_frames; // of the task's image
	struct bootinfo_range image_paging; // tables of the task's space
	struct bootinfo_range io_space_caps; // none
	struct bootinfo_range extra_pages; // frames of extra bootinfo
	uint8_t root_cnode_bits; // the root CNode has 2^this slots
	uint8_t padding[7];
	uint64_t domain; // of the task: 0
	struct bootinfo_range sched_control; // SchedControl, one a core
	struct bootinfo_range untyped; // untyped memory
	struct bootinfo_untyped untyped_list[BOOTINFO_MAX_UNTYPED]; // of these, in order
};

ABI_ASSERT(sizeof(struct bootinfo) == 3864);
ABI_ASSERT(offsetof(struct bootinfo, empty) == 40);
ABI_ASSERT(offsetof(struct bootinfo, root_cnode_bits) == 136);
ABI_ASSERT(offsetof(struct bootinfo, untyped_list) == 184);

// Extra bootinfo: chunks back to back from the page after the bootinfo frame (BOOT-16).
enum bootinfo_chunk_id {
	BOOTINFO_PADDING = 0,
	BOOTINFO_VBE = 1,
	BOOTINFO_MEMORY_MAP = 2,
	BOOTINFO_ACPI_RSDP = 3,
	BOOTINFO_FRAMEBUFFER = 4,
	BOOTINFO_TSC_FREQUENCY = 5,
	BOOTINFO_MODULES = 0x4e00, // Nacre extension: docs/abi-extensions.md
	BOOTINFO_START = 0x4e01, // made by the initial task for regions that ask for it
	BOOTINFO_TSC_RATE = 0x4e02, // hertz, 8 bytes; directly after BOOTINFO_TSC_FREQUENCY
	BOOTINFO_IOMMU = 0x4e03, // bits of enum bootinfo_iommu, 8 bytes
	BOOTINFO_SCREEN = 0x4e04, // the screen that the kernel uses, as multiboot2 describes it
	BOOTINFO_OPTIONS = 0x4e05, // boot options of the initial task
};

// What the kernel keeps devices from.
enum bootinfo_iommu {
	BOOTINFO_IOMMU_WHOLE = 1 << 0, // memory: no unit that firmware names is left out
	BOOTINFO_IOMMU_INTERRUPTS = 1 << 1, // raising other interrupts than theirs
};

struct bootinfo_chunk {
	uint64_t id;
	uint64_t length; // header included
};

struct bootinfo_start {
	struct bootinfo_chunk chunk;
	uint64_t tsc; // at the initial task's first instruction
};

enum bootinfo_self_test { SELF_TEST_QUICK = 0, SELF_TEST_FULL = 1, SELF_TEST_OFF = 2 };

// Whether the initial task prints what the machine has, and then starts nothing.
enum bootinfo_report { REPORT_OFF = 0, REPORT_ON = 1, REPORT_ONLY = 2 };

// Payload of BOOTINFO_OPTIONS: values of boot options that are the initial task's.
struct bootinfo_options {
	uint32_t self_test; // enum bootinfo_self_test
	uint32_t report; // enum bootinfo_report
};

// Payload of BOOTINFO_MODULES: one entry a boot module after the initial task. The memory is
// handed out as device untypeds, so its content survives retype.
struct bootinfo_module {
	uint64_t paddr;
	uint64_t length; // bytes
	char name[48]; // module command line, NUL-terminated
};
