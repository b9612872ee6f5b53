// SPDX-License-Identifier: BSD-2-Clause
// Types of the kernel's interface under their official names. Layouts: MSG-2, CAP-10,
// THR-10, VCPU-12.
#pragma once

#include <abi/compiler.h>
#include <abi/message.h>
#include <abi/rights.h>

typedef signed char seL4_Int8;
typedef unsigned char seL4_Uint8;
typedef short seL4_Int16;
typedef unsigned short seL4_Uint16;
typedef int seL4_Int32;
typedef unsigned int seL4_Uint32;
typedef long seL4_Int64;
typedef unsigned long seL4_Uint64;
typedef unsigned long seL4_Word;
typedef seL4_Int8 seL4_Bool;
typedef seL4_Uint64 seL4_Time;

#define seL4_True 1
#define seL4_False 0
#ifdef __cplusplus
#define seL4_Null nullptr
#else
#define seL4_Null ((void *)0)
#endif

// Capability addresses; the object they must name is in the type's name.
typedef seL4_Word seL4_CPtr;
typedef seL4_CPtr seL4_CNode;
typedef seL4_CPtr seL4_Untyped;
typedef seL4_CPtr seL4_TCB;
typedef seL4_CPtr seL4_IRQControl;
typedef seL4_CPtr seL4_IRQHandler;
typedef seL4_CPtr seL4_DomainSet;
typedef seL4_CPtr seL4_SchedControl;
typedef seL4_CPtr seL4_SchedContext;
typedef seL4_CPtr seL4_X64_PML4;
typedef seL4_CPtr seL4_X86_PDPT;
typedef seL4_CPtr seL4_X86_PageDirectory;
typedef seL4_CPtr seL4_X86_PageTable;
typedef seL4_CPtr seL4_X86_Page;
typedef seL4_CPtr seL4_X86_IOSpace;
typedef seL4_CPtr seL4_X86_IOPageTable;
typedef seL4_CPtr seL4_X86_ASIDControl;
typedef seL4_CPtr seL4_X86_ASIDPool;
typedef seL4_CPtr seL4_X86_IOPort;
typedef seL4_CPtr seL4_X86_IOPortControl;
typedef seL4_CPtr seL4_X86_VCPU;
typedef seL4_CPtr seL4_X86_EPTPML4;
typedef seL4_CPtr seL4_X86_EPTPDPT;
typedef seL4_CPtr seL4_X86_EPTPD;
typedef seL4_CPtr seL4_X86_EPTPT;

typedef seL4_Word seL4_NodeId;
typedef seL4_Word seL4_PAddr;
typedef seL4_Word seL4_Domain;
typedef seL4_Word seL4_SlotPos;

typedef struct seL4_MessageInfo {
	seL4_Uint64 words[1];
} seL4_MessageInfo_t;

typedef struct seL4_CapRights {
	seL4_Uint64 words[1];
} seL4_CapRights_t;

typedef struct seL4_CNode_CapData {
	seL4_Uint64 words[1];
} seL4_CNode_CapData_t;

typedef struct seL4_IPCBuffer_ {
	seL4_MessageInfo_t tag;
	seL4_Word msg[MESSAGE_MAX_LENGTH];
	seL4_Word userData;
	seL4_Word caps_or_badges[MESSAGE_MAX_CAPS];
	seL4_CPtr receiveCNode;
	seL4_CPtr receiveIndex;
	seL4_Word receiveDepth;
} seL4_IPCBuffer __attribute__((aligned(1024)));

ABI_ASSERT(sizeof(seL4_IPCBuffer) == 1024);
ABI_ASSERT(offsetof(seL4_IPCBuffer, caps_or_badges) == 976);

typedef struct seL4_UserContext_ {
	seL4_Word rip, rsp, rflags, rax, rbx, rcx, rdx, rsi, rdi, rbp;
	seL4_Word r8, r9, r10, r11, r12, r13, r14, r15;
	seL4_Word fs_base, gs_base;
} seL4_UserContext;

ABI_ASSERT(sizeof(seL4_UserContext) == 160);

typedef struct seL4_VCPUContext_ {
	seL4_Word eax, ebx, ecx, edx, esi, edi, ebp;
	seL4_Word r8, r9, r10, r11, r12, r13, r14, r15;
} seL4_VCPUContext;

ABI_ASSERT(sizeof(seL4_VCPUContext) == 120);

typedef enum seL4_X86_VMAttributes {
	seL4_X86_Default_VMAttributes = 0,
	seL4_X86_WriteBack = 0,
	seL4_X86_WriteThrough = 1,
	seL4_X86_CacheDisabled = 2,
	seL4_X86_Uncacheable = 3,
	seL4_X86_WriteCombining = 4,
} seL4_X86_VMAttributes;

typedef enum seL4_X86_EPT_VMAttributes {
	seL4_X86_EPT_Uncached_VMAttributes = 0,
	seL4_X86_EPT_Uncacheable = 0,
	seL4_X86_EPT_WriteCombining = 1,
	seL4_X86_EPT_WriteThrough = 4,
	seL4_X86_EPT_WriteProtected = 5,
	seL4_X86_EPT_WriteBack = 6,
	seL4_X86_EPT_Default_VMAttributes = 6,
} seL4_X86_EPT_VMAttributes;

static inline seL4_MessageInfo_t seL4_MessageInfo_new(
	seL4_Uint64 label, seL4_Uint64 capsUnwrapped, seL4_Uint64 extraCaps, seL4_Uint64 length) {
	seL4_MessageInfo_t info = {{tag_make(label, capsUnwrapped, extraCaps, length)}};

	return info;
}

static inline seL4_Uint64 seL4_MessageInfo_get_label(seL4_MessageInfo_t info) {
	return tag_label(info.words[0]);
}

static inline seL4_Uint64 seL4_MessageInfo_get_capsUnwrapped(seL4_MessageInfo_t info) {
	return info.words[0] >> TAG_UNWRAPPED_SHIFT & ((1u << TAG_UNWRAPPED_BITS) - 1);
}

static inline seL4_Uint64 seL4_MessageInfo_get_extraCaps(seL4_MessageInfo_t info) {
	return tag_caps(info.words[0]);
}

static inline seL4_Uint64 seL4_MessageInfo_get_length(seL4_MessageInfo_t info) {
	return info.words[0] & ((1u << TAG_LENGTH_BITS) - 1);
}

static inline seL4_MessageInfo_t seL4_MessageInfo_set_label(
	seL4_MessageInfo_t info, seL4_Uint64 label) {
	info.words[0] = (info.words[0] & ((1ul << TAG_LABEL_SHIFT) - 1)) | label << TAG_LABEL_SHIFT;
	return info;
}

static inline seL4_MessageInfo_t seL4_MessageInfo_set_length(
	seL4_MessageInfo_t info, seL4_Uint64 length) {
	info.words[0] = (info.words[0] & ~((1ul << TAG_LENGTH_BITS) - 1)) | length;
	return info;
}

static inline seL4_CapRights_t seL4_CapRights_new(
	seL4_Uint64 grantReply, seL4_Uint64 grant, seL4_Uint64 read, seL4_Uint64 write) {
	seL4_CapRights_t rights = {{(grantReply ? (seL4_Uint64)RIGHT_GRANT_REPLY : 0) |
		(grant ? (seL4_Uint64)RIGHT_GRANT : 0) | (read ? (seL4_Uint64)RIGHT_READ : 0) |
		(write ? (seL4_Uint64)RIGHT_WRITE : 0)}};

	return rights;
}

static inline seL4_CNode_CapData_t seL4_CNode_CapData_new(
	seL4_Uint64 guard, seL4_Uint64 guardSize) {
	seL4_CNode_CapData_t data = {{guard << 6 | guardSize}};

	return data;
}
