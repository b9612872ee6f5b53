// SPDX-License-Identifier: BSD-2-Clause
// Descriptor tables of the core, interrupt stacks, and the SYSCALL MSRs.
#include <cpu/segments.h>

#include <cpu/platform.h>

#define TSS_AVAILABLE 0x89ul
#define GATE_INTERRUPT 0x8e00ul
#define GATE_USER 0x6000ul

// Interrupt stacks (SDM 3A 6.14.5), counted from 1, of vectors that may find no usable one. After a
// double fault nothing else will need one.
static const uint8_t ist_numbers[VECTOR_COUNT] = {[VECTOR_NMI] = 1,
	[VECTOR_DOUBLE_FAULT] = 2,
	[VECTOR_SECURITY] = 2,
	[VECTOR_MACHINE_CHECK] = 3};

static const uint64_t descriptors[] = {
	[SELECTOR_KERNEL_CODE / 8] = DESCRIPTOR_CODE,
	[SELECTOR_KERNEL_DATA / 8] = DESCRIPTOR_DATA,
	[SELECTOR_SYSRET_DATA / 8] = DESCRIPTOR_DATA | DESCRIPTOR_USER,
	[SELECTOR_USER_CODE / 8] = DESCRIPTOR_CODE | DESCRIPTOR_USER,
	[SELECTOR_USER_DATA / 8] = DESCRIPTOR_DATA | DESCRIPTOR_USER,
};

// Gates (SDM 3A 6.14.1): the stub's address in three parts around selector, stack and type.
static void idt_fill(struct cpu *cpu, const char *stubs) {
	for (unsigned i = 0; i < VECTOR_COUNT; i++) {
		uint64_t stub = (uint64_t)stubs + STUB_SIZE * i;
		bool is_for_programs = i == VECTOR_BREAKPOINT || i >= VECTOR_CALL_FIRST;
		uint64_t type = GATE_INTERRUPT | (is_for_programs ? GATE_USER : 0) | ist_numbers[i];

		cpu->idt[i][0] = (stub & 0xffff) | SELECTOR_KERNEL_CODE << 16 | type << 32 |
			(stub >> 16 & 0xffff) << 48;
		cpu->idt[i][1] = stub >> 32;
	}
}

static void tss_fill(struct cpu *cpu) {
	uint64_t base = (uint64_t)&cpu->tss, limit = sizeof(cpu->tss) - 1;

	memcpy(cpu->gdt, descriptors, sizeof(descriptors));
	cpu->tss.port_bitmap = sizeof(cpu->tss);
	for (unsigned i = 0; i < IST_STACKS; i++)
		cpu->tss.ist[i] = (uint64_t)cpu->ist_stacks[i] + sizeof(cpu->ist_stacks[i]);
	cpu->gdt[SELECTOR_TSS / 8] = limit | (base & 0xffffff) << 16 | TSS_AVAILABLE << 40 |
		(base >> 24 & 0xff) << 56;
	cpu->gdt[SELECTOR_TSS / 8 + 1] = base >> 32;
}

void segments_use_entry(enum syscall_entry entry) {
	msr_write(MSR_LSTAR, (uint64_t)this_cpu()->platform->syscall_entries[entry]);
}

void segments_init(struct cpu *cpu, const char *stubs) {
	idt_fill(cpu, stubs);
	tss_fill(cpu);
	cpu->gdt_register = (struct table_register){sizeof(cpu->gdt) - 1, cpu->gdt};
	cpu->idt_register = (struct table_register){sizeof(cpu->idt) - 1, cpu->idt};
	// The boot code has loaded null selectors for data, and CS and SS have the numbers they
	// keep. A local table of the loader's must not offer programs 32-bit code.
	asm volatile("lgdt %0; lidt %1; ltr %w2; lldt %w3"
		     :
		     : "m"(cpu->gdt_register), "m"(cpu->idt_register), "r"(SELECTOR_TSS), "r"(0)
		     : "memory");
	msr_write(MSR_STAR,
		(uint64_t)SELECTOR_SYSRET_BASE << 48 | (uint64_t)SELECTOR_KERNEL_CODE << 32);
	msr_write(MSR_FMASK, FLAGS_TF | FLAGS_IF | FLAGS_DF | FLAGS_NT | FLAGS_AC);
}
