// SPDX-License-Identifier: BSD-2-Clause
// Fields of tags, rights, CNode data and faults; what a failed mapping wants; bootinfo.
#pragma once

#include <sel4/bootinfo_types.h>
#include <sel4/constants.h>
#include <sel4/faults.h>
#include <sel4/ipc.h>

#include <interfaces/sel4_client.h>

static inline seL4_MessageInfo_t seL4_MessageInfo_set_capsUnwrapped(
	seL4_MessageInfo_t info, seL4_Uint64 capsUnwrapped) {
	return seL4_MessageInfo_new(seL4_MessageInfo_get_label(info), capsUnwrapped,
		seL4_MessageInfo_get_extraCaps(info), seL4_MessageInfo_get_length(info));
}

static inline seL4_MessageInfo_t seL4_MessageInfo_set_extraCaps(
	seL4_MessageInfo_t info, seL4_Uint64 extraCaps) {
	return seL4_MessageInfo_new(seL4_MessageInfo_get_label(info),
		seL4_MessageInfo_get_capsUnwrapped(info), extraCaps,
		seL4_MessageInfo_get_length(info));
}

// Four functions a field of a structure of words: read and write, of a value and by pointer.
#define SEL4_ACCESSORS(prefix, type, field, index, shift, mask) \
	static inline seL4_Uint64 prefix##_get_##field(type value) { \
		return value.words[index] >> (shift) & (mask); \
	} \
	static inline type prefix##_set_##field(type value, seL4_Uint64 bits) { \
		value.words[index] = (value.words[index] & ~((seL4_Uint64)(mask) << (shift))) | \
			(bits & (mask)) << (shift); \
		return value; \
	} \
	static inline seL4_Uint64 prefix##_ptr_get_##field(type *value) { \
		return prefix##_get_##field(*value); \
	} \
	static inline void prefix##_ptr_set_##field(type *value, seL4_Uint64 bits) { \
		*value = prefix##_set_##field(*value, bits); \
	}

#define SEL4_FIELD(type, field, shift, mask) SEL4_ACCESSORS(type, type##_t, field, 0, shift, mask)

SEL4_FIELD(seL4_CapRights, capAllowWrite, 0, 1u)
SEL4_FIELD(seL4_CapRights, capAllowRead, 1, 1u)
SEL4_FIELD(seL4_CapRights, capAllowGrant, 2, 1u)
SEL4_FIELD(seL4_CapRights, capAllowGrantReply, 3, 1u)
SEL4_FIELD(seL4_CNode_CapData, guardSize, 0, 0x3fu)
SEL4_FIELD(seL4_CNode_CapData, guard, 6, 0x3fffffffffffffful)

// How many bits of the address a mapping that failed with seL4_FailedLookup could resolve: the
// value of SEL4_MAPPING_LOOKUP_NO_* that names the missing table.
static inline seL4_Word seL4_MappingFailedLookupLevel(void) {
	return seL4_GetMR(SEL4_MAPPING_LOOKUP_LEVEL);
}

// ConfigureFlags without flags.
static inline seL4_Error seL4_SchedControl_Configure(seL4_SchedControl _service,
	seL4_SchedContext schedcontext, seL4_Time budget, seL4_Time period, seL4_Word extra_refills,
	seL4_Word badge) {
	return seL4_SchedControl_ConfigureFlags(_service, schedcontext, budget, period,
		extra_refills, badge, seL4_SchedContext_NoFlag);
}

// Where the initial task keeps its bootinfo; start code may leave it to the program.
__attribute__((weak)) seL4_BootInfo *sel4_bootinfo;

static inline void seL4_InitBootInfo(seL4_BootInfo *bootinfo) { sel4_bootinfo = bootinfo; }

static inline seL4_BootInfo *seL4_GetBootInfo(void) { return sel4_bootinfo; }

// A fault as its handler received it: the words of the message, and its kind.
typedef struct seL4_Fault {
	seL4_Uint64 words[20];
} seL4_Fault_t;

enum { SEL4_FAULT_KIND = 19 };

static inline seL4_Uint64 seL4_Fault_get_seL4_FaultType(seL4_Fault_t fault) {
	return fault.words[SEL4_FAULT_KIND];
}

static inline int seL4_Fault_seL4_FaultType_equals(seL4_Fault_t fault, seL4_Uint64 kind) {
	return fault.words[SEL4_FAULT_KIND] == kind;
}

static inline seL4_Uint64 seL4_Fault_ptr_get_seL4_FaultType(seL4_Fault_t *fault) {
	return fault->words[SEL4_FAULT_KIND];
}

// The fault in the message just received.
static inline seL4_Fault_t seL4_getFault(seL4_MessageInfo_t tag) {
	seL4_Fault_t fault;
	seL4_Uint64 length = seL4_MessageInfo_get_length(tag);

	for (seL4_Uint64 i = 0; i < SEL4_FAULT_KIND; i++)
		fault.words[i] = i < length ? seL4_GetMR((int)i) : 0;
	fault.words[SEL4_FAULT_KIND] = seL4_MessageInfo_get_label(tag);
	return fault;
}

static inline seL4_Fault_t seL4_getArchFault(seL4_MessageInfo_t tag) { return seL4_getFault(tag); }

#define SEL4_FAULT_KIND_TESTS(kind) \
	static inline int seL4_is##kind##_tag(seL4_MessageInfo_t tag) { \
		return seL4_MessageInfo_get_label(tag) == seL4_Fault_##kind; \
	}

SEL4_FAULT_KIND_TESTS(NullFault)
SEL4_FAULT_KIND_TESTS(CapFault)
SEL4_FAULT_KIND_TESTS(UnknownSyscall)
SEL4_FAULT_KIND_TESTS(UserException)
SEL4_FAULT_KIND_TESTS(VMFault)
SEL4_FAULT_KIND_TESTS(Timeout)

static inline int seL4_isTimeoutFault_tag(seL4_MessageInfo_t tag) {
	return seL4_isTimeout_tag(tag);
}

#define SEL4_FAULT_FIELD(kind, field, index) \
	SEL4_ACCESSORS(seL4_Fault_##kind, seL4_Fault_t, field, index, 0, ~(seL4_Uint64)0)

SEL4_FAULT_FIELD(CapFault, IP, seL4_CapFault_IP)
SEL4_FAULT_FIELD(CapFault, Addr, seL4_CapFault_Addr)
SEL4_FAULT_FIELD(CapFault, InRecvPhase, seL4_CapFault_InRecvPhase)
SEL4_FAULT_FIELD(CapFault, LookupFailureType, seL4_CapFault_LookupFailureType)
SEL4_FAULT_FIELD(CapFault, MR4, 4)
SEL4_FAULT_FIELD(CapFault, MR5, 5)
SEL4_FAULT_FIELD(CapFault, MR6, 6)
SEL4_FAULT_FIELD(VMFault, IP, seL4_VMFault_IP)
SEL4_FAULT_FIELD(VMFault, Addr, seL4_VMFault_Addr)
SEL4_FAULT_FIELD(VMFault, PrefetchFault, seL4_VMFault_PrefetchFault)
SEL4_FAULT_FIELD(VMFault, FSR, seL4_VMFault_FSR)
SEL4_FAULT_FIELD(UserException, FaultIP, seL4_UserException_FaultIP)
SEL4_FAULT_FIELD(UserException, Stack, seL4_UserException_SP)
SEL4_FAULT_FIELD(UserException, SP, seL4_UserException_SP)
SEL4_FAULT_FIELD(UserException, FLAGS, seL4_UserException_FLAGS)
SEL4_FAULT_FIELD(UserException, Number, seL4_UserException_Number)
SEL4_FAULT_FIELD(UserException, Code, seL4_UserException_Code)
SEL4_FAULT_FIELD(Timeout, data, seL4_Timeout_Data)
SEL4_FAULT_FIELD(Timeout, consumed, seL4_Timeout_Consumed)
SEL4_FAULT_FIELD(UnknownSyscall, RAX, seL4_UnknownSyscall_RAX)
SEL4_FAULT_FIELD(UnknownSyscall, RBX, seL4_UnknownSyscall_RBX)
SEL4_FAULT_FIELD(UnknownSyscall, RCX, seL4_UnknownSyscall_RCX)
SEL4_FAULT_FIELD(UnknownSyscall, RDX, seL4_UnknownSyscall_RDX)
SEL4_FAULT_FIELD(UnknownSyscall, RSI, seL4_UnknownSyscall_RSI)
SEL4_FAULT_FIELD(UnknownSyscall, RDI, seL4_UnknownSyscall_RDI)
SEL4_FAULT_FIELD(UnknownSyscall, RBP, seL4_UnknownSyscall_RBP)
SEL4_FAULT_FIELD(UnknownSyscall, R8, seL4_UnknownSyscall_R8)
SEL4_FAULT_FIELD(UnknownSyscall, R9, seL4_UnknownSyscall_R9)
SEL4_FAULT_FIELD(UnknownSyscall, R10, seL4_UnknownSyscall_R10)
SEL4_FAULT_FIELD(UnknownSyscall, R11, seL4_UnknownSyscall_R11)
SEL4_FAULT_FIELD(UnknownSyscall, R12, seL4_UnknownSyscall_R12)
SEL4_FAULT_FIELD(UnknownSyscall, R13, seL4_UnknownSyscall_R13)
SEL4_FAULT_FIELD(UnknownSyscall, R14, seL4_UnknownSyscall_R14)
SEL4_FAULT_FIELD(UnknownSyscall, R15, seL4_UnknownSyscall_R15)
SEL4_FAULT_FIELD(UnknownSyscall, FaultIP, seL4_UnknownSyscall_FaultIP)
SEL4_FAULT_FIELD(UnknownSyscall, RSP, seL4_UnknownSyscall_SP)
SEL4_FAULT_FIELD(UnknownSyscall, FLAGS, seL4_UnknownSyscall_FLAGS)
SEL4_FAULT_FIELD(UnknownSyscall, Syscall, seL4_UnknownSyscall_Syscall)

// The reply to a timeout fault: the registers with which the thread continues, from the first on,
// `length` of seL4_TimeoutReply_Length; `resume` false leaves the thread stopped.
static inline seL4_MessageInfo_t seL4_TimeoutReply_new(
	seL4_Bool resume, seL4_UserContext regs, seL4_Word length) {
	const seL4_Word words[seL4_TimeoutReply_Length] = {regs.rip, regs.rsp, regs.rflags,
		regs.rax, regs.rbx, regs.rcx, regs.rdx, regs.rsi, regs.rdi, regs.rbp, regs.r8,
		regs.r9, regs.r10, regs.r11, regs.r12, regs.r13, regs.r14, regs.r15, regs.fs_base};

	if (length > seL4_TimeoutReply_Length) length = seL4_TimeoutReply_Length;
	for (seL4_Word i = 0; i < length; i++)
		seL4_SetMR((int)i, words[i]);
	return seL4_MessageInfo_new(resume ? 0 : 1, 0, 0, length);
}
