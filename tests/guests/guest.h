// SPDX-License-Identifier: BSD-2-Clause
// A small virtual machine for tests: 2 MiB of memory at guest-physical 0, 64-bit mode under an
// identity map of the first GiB, one stub for each vector.
#pragma once

#include <sel4/nacre.h>
#include <sel4/sel4.h>
#include <stdbool.h>
#include <stdint.h>
#include <user/space.h>
#include <x86/cpuid.h>
#include <x86/instructions.h>
#include <x86/vector.h>
#include <x86/vmx.h>

// The same numbers as guest_layout.inc where code names them.
enum guest_place {
	GUEST_PML4 = 0x1000,
	GUEST_PDPT = 0x2000,
	GUEST_GDT = 0x3000,
	GUEST_IDT = 0x4000,
	GUEST_STUBS = 0x5000, // 16 bytes a vector: eax = 0x100 + vector, VMCALL, IRETQ
	GUEST_DATA = 0x6000,
	GUEST_CODE = 0x8000,
	GUEST_PD = 0xc000,
	GUEST_STACK_TOP = 0x10000,
	GUEST_SIZE = 0x200000,
	GUEST_EXTRA = 0x200000, // where tests map one page more
	GUEST_HOLE = 0x300000, // nothing is mapped
};

#define REASON_NOT_ENTERED 0xffffffffu // in place of an exit reason

// Words of the exit record (VCPU-5).
enum exit_word {
	WORD_RIP = 0,
	WORD_PRIMARY = 1,
	WORD_EVENT = 2,
	WORD_REASON = 3,
	WORD_QUALIFICATION = 4,
	WORD_LENGTH = 5,
	WORD_GUEST_PHYSICAL = 6,
	WORD_RFLAGS = 7,
	WORD_INTERRUPTIBILITY = 8,
	WORD_REGISTERS = 10, // eax ebx ecx edx esi edi ebp r8..r15
};

struct code {
	const uint8_t *start;
	const uint8_t *end;
};

#define CODE_DECLARE(name) extern const uint8_t name[], name##_end[]
#define CODE(name) \
	&(const struct code) { name, name##_end }

struct guest {
	seL4_CPtr vcpu;
	struct space space;
	seL4_CPtr frame; // its mapping in this program
	seL4_CPtr mapped; // copy of the frame, mapped in the guest
	uint8_t *memory;
	seL4_VCPUContext registers;
	uint64_t rip;
	uint64_t primary;
	uint64_t event;
	uint64_t result; // of the last VMEnter
	uint64_t badge;
	uint64_t words[VM_EXIT_WORDS];
};

// Two machines live for the whole run.
extern struct guest guest_one;
extern struct guest guest_two;

// True if AMD-V runs the guests, not VT-x; what its exits say of instructions on this CPU.
extern bool guest_is_svm;
extern bool guest_has_lengths, guest_has_operands;

// Null, or why there can be no guests on this machine.
const char *guest_start(void);

// The initial state with this code at its start, and this program's thread as the partner.
void guest_reset(struct guest *guest, const struct code *code);

// Enters with registers (if wanted), rip, primary and event; the exit's words replace them.
void guest_set_registers(struct guest *guest);
void guest_enter(struct guest *guest);

// After the instruction that exited, whose length not every CPU says.
void guest_skip(struct guest *guest);
uint64_t guest_length(const struct guest *guest);

uint64_t guest_register(const struct guest *guest, unsigned number);

void field_write(const struct guest *guest, uint64_t field, uint64_t value);
uint64_t field_read(const struct guest *guest, uint64_t field);

// The handler of a vector, below 64 KiB; without this it is the vector's stub.
void guest_set_gate(const struct guest *guest, unsigned vector, uint64_t address);

// For the test program itself (code_state.asm): fills XMM0 to XMM15; how many of them differ.
void native_fill(uint64_t value);
uint64_t native_differing(uint64_t value);

// 64 bits of guest memory.
uint64_t *guest_word(const struct guest *guest, uint64_t address);
