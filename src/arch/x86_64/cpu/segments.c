// SPDX-License-Identifier: BSD-2-Clause
// Descriptor tables of the core, interrupt stacks, and the SYSCALL MSRs.
#include <cpu/segments.h>

#include <base/compiler.h>
#include <base/memory.h>
#include <cpu/registers.h>

// Descriptors (SDM 3A 3.4.5): base 0, limit ignored in 64-bit mode.
#define CODE_KERNEL 0x00209b0000000000ul
#define DATA_KERNEL 0x0000930000000000ul
#define CODE_USER 0x0020fb0000000000ul
#define DATA_USER 0x0000f30000000000ul
#define TSS_AVAILABLE 0x89ul
#define GATE_INTERRUPT 0x8e00ul
#define GATE_USER 0x6000ul

// Interrupt stacks (SDM 3A 6.14.5), counted from 1, of vectors that may find no usable one.
static const uint8_t ist_numbers[VECTOR_COUNT] = {
	[VECTOR_NMI] = 1, [VECTOR_DOUBLE_FAULT] = 2, [VECTOR_MACHINE_CHECK] = 3};

struct [[gnu::packed]] task_state {
	uint32_t reserved;
	uint64_t rsp[3];
	uint64_t reserved2;
	uint64_t ist[7];
	uint64_t reserved3;
	uint16_t reserved4;
	uint16_t port_bitmap; // offset; at the limit: none
};

_Static_assert(sizeof(struct task_state) == 104);

static const uint64_t descriptors[] = {
	[SELECTOR_KERNEL_CODE / 8] = CODE_KERNEL,
	[SELECTOR_KERNEL_DATA / 8] = DATA_KERNEL,
	[SELECTOR_SYSRET_DATA / 8] = DATA_USER,
	[SELECTOR_USER_CODE / 8] = CODE_USER,
	[SELECTOR_USER_DATA / 8] = DATA_USER,
};

// All written by segments_init and segments_use_ways only, but for the stacks.
ENTRY_DATA static alignas(16) uint64_t gdt[array_count(descriptors) + 2]; // the TSS takes two
ENTRY_DATA static alignas(16) uint64_t idt[VECTOR_COUNT][2];
ENTRY_DATA static alignas(16) struct task_state tss;
ENTRY_DATA static alignas(16) uint8_t ist_stacks[3][4096];
ENTRY_DATA static alignas(16) uint8_t entry_stack[1024];

// Written by segments_use_ways only.
static const char *syscall_entries[SYSCALL_ENTRIES];

const struct table_register segments_gdt = {sizeof(gdt) - 1, gdt};
const struct table_register segments_idt = {sizeof(idt) - 1, idt};

uint64_t segments_tss_base(void) { return (uint64_t)&tss; }

// Gates (SDM 3A 6.14.1): the stub's address in three parts around selector, stack and type.
static void idt_fill(const char *stubs) {
	for (unsigned i = 0; i < VECTOR_COUNT; i++) {
		uint64_t stub = (uint64_t)stubs + STUB_SIZE * i;
		bool is_for_programs = i == VECTOR_BREAKPOINT || i >= VECTOR_CALL_FIRST;
		uint64_t type = GATE_INTERRUPT | (is_for_programs ? GATE_USER : 0) | ist_numbers[i];

		idt[i][0] = (stub & 0xffff) | SELECTOR_KERNEL_CODE << 16 | type << 32 |
			(stub >> 16 & 0xffff) << 48;
		idt[i][1] = stub >> 32;
	}
}

static void tss_fill(void) {
	uint64_t base = (uint64_t)&tss;

	memcpy(gdt, descriptors, sizeof(descriptors));
	tss.port_bitmap = sizeof(tss);
	for (unsigned i = 0; i < array_count(ist_stacks); i++)
		tss.ist[i] = (uint64_t)ist_stacks[i] + sizeof(ist_stacks[i]);
	gdt[SELECTOR_TSS / 8] = (sizeof(tss) - 1) | (base & 0xffffff) << 16 | TSS_AVAILABLE << 40 |
		(base >> 24 & 0xff) << 56;
	gdt[SELECTOR_TSS / 8 + 1] = base >> 32;
}

uint64_t segments_entry_stack(void) { return (uint64_t)entry_stack + sizeof(entry_stack); }

void segments_use_entry(enum syscall_entry entry) {
	msr_write(MSR_LSTAR, (uint64_t)syscall_entries[entry]);
}

void segments_use_ways(const struct cpu *cpu, const struct entry_points *entry_points) {
	memcpy(syscall_entries, entry_points->syscall, sizeof(syscall_entries));
	tss.rsp[0] = cpu->entry_stack;
	segments_use_entry(entry_points->first);
}

void segments_init(const char *stubs) {
	idt_fill(stubs);
	tss_fill();
	// The boot code has loaded null selectors for data, and CS and SS have the numbers they
	// keep. A local table of the loader's must not offer programs 32-bit code.
	asm volatile("lgdt %0; lidt %1; ltr %w2; lldt %w3"
		     :
		     : "m"(segments_gdt), "m"(segments_idt), "r"(SELECTOR_TSS), "r"(0)
		     : "memory");
	msr_write(MSR_STAR,
		(uint64_t)SELECTOR_SYSRET_BASE << 48 | (uint64_t)SELECTOR_KERNEL_CODE << 32);
	msr_write(MSR_FMASK, FLAGS_TF | FLAGS_IF | FLAGS_DF | FLAGS_NT | FLAGS_AC);
}
