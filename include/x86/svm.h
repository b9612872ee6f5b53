// SPDX-License-Identifier: BSD-2-Clause
// AMD-V: the virtual machine control block, intercepts, exit codes, capabilities (APM 2, chapter
// 15, appendices B and C).
#pragma once

#include <stddef.h>
#include <stdint.h>

// Exit codes of what is intercepted by a bit of its own: 32 to a word of vmcb.intercepts from
// SVM_EXIT_READ_CR0 on.
enum svm_exit {
	SVM_EXIT_READ_CR0 = 0x00, // and 15 more, as those that follow
	SVM_EXIT_WRITE_CR0 = 0x10,
	SVM_EXIT_READ_DR0 = 0x20,
	SVM_EXIT_WRITE_DR0 = 0x30,
	SVM_EXIT_EXCEPTION = 0x40, // and 31 more
	SVM_EXIT_INTERRUPT = 0x60,
	SVM_EXIT_NMI = 0x61,
	SVM_EXIT_INIT = 0x63,
	SVM_EXIT_VINTR = 0x64,
	SVM_EXIT_CR0_SELECTIVE = 0x65, // a bit other than TS and MP changes
	SVM_EXIT_READ_IDTR = 0x66,
	SVM_EXIT_READ_GDTR = 0x67,
	SVM_EXIT_READ_LDTR = 0x68,
	SVM_EXIT_READ_TR = 0x69,
	SVM_EXIT_WRITE_IDTR = 0x6a,
	SVM_EXIT_WRITE_GDTR = 0x6b,
	SVM_EXIT_WRITE_LDTR = 0x6c,
	SVM_EXIT_WRITE_TR = 0x6d,
	SVM_EXIT_RDTSC = 0x6e,
	SVM_EXIT_RDPMC = 0x6f,
	SVM_EXIT_CPUID = 0x72,
	SVM_EXIT_RSM = 0x73,
	SVM_EXIT_IRET = 0x74,
	SVM_EXIT_INVD = 0x76,
	SVM_EXIT_PAUSE = 0x77,
	SVM_EXIT_HLT = 0x78,
	SVM_EXIT_INVLPG = 0x79,
	SVM_EXIT_INVLPGA = 0x7a,
	SVM_EXIT_IO = 0x7b,
	SVM_EXIT_MSR = 0x7c,
	SVM_EXIT_TASK_SWITCH = 0x7d,
	SVM_EXIT_FERR_FREEZE = 0x7e,
	SVM_EXIT_SHUTDOWN = 0x7f,
	SVM_EXIT_VMRUN = 0x80,
	SVM_EXIT_VMMCALL = 0x81,
	SVM_EXIT_VMLOAD = 0x82,
	SVM_EXIT_VMSAVE = 0x83,
	SVM_EXIT_STGI = 0x84,
	SVM_EXIT_CLGI = 0x85,
	SVM_EXIT_SKINIT = 0x86,
	SVM_EXIT_RDTSCP = 0x87,
	SVM_EXIT_ICEBP = 0x88, // INT1
	SVM_EXIT_WBINVD = 0x89,
	SVM_EXIT_MONITOR = 0x8a,
	SVM_EXIT_MWAIT = 0x8b,
	SVM_EXIT_MWAIT_ARMED = 0x8c,
	SVM_EXIT_XSETBV = 0x8d,
	SVM_INTERCEPTS = 0xc0,
	SVM_EXIT_NESTED_PAGE_FAULT = 0x400,
};
#define SVM_EXIT_INVALID UINT32_MAX // its low half
// A segment register; the bits of a descriptor from 40 on without the limit's in between.
struct vmcb_segment {
	uint16_t selector;
	uint16_t attributes;
	uint32_t limit;
	uint64_t base;
};

enum vmcb_segment_attributes {
	VMCB_SEGMENT_LOW = 0xff, // descriptor bits 40..47
	VMCB_SEGMENT_HIGH = 0xf00, // descriptor bits 52..55
	VMCB_SEGMENT_PRESENT = 1 << 7, // clear: a null selector was loaded
	VMCB_SEGMENT_64 = 1 << 9,
	VMCB_SEGMENT_32 = 1 << 10,
};

struct vmcb {
	uint32_t intercepts[SVM_INTERCEPTS / 32];
	uint32_t reserved_018[10];
	uint64_t io_map, msr_map; // physical addresses
	uint64_t tsc_offset;
	uint32_t asid;
	uint32_t tlb_control; // enum vmcb_tlb_control
	uint64_t interrupt; // enum vmcb_interrupt
	uint64_t interrupt_shadow; // bit 0
	uint64_t exit_code; // enum svm_exit
	uint64_t exit_information[2];
	uint32_t exit_event, exit_event_error; // as event
	uint64_t nested_control; // bit 0: nested paging
	uint64_t reserved_098[2];
	uint32_t event, event_error; // to inject; as VT-x has them
	uint64_t nested_cr3;
	uint64_t extensions; // bit 0: LBR virtualisation
	uint32_t clean; // what the CPU may remember of the last run
	uint32_t reserved_0c4;
	uint64_t next_rip; // where the CPU has NRIPS
	uint8_t instruction_count; // with decode assists
	uint8_t instruction_bytes[15];
	uint8_t reserved_0e0[0x400 - 0xe0];

	struct vmcb_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	uint8_t reserved_4a0[0x4cb - 0x4a0];
	uint8_t cpl;
	uint32_t reserved_4cc;
	uint64_t efer;
	uint8_t reserved_4d8[0x548 - 0x4d8];
	uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
	uint8_t reserved_580[0x5d8 - 0x580];
	uint64_t rsp;
	uint64_t reserved_5e0[3];
	uint64_t rax;
	uint64_t star, lstar, cstar, fmask, kernel_gs_base; // VMLOAD, VMSAVE, with FS, GS, LDTR, TR
	uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
	uint64_t cr2;
	uint64_t reserved_648[4];
	uint64_t pat;
	uint64_t debugctl;
	uint8_t reserved_678[0x6e0 - 0x678];
	uint64_t spec_ctrl; // where the CPU virtualizes it
	uint8_t reserved_6e8[4096 - 0x6e8];
};

#define VMCB_AT(member, offset) _Static_assert(offsetof(struct vmcb, member) == (offset))
VMCB_AT(io_map, 0x40);
VMCB_AT(interrupt, 0x60);
VMCB_AT(exit_code, 0x70);
VMCB_AT(event, 0xa8);
VMCB_AT(clean, 0xc0);
VMCB_AT(next_rip, 0xc8);
VMCB_AT(es, 0x400);
VMCB_AT(tr, 0x490);
VMCB_AT(cpl, 0x4cb);
VMCB_AT(efer, 0x4d0);
VMCB_AT(cr4, 0x548);
VMCB_AT(rip, 0x578);
VMCB_AT(rsp, 0x5d8);
VMCB_AT(rax, 0x5f8);
VMCB_AT(cr2, 0x640);
VMCB_AT(pat, 0x668);
VMCB_AT(debugctl, 0x670);
VMCB_AT(spec_ctrl, 0x6e0);
#undef VMCB_AT
_Static_assert(sizeof(struct vmcb) == 4096);

enum vmcb_tlb_control {
	TLB_CONTROL_KEEP = 0,
	TLB_CONTROL_FLUSH_ALL = 1, // of every ASID
	TLB_CONTROL_FLUSH_ASID = 3, // where the CPU has it
};

enum vmcb_interrupt {
	VMCB_VIRTUAL_PENDING = 1 << 8, // V_IRQ
	VMCB_VIRTUAL_PRIORITY = 0xf << 16,
	VMCB_VIRTUAL_IGNORE_TPR = 1 << 20,
	VMCB_VIRTUAL_NOW = VMCB_VIRTUAL_PENDING | VMCB_VIRTUAL_PRIORITY | VMCB_VIRTUAL_IGNORE_TPR,
	VMCB_VIRTUAL_MASKING = 1 << 24, // RFLAGS.IF and CR8 of the guest are not the host's
	VMCB_VIRTUAL_VECTOR_SHIFT = 32,
};

// Bits of exit_information[0].
enum svm_io_information { // port in the upper half
	SVM_IO_IN = 1 << 0,
	SVM_IO_STRING = 1 << 2,
	SVM_IO_REPEATED = 1 << 3,
	SVM_IO_SIZE_SHIFT = 4, // 3 bits: 8, 16, 32
	SVM_IO_ADDRESS_SHIFT = 7, // 3 bits: 16, 32, 64
	SVM_IO_SEGMENT_SHIFT = 10, // 3 bits, with decode assists
};

enum svm_page_fault {
	SVM_FAULT_PRESENT = 1 << 0,
	SVM_FAULT_WRITE = 1 << 1,
	SVM_FAULT_FETCH = 1 << 4,
};
#define SVM_FAULT_FINAL (1ul << 32) // not an access to the guest's page tables
#define SVM_CR_IS_MOVE (1ul << 63) // with decode assists, register in the low bits

// exit_information[1] of a task switch; the selector is in exit_information[0].
#define SVM_TASK_IRET (1ul << 36)
#define SVM_TASK_JUMP (1ul << 38)

// CPUID 8000_000Ah: EBX is the number of ASIDs, EDX has the features.
enum svm_feature {
	SVM_NESTED_PAGING = 1 << 0,
	SVM_LBR = 1 << 1,
	SVM_NEXT_RIP = 1 << 3,
	SVM_FLUSH_BY_ASID = 1 << 6,
	SVM_DECODE_ASSISTS = 1 << 7,
	SVM_SPEC_CTRL = 1 << 20,
};

#define MSR_VM_CR 0xc0010114u
#define MSR_VM_HSAVE_PA 0xc0010117u
enum vm_cr_bit {
	VM_CR_R_INIT = 1 << 1, // an INIT becomes #SX
	VM_CR_LOCK = 1 << 3,
	VM_CR_SVMDIS = 1 << 4,
};
