// SPDX-License-Identifier: BSD-2-Clause
// The virtual-machine control structure: fields, control bits and exit reasons by the manual's
// names, and one function for each instruction on it (SDM 3C, chapter 25 and appendix B).
#pragma once

#include <base/panic.h>
#include <cpu/layout.h>

// A field's name is no field's value, so it has a type of its own.
struct vmcs_field {
	uint32_t encoding;
};

#define VMCS_FIELD(encoding) ((struct vmcs_field){encoding})

// Control fields.
#define VMCS_VPID VMCS_FIELD(0x0000)
#define VMCS_IO_BITMAP_A VMCS_FIELD(0x2000)
#define VMCS_IO_BITMAP_B VMCS_FIELD(0x2002)
#define VMCS_MSR_BITMAP VMCS_FIELD(0x2004)
#define VMCS_TSC_OFFSET VMCS_FIELD(0x2010)
#define VMCS_EPT_POINTER VMCS_FIELD(0x201a)
#define VMCS_PRIMARY VMCS_FIELD(0x4002)
#define VMCS_ENTRY VMCS_FIELD(0x4012)
#define VMCS_ENTRY_INTERRUPTION VMCS_FIELD(0x4016)
#define VMCS_ENTRY_ERROR_CODE VMCS_FIELD(0x4018)
#define VMCS_ENTRY_INSTRUCTION_LENGTH VMCS_FIELD(0x401a)

// What an exit tells.
#define VMCS_GUEST_PHYSICAL VMCS_FIELD(0x2400)
#define VMCS_EXIT_REASON VMCS_FIELD(0x4402)
#define VMCS_EXIT_INTERRUPTION VMCS_FIELD(0x4404)
#define VMCS_EXIT_ERROR_CODE VMCS_FIELD(0x4406)
#define VMCS_VECTORING VMCS_FIELD(0x4408)
#define VMCS_VECTORING_ERROR_CODE VMCS_FIELD(0x440a)
#define VMCS_EXIT_INSTRUCTION_LENGTH VMCS_FIELD(0x440c)
#define VMCS_EXIT_QUALIFICATION VMCS_FIELD(0x6400)

// Guest state the kernel itself looks at.
#define VMCS_GUEST_DEBUGCTL VMCS_FIELD(0x2802)
#define VMCS_GUEST_INTERRUPTIBILITY VMCS_FIELD(0x4824)
#define VMCS_TIMER VMCS_FIELD(0x482e)
#define VMCS_GUEST_CR3 VMCS_FIELD(0x6802)
#define VMCS_GUEST_DR7 VMCS_FIELD(0x681a)
#define VMCS_GUEST_RIP VMCS_FIELD(0x681e)
#define VMCS_GUEST_RFLAGS VMCS_FIELD(0x6820)

// Host state; the rest of it is written by vmcs_write_host only. The assembly writes HOST_RIP.
#define VMCS_HOST_CR3 VMCS_FIELD(0x6c02)

enum pin_control {
	PIN_EXTERNAL_INTERRUPT = 1 << 0,
	PIN_NMI = 1 << 3,
	PIN_VIRTUAL_NMI = 1 << 5,
	PIN_TIMER = 1 << 6,
};

#define PRIMARY_TSC_OFFSETTING (1u << 3)
#define PRIMARY_TERTIARY (1u << 17)
#define PRIMARY_CR8_LOAD (1u << 19)
#define PRIMARY_CR8_STORE (1u << 20)
#define PRIMARY_TPR_SHADOW (1u << 21)
#define PRIMARY_IO_BITMAPS (1u << 25)
#define PRIMARY_MSR_BITMAPS (1u << 28)
#define PRIMARY_SECONDARY (1u << 31)

enum secondary_control {
	SECONDARY_EPT = 1 << 1,
	SECONDARY_DESCRIPTOR_TABLE = 1 << 2,
	SECONDARY_RDTSCP = 1 << 3,
	SECONDARY_VPID = 1 << 5,
	SECONDARY_WBINVD = 1 << 6,
	SECONDARY_UNRESTRICTED = 1 << 7,
	SECONDARY_PAUSE_LOOP = 1 << 10,
	SECONDARY_RDRAND = 1 << 11,
	SECONDARY_INVPCID = 1 << 12,
	SECONDARY_RDSEED = 1 << 16,
	SECONDARY_XSAVES = 1 << 20,
};

enum exit_control {
	EXIT_SAVE_DEBUG = 1 << 2,
	EXIT_HOST_64 = 1 << 9,
	EXIT_LOAD_PERF = 1 << 12,
	EXIT_ACKNOWLEDGE = 1 << 15,
	EXIT_SAVE_PAT = 1 << 18,
	EXIT_LOAD_PAT = 1 << 19,
	EXIT_SAVE_EFER = 1 << 20,
	EXIT_LOAD_EFER = 1 << 21,
	EXIT_SAVE_TIMER = 1 << 22,
};

enum entry_control {
	ENTRY_LOAD_DEBUG = 1 << 2,
	ENTRY_GUEST_64 = 1 << 9,
	ENTRY_LOAD_PERF = 1 << 13,
	ENTRY_LOAD_PAT = 1 << 14,
	ENTRY_LOAD_EFER = 1 << 15,
};

// Interruption information (SDM 3C 25.8.3, 25.9.2).
#define INTERRUPTION_VECTOR 0xffu
#define INTERRUPTION_TYPE (7u << 8)
#define INTERRUPTION_NMI (2u << 8)
#define INTERRUPTION_SOFTWARE (4u << 8)
#define INTERRUPTION_PRIVILEGED (5u << 8)
#define INTERRUPTION_SOFTWARE_EXCEPTION (6u << 8)
#define INTERRUPTION_ERROR_CODE (1u << 11)
#define INTERRUPTION_UNDEFINED (1u << 12)
#define INTERRUPTION_VALID (1u << 31)

// Interruptibility state (SDM 3C 25.4.2).
#define INTERRUPTIBILITY_STI (1u << 0)
#define INTERRUPTIBILITY_MOV_SS (1u << 1)
#define INTERRUPTIBILITY_NMI (1u << 3)

// Exit reasons the kernel treats specially (SDM 3C appendix C).
enum exit_reason {
	EXIT_EXCEPTION = 0,
	EXIT_EXTERNAL_INTERRUPT = 1,
	EXIT_MACHINE_CHECK = 41, // during VM entry
	EXIT_TIMER = 52,
};

// Runs the host's handler of an exception that came as an exit, which does not.
#define host_exception(vector) asm volatile("int %0" : : "i"(vector) : "memory")

#define EXIT_REASON_MASK 0xffffu
#define EXIT_ENTRY_FAILED (1u << 31)

// Makes the structure the current one of this core.
static inline bool vmcs_load(physical_t vmcs) {
	bool succeeded;

	asm volatile("vmptrld %1" : "=@cca"(succeeded) : "m"(vmcs.value) : "memory");
	return succeeded;
}

// Writes back what the CPU keeps of it and makes it inactive and clear.
static inline bool vmcs_clear(physical_t vmcs) {
	bool succeeded;

	asm volatile("vmclear %1" : "=@cca"(succeeded) : "m"(vmcs.value) : "memory");
	return succeeded;
}

// False if this CPU has no such field. *value is unchanged then.
static inline bool vmcs_try_read(struct vmcs_field field, uint64_t *value) {
	uint64_t read = *value;
	bool succeeded;

	asm volatile("vmread %2, %1"
		     : "=@cca"(succeeded), "+r"(read)
		     : "r"((uint64_t)field.encoding));
	*value = read;
	return succeeded;
}

static inline bool vmcs_try_write(struct vmcs_field field, uint64_t value) {
	bool succeeded;

	asm volatile("vmwrite %1, %2"
		     : "=@cca"(succeeded)
		     : "r"(value), "r"((uint64_t)field.encoding));
	return succeeded;
}

// For fields that every CPU has which vmx_init accepts.
static inline uint64_t vmcs_read(struct vmcs_field field) {
	uint64_t value = 0;
	[[maybe_unused]] bool succeeded = vmcs_try_read(field, &value);

	assert(succeeded);
	return value;
}

static inline void vmcs_write(struct vmcs_field field, uint64_t value) {
	[[maybe_unused]] bool succeeded = vmcs_try_write(field, value);

	assert(succeeded);
}

// Fills the host state of the current structure from this core, but for HOST_CR3 and HOST_RIP.
void vmcs_write_host(void);

// A VM exit sets the limits of GDT and IDT to 64 KiB (SDM 3C 28.5.2). Behind the GDT lies other
// kernel data, where a program could find a descriptor of its making: puts the true limit back.
void vmcs_restore_limits(void);
