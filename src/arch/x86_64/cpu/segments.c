// SPDX-License-Identifier: BSD-2-Clause
// Descriptor tables of the core, interrupt stacks, and the SYSCALL MSRs.
#include <cpu/segments.h>

#include <base/compiler.h>
#include <cpu/registers.h>
#include <stdalign.h>
#include <stddef.h>

// Descriptors (SDM 3, 3.4.5): base 0, limit ignored in 64-bit mode.
#define CODE_KERNEL 0x00209b0000000000ul
#define DATA_KERNEL 0x0000930000000000ul
#define CODE_USER 0x0020fb0000000000ul
#define DATA_USER 0x0000f30000000000ul
#define TSS_AVAILABLE 0x89ul
#define GATE_INTERRUPT 0x8e00ul
#define GATE_USER 0x6000ul

enum {
	IST_NMI = 1,
	IST_DOUBLE_FAULT = 2,
	IST_MACHINE_CHECK = 3,
	IST_COUNT = 3,
	IST_STACK_SIZE = 4096,
};

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

struct gate {
	uint16_t offset_low;
	uint16_t selector;
	uint16_t type; // interrupt stack in the low bits
	uint16_t offset_middle;
	uint32_t offset_high;
	uint32_t reserved;
};

struct [[gnu::packed]] table_register {
	uint16_t limit;
	uint64_t base;
};

_Static_assert(offsetof(struct gate, offset_middle) == 6 && sizeof(struct gate) == 16);

// All written by segments_init only.
static alignas(16) uint64_t gdt[9] = {
	[SELECTOR_KERNEL_CODE / 8] = CODE_KERNEL,
	[SELECTOR_KERNEL_DATA / 8] = DATA_KERNEL,
	[SELECTOR_SYSRET_DATA / 8] = DATA_USER,
	[SELECTOR_USER_CODE / 8] = CODE_USER,
	[SELECTOR_USER_DATA / 8] = DATA_USER,
};
static alignas(16) struct gate idt[VECTOR_COUNT];
static alignas(16) struct task_state tss;
static alignas(16) uint8_t ist_stacks[IST_COUNT][IST_STACK_SIZE];

uint64_t segments_gdt_base(void) { return (uint64_t)gdt; }

uint64_t segments_idt_base(void) { return (uint64_t)idt; }

uint64_t segments_tss_base(void) { return (uint64_t)&tss; }

static bool is_for_programs(unsigned vector) {
	return vector == VECTOR_BREAKPOINT || vector >= VECTOR_CALL_FIRST;
}

static unsigned stack_of(unsigned vector) {
	if (vector == VECTOR_NMI) return IST_NMI;
	if (vector == VECTOR_DOUBLE_FAULT) return IST_DOUBLE_FAULT;
	return vector == VECTOR_MACHINE_CHECK ? IST_MACHINE_CHECK : 0;
}

static void idt_fill(const char *stubs) {
	for (unsigned i = 0; i < VECTOR_COUNT; i++) {
		uint64_t stub = (uint64_t)stubs + STUB_SIZE * i;
		uint64_t kind = GATE_INTERRUPT | (is_for_programs(i) ? GATE_USER : 0);

		idt[i] = (struct gate){
			.offset_low = (uint16_t)stub,
			.selector = SELECTOR_KERNEL_CODE,
			.type = (uint16_t)(kind | stack_of(i)),
			.offset_middle = (uint16_t)(stub >> 16),
			.offset_high = (uint32_t)(stub >> 32),
		};
	}
}

static void tss_fill(const struct cpu *cpu) {
	uint64_t base = (uint64_t)&tss;
	uint64_t limit = sizeof(tss) - 1;

	tss.rsp[0] = cpu->kernel_stack;
	tss.port_bitmap = sizeof(tss);
	for (unsigned i = 0; i < IST_COUNT; i++)
		tss.ist[i] = (uint64_t)ist_stacks[i] + IST_STACK_SIZE;
	gdt[SELECTOR_TSS / 8] = limit | (base & 0xffffff) << 16 | TSS_AVAILABLE << 40 |
		(base >> 24 & 0xff) << 56;
	gdt[SELECTOR_TSS / 8 + 1] = base >> 32;
}

static void tables_load(void) {
	struct table_register gdt_register = {sizeof(gdt) - 1, (uint64_t)gdt};
	struct table_register idt_register = {sizeof(idt) - 1, (uint64_t)idt};

	asm volatile("lgdt %0" : : "m"(gdt_register));
	asm volatile("lidt %0" : : "m"(idt_register));
	asm volatile("ltr %w0" : : "r"(SELECTOR_TSS));
	// Null selectors for data; the boot code's CS and SS have the numbers they keep.
	asm volatile("mov %w0, %%ds; mov %w0, %%es; mov %w0, %%fs" : : "r"(0));
}

void segments_init(const struct cpu *cpu, const char *stubs, const char *syscall_entry) {
	idt_fill(stubs);
	tss_fill(cpu);
	tables_load();
	msr_write(MSR_STAR,
		(uint64_t)SELECTOR_SYSRET_BASE << 48 | (uint64_t)SELECTOR_KERNEL_CODE << 32);
	msr_write(MSR_LSTAR, (uint64_t)syscall_entry);
	msr_write(MSR_FMASK, FLAGS_TF | FLAGS_IF | FLAGS_DF | FLAGS_NT | FLAGS_AC);
}
