// SPDX-License-Identifier: BSD-2-Clause
// The state page of a virtual CPU: guest state and the last exit in one frame that monitor and
// kernel share (Nacre extension: docs/abi-extensions.md).
//
//   VCPU_SetStatePage   gives a VCPU its page, or takes it away
//   system call VCPURun loads the groups in `dirty`, enters the guest, and returns with an exit
//   VCPU_SaveState      writes groups that the exit left out
//
// The same for VT-x and AMD-V. Values have the formats of Intel's manual where a CPU of the other
// kind has one of its own: its engine translates. Groups are words of one mask. While the guest
// does not run, the kernel holds the truth of each group, and the page shows it if the group was
// saved with the last exit or is dirty. The general registers are an exception: they are only in
// the page, always up to date, and the guest gets its values.
//
// The kernel trusts nothing here. It reads each word once, checks or changes it as WriteVMCS does,
// and writes back nothing but what an exit says.
#pragma once

#include <abi/compiler.h>
#include <stddef.h>
#include <stdint.h>

enum { VCPU_STATE_SIZE = 4096 };

// Groups. Of `saved` and `save` all but WINDOWS; of `dirty` all but INTERRUPTED, ADDRESS and
// INSTRUCTION, which describe an exit. Unknown bits are ignored.
enum vcpu_group {
	VCPU_GROUP_RIP = 1 << 0,
	VCPU_GROUP_RFLAGS = 1 << 1, // and interruptibility
	VCPU_GROUP_RSP = 1 << 2, // registers[4]
	VCPU_GROUP_WINDOWS = 1 << 3,
	VCPU_GROUP_EVENT = 1 << 4, // event and event_length
	VCPU_GROUP_INTERRUPTED = 1 << 5,
	VCPU_GROUP_ADDRESS = 1 << 6, // physical and linear
	VCPU_GROUP_INSTRUCTION = 1 << 7, // instruction_information, instruction_bytes
	VCPU_GROUP_PAGING = 1 << 8, // CR0, CR3, CR4, EFER
	VCPU_GROUP_DEBUG_CONTROL = 1 << 9, // DR7, DEBUGCTL, pending_debug
	VCPU_GROUP_CR2 = 1 << 10,
	VCPU_GROUP_CODE = 1 << 11, // segments CS and SS: mode and privilege
	VCPU_GROUP_DATA = 1 << 12, // ES, DS, FS, GS
	VCPU_GROUP_SYSTEM = 1 << 13, // LDTR, TR, GDTR, IDTR
	VCPU_GROUP_MASKS = 1 << 14, // CR0 and CR4 masks and shadows
	VCPU_GROUP_PDPTES = 1 << 15,
	VCPU_GROUP_BREAKPOINTS = 1 << 16, // DR0..DR3, DR6
	VCPU_GROUP_MSRS = 1 << 17, // system-call MSRs, PAT and SPEC_CTRL
	VCPU_GROUP_TSC = 1 << 18,
	VCPU_GROUP_XCR0 = 1 << 19,
	VCPU_GROUP_CONTROLS = 1 << 20, // controls and exceptions
	VCPU_GROUP_TIMER = 1 << 21,
	VCPU_GROUP_ACTIVITY = 1 << 22,
	VCPU_GROUPS = 23,
};

// Why the guest left. Numbers are VT-x's basic exit reasons, from 64 on Nacre's; AMD-V's exit codes
// (APM 2, appendix C) are given such a number, or OTHER.
enum vcpu_exit_reason {
	VCPU_EXIT_EXCEPTION = 0, // or NMI: `exception` says which. 40h..5fh, 61h, 88h
	VCPU_EXIT_NOTIFICATION = 1, // a signal for the monitor came; nothing happened in the guest
	VCPU_EXIT_TRIPLE_FAULT = 2, // 7fh
	VCPU_EXIT_INIT = 3, // never: it is the host's
	VCPU_EXIT_SIPI = 4,
	VCPU_EXIT_INTERRUPT_WINDOW = 7, // 64h
	VCPU_EXIT_NMI_WINDOW = 8, // AMD-V: an instruction later; 41h behind 74h
	VCPU_EXIT_TASK_SWITCH = 9, // 7dh
	VCPU_EXIT_CPUID = 10, // 72h
	VCPU_EXIT_GETSEC = 11,
	VCPU_EXIT_HLT = 12, // 78h
	VCPU_EXIT_INVD = 13, // 76h
	VCPU_EXIT_INVLPG = 14, // 79h
	VCPU_EXIT_RDPMC = 15, // 6fh
	VCPU_EXIT_RDTSC = 16, // 6eh
	VCPU_EXIT_RSM = 17, // 73h
	VCPU_EXIT_HYPERCALL = 18, // VMCALL, VMMCALL (81h)
	VCPU_EXIT_VIRTUALISATION = 19, // and to 27: an instruction of VT-x; here AMD-V's, 7ah..86h
	VCPU_EXIT_VIRTUALISATION_LAST = 27,
	VCPU_EXIT_CONTROL_REGISTER = 28, // 00h..1fh, 65h
	VCPU_EXIT_DEBUG_REGISTER = 29, // 20h..3fh
	VCPU_EXIT_IO = 30, // 7bh
	VCPU_EXIT_RDMSR = 31, // 7ch
	VCPU_EXIT_WRMSR = 32, // 7ch
	VCPU_EXIT_STATE_INVALID =
		33, // VM entry found guest state that cannot be, ffffffffffffffffh
	VCPU_EXIT_MWAIT = 36, // 8bh, 8ch
	VCPU_EXIT_MONITOR = 39, // 8ah
	VCPU_EXIT_PAUSE = 40, // 77h
	VCPU_EXIT_DESCRIPTOR_TABLE = 46, // GDTR, IDTR: 66h, 67h, 6ah, 6bh
	VCPU_EXIT_TASK_REGISTER = 47, // LDTR, TR: 68h, 69h, 6ch, 6dh
	VCPU_EXIT_MEMORY = 48, // EPT violation, nested page fault (400h)
	VCPU_EXIT_MEMORY_MISCONFIGURED = 49,
	VCPU_EXIT_INVEPT = 50,
	VCPU_EXIT_RDTSCP = 51, // 87h
	VCPU_EXIT_TIMER = 52, // `timer` ran down
	VCPU_EXIT_INVVPID = 53,
	VCPU_EXIT_WBINVD = 54, // 89h
	VCPU_EXIT_XSETBV = 55, // 8dh, which no lack of privilege prevents
	VCPU_EXIT_RDRAND = 57,
	VCPU_EXIT_INVPCID = 58, // a2h
	VCPU_EXIT_VMFUNC = 59,
	VCPU_EXIT_RDSEED = 61,
	VCPU_EXIT_XSAVES = 63,
	VCPU_EXIT_XRSTORS = 64,
	// VM entry refused the controls; qualification: the VM-instruction error.
	VCPU_EXIT_CONTROLS_INVALID = 77,
	// A value that WriteVMCS would refuse; qualification: the number of its group, which is
	// still dirty, as are groups of higher numbers.
	VCPU_EXIT_VALUE_REFUSED = 78,
	VCPU_EXIT_OTHER = 79, // qualification: AMD-V's exit code
	VCPU_EXIT_REASONS = 80,
};

// The qualification of an exit.
enum vcpu_qualification {
	VCPU_IO_SIZE = 7, // bytes less one
	VCPU_IO_IN = 1 << 3,
	VCPU_IO_STRING = 1 << 4,
	VCPU_IO_REPEATED = 1 << 5,
	VCPU_IO_PORT_SHIFT = 16,

	VCPU_CR_NUMBER = 0xf,
	VCPU_CR_ACCESS_SHIFT = 4, // 2 bits: MOV to, MOV from, CLTS, LMSW
	VCPU_CR_GENERAL_SHIFT = 8, // 4 bits: number of the general register
	VCPU_CR_LMSW_SHIFT = 16, // 16 bits of source data

	VCPU_MEMORY_READ = 1 << 0,
	VCPU_MEMORY_WRITE = 1 << 1,
	VCPU_MEMORY_FETCH = 1 << 2,
	VCPU_MEMORY_LINEAR = 1 << 7, // `linear` is valid
	// With LINEAR, or with AMD-V: not an access to the guest's page tables.
	VCPU_MEMORY_FINAL = 1 << 8,
	VCPU_MEMORY_UNBLOCKED_NMI = 1 << 12, // IRET had ended blocking by NMI
};

// An event: to inject, interrupted, or an exception that exited.
struct vcpu_event {
	uint32_t information; // enum vcpu_event_information
	uint32_t error_code;
};

enum vcpu_event_information {
	VCPU_EVENT_VECTOR = 0xff,
	VCPU_EVENT_TYPE = 7 << 8,
	VCPU_EVENT_EXTERNAL = 0 << 8,
	VCPU_EVENT_NMI = 2 << 8,
	VCPU_EVENT_EXCEPTION = 3 << 8,
	VCPU_EVENT_SOFTWARE = 4 << 8, // INT n
	VCPU_EVENT_PRIVILEGED = 5 << 8, // INT1
	VCPU_EVENT_SOFTWARE_EXCEPTION = 6 << 8, // INT3, INTO
	VCPU_EVENT_ERROR_CODE = 1 << 11,
	VCPU_EVENT_UNBLOCKED_NMI = 1 << 12, // of an exception: as VCPU_MEMORY_UNBLOCKED_NMI
};
#define VCPU_EVENT_VALID (1u << 31)

enum vcpu_interruptibility {
	VCPU_BLOCKED_BY_STI = 1 << 0,
	VCPU_BLOCKED_BY_MOV_SS = 1 << 1,
	VCPU_BLOCKED_BY_NMI = 1 << 3,
};

enum vcpu_window {
	VCPU_WINDOW_INTERRUPT = 1 << 2, // exit when an interrupt could be taken
	VCPU_WINDOW_NMI = 1 << 22,
};

enum vcpu_activity { VCPU_ACTIVE = 0, VCPU_HALTED_IN_GUEST = 1 };

// What exits, and what the guest may do. Which of them this CPU has says `controls_offered`;
// others, and unknown bits, are ignored. The positions are those of VT-x's primary controls and, in
// the upper half, its secondary ones. CPUID, INVD, XSETBV, GETSEC, MOV CR8, task switches and the
// instructions of virtualisation always exit, ports and MSRs unless they are opened.
#define VCPU_EXITS_HLT (1ul << 7)
#define VCPU_EXITS_INVLPG (1ul << 9)
#define VCPU_EXITS_MWAIT (1ul << 10)
#define VCPU_EXITS_RDPMC (1ul << 11)
#define VCPU_EXITS_RDTSC (1ul << 12)
#define VCPU_EXITS_CR3_LOAD (1ul << 15)
#define VCPU_EXITS_CR3_STORE (1ul << 16)
#define VCPU_EXITS_DEBUG_REGISTER (1ul << 23)
#define VCPU_EXITS_MONITOR (1ul << 29)
#define VCPU_EXITS_PAUSE (1ul << 30)
#define VCPU_EXITS_DESCRIPTOR_TABLE (1ul << 34)
#define VCPU_EXITS_WBINVD (1ul << 38)
#define VCPU_EXITS_PAUSE_LOOP (1ul << 42)
#define VCPU_EXITS_RDRAND (1ul << 43)
#define VCPU_EXITS_RDSEED (1ul << 48)
#define VCPU_ALLOWS_RDTSCP (1ul << 35)
#define VCPU_ALLOWS_REAL_MODE (1ul << 39) // CR0 without PE or PG; set by the kernel where it can
#define VCPU_ALLOWS_INVPCID (1ul << 44)
#define VCPU_ALLOWS_XSAVES (1ul << 52)
// Only in controls_offered: the guest has a SPEC_CTRL of its own; AMD-V runs it; its PAT is
// switched; `timer` works. Without it have another thread signal the monitor's bound notification,
// which ends VCPURun.
#define VCPU_OFFERS_SPEC_CTRL (1ul << 60)
#define VCPU_BY_AMD_V (1ul << 61)
#define VCPU_OFFERS_PAT (1ul << 62)
#define VCPU_OFFERS_TIMER (1ul << 63)

enum vcpu_segment_number { // as instructions encode the first six
	VCPU_ES,
	VCPU_CS,
	VCPU_SS,
	VCPU_DS,
	VCPU_FS,
	VCPU_GS,
	VCPU_LDTR,
	VCPU_TR,
	VCPU_SEGMENTS,
};

struct vcpu_segment {
	uint16_t selector;
	uint16_t attributes; // descriptor bits 40..47 and 52..55, and UNUSABLE
	uint32_t limit; // in bytes
	uint64_t base;
};

enum vcpu_segment_attributes {
	VCPU_SEGMENT_TYPE = 0xf,
	VCPU_SEGMENT_PRIVILEGE_SHIFT = 5, // that of SS is the guest's
	VCPU_SEGMENT_PRESENT = 1 << 7,
	VCPU_SEGMENT_UNUSABLE = 1 << 8, // a null selector was loaded
	VCPU_SEGMENT_CODE_64 = 1 << 13,
	VCPU_SEGMENT_32 = 1 << 14,
	VCPU_SEGMENT_PAGES = 1 << 15,
};

struct vcpu_table {
	uint64_t base;
	uint64_t limit; // 16 bits
};

enum { VCPU_GENERAL_REGISTERS = 16, VCPU_INSTRUCTION_BYTES = 15 };

struct vcpu_state_page {
	// Nearly every exit.
	uint64_t dirty; // groups the monitor changed; VCPURun loads them and clears their bits
	uint64_t saved; // groups the kernel wrote with the last exit
	uint32_t reason; // enum vcpu_exit_reason
	uint32_t instruction_length; // of the exit's instruction; 0: the CPU does not say
	uint64_t qualification; // undefined where the reason has none
	uint64_t rip;
	uint64_t rflags;
	uint32_t interruptibility; // enum vcpu_interruptibility
	uint32_t windows; // enum vcpu_window
	// The next entry delivers it. Written with every exit: valid only if the guest did not run.
	struct vcpu_event event;

	// Exits by memory accesses, events and exceptions.
	uint64_t physical;
	uint64_t linear;
	struct vcpu_event interrupted; // its delivery did not end, because of the exit
	struct vcpu_event exception; // of VCPU_EXIT_EXCEPTION, always
	uint32_t event_length; // instruction length of software events to inject
	uint32_t instruction_information; // VT-x: VM-exit instruction information, as of INS, OUTS
	uint64_t reserved_1;
	uint8_t instruction_bytes[VCPU_INSTRUCTION_BYTES];
	uint8_t instruction_count; // of them, of VCPU_EXIT_MEMORY; 0 where the CPU gives none

	// As instructions encode them: RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 to R15.
	uint64_t registers[VCPU_GENERAL_REGISTERS];

	// How the guest translates and debugs.
	uint64_t cr0, cr3, cr4;
	uint64_t efer; // with LMA, by which the guest is in long mode or not
	uint64_t cr2;
	uint64_t dr7;
	uint64_t debugctl;
	uint64_t pending_debug; // bits 0..3, 12, 14 as of VT-x's field

	// A bit set in a mask is the monitor's: the guest reads it from the shadow, and exits when
	// it writes another value. AMD-V: exits whenever it writes, or reads what differs.
	uint64_t cr0_mask, cr0_shadow;
	uint64_t cr4_mask, cr4_shadow;
	uint64_t pdpte[4]; // loaded with PAE paging; AMD-V reads them from memory

	struct vcpu_segment segments[VCPU_SEGMENTS];

	struct vcpu_table gdtr, idtr;
	uint64_t dr[4];

	uint64_t dr6;
	uint64_t tsc_offset; // guest TSC = host TSC + offset
	uint64_t xcr0;
	uint64_t timer; // TSC ticks until VCPU_EXIT_TIMER, counted from each VCPURun; 0: never
	uint64_t controls; // VCPU_EXITS_*, VCPU_ALLOWS_*
	uint32_t exceptions; // by vector: which exit
	uint32_t activity; // enum vcpu_activity
	// Written by VCPU_SetStatePage, for information.
	uint64_t controls_offered;
	uint64_t xcr0_offered;

	uint64_t star, lstar, cstar, fmask;
	uint64_t kernel_gs_base;
	uint64_t tsc_aux;
	uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
	uint64_t pat;
	uint64_t spec_ctrl; // adds to what the kernel has there while the guest runs
	uint64_t reserved_2[5];

	// Groups that an exit of each reason saves: the monitor's choice.
	uint64_t save[VCPU_EXIT_REASONS];
};

#define VCPU_STATE_AT(member, offset) \
	ABI_ASSERT(offsetof(struct vcpu_state_page, member) == (offset))
VCPU_STATE_AT(dirty, 0);
VCPU_STATE_AT(rip, 0x20);
VCPU_STATE_AT(physical, 0x40);
VCPU_STATE_AT(registers, 0x80);
VCPU_STATE_AT(cr0, 0x100);
VCPU_STATE_AT(cr0_mask, 0x140);
VCPU_STATE_AT(segments, 0x180);
VCPU_STATE_AT(gdtr, 0x200);
VCPU_STATE_AT(dr6, 0x240);
VCPU_STATE_AT(star, 0x280);
VCPU_STATE_AT(save, 0x300);
#undef VCPU_STATE_AT
ABI_ASSERT(sizeof(struct vcpu_segment) == 16);
ABI_ASSERT(sizeof(struct vcpu_state_page) <= VCPU_STATE_SIZE);
