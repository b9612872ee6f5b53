// SPDX-License-Identifier: BSD-2-Clause
// Sizes, limits and rights under their official names.
#pragma once

#include <abi/object.h>

#include <sel4/types.h>

#define seL4_WordBits 64
#define seL4_WordSizeBits 3

#define seL4_SlotBits SLOT_BITS
#define seL4_TCBBits TCB_BITS
#define seL4_EndpointBits ENDPOINT_BITS
#define seL4_NotificationBits NOTIFICATION_BITS
#define seL4_ReplyBits REPLY_BITS
#define seL4_PageBits PAGE_BITS
#define seL4_LargePageBits LARGE_PAGE_BITS
#define seL4_HugePageBits HUGE_PAGE_BITS
#define seL4_PageTableBits TABLE_BITS
#define seL4_PageTableIndexBits 9
#define seL4_PageDirBits TABLE_BITS
#define seL4_PageDirIndexBits 9
#define seL4_PDPTBits TABLE_BITS
#define seL4_PDPTIndexBits 9
#define seL4_PML4Bits TABLE_BITS
#define seL4_PML4IndexBits 9
#define seL4_VSpaceBits TABLE_BITS
#define seL4_IOPageTableBits TABLE_BITS
#define seL4_ASIDPoolBits ASID_POOL_BITS
#define seL4_ASIDPoolIndexBits 9
#define seL4_NumASIDPoolsBits 3
#define seL4_VCPUBits VCPU_BITS
#define seL4_X86_VCPUBits VCPU_BITS
#define seL4_X86_EPTPML4Bits TABLE_BITS
#define seL4_X86_EPTPDPTBits TABLE_BITS
#define seL4_X86_EPTPDBits TABLE_BITS
#define seL4_X86_EPTPTBits TABLE_BITS
#define seL4_IPCBufferSizeBits IPC_BUFFER_BITS
#define seL4_BootInfoFrameBits PAGE_BITS
#define seL4_MinUntypedBits UNTYPED_MIN_BITS
#define seL4_MaxUntypedBits UNTYPED_MAX_BITS
#define seL4_UntypedRetypeMaxObjects RETYPE_MAX_OBJECTS

#define seL4_MinSchedContextBits SCHED_CONTEXT_MIN_BITS
#define seL4_CoreSchedContextBytes 128
#define seL4_RefillSizeBytes 16
#define seL4_MaxExtraRefills(size_bits) \
	(((1ul << (size_bits)) - seL4_CoreSchedContextBytes) / seL4_RefillSizeBytes)

#define seL4_FastMessageRegisters MESSAGE_REGISTERS
#define seL4_MsgMaxLength MESSAGE_MAX_LENGTH
#define seL4_MsgMaxExtraCaps MESSAGE_MAX_CAPS
#define seL4_MsgLengthBits TAG_LENGTH_BITS
#define seL4_MsgExtraCapBits TAG_CAPS_BITS
#define seL4_CapRightsBits 4

#define seL4_UserTop USER_TOP
#define seL4_UserVSpaceTop (USER_TOP - 1)

#define seL4_MinPrio 0
#define seL4_MaxPrio (PRIORITIES - 1)
#define seL4_InvalidPrio ((seL4_Word)-1)

#define VECTOR_MIN 0
#define VECTOR_MAX (USER_IRQ_VECTORS - 1)
#define IRQ_OFFSET USER_VECTOR_OFFSET

#define seL4_ReadWrite seL4_CapRights_new(0, 0, 1, 1)
#define seL4_AllRights seL4_CapRights_new(1, 1, 1, 1)
#define seL4_CanRead seL4_CapRights_new(0, 0, 1, 0)
#define seL4_CanWrite seL4_CapRights_new(0, 0, 0, 1)
#define seL4_CanGrant seL4_CapRights_new(0, 1, 0, 0)
#define seL4_CanGrantReply seL4_CapRights_new(1, 0, 0, 0)
#define seL4_NoWrite seL4_CapRights_new(1, 1, 1, 0)
#define seL4_NoRead seL4_CapRights_new(1, 1, 0, 1)
#define seL4_NoRights seL4_CapRights_new(0, 0, 0, 0)

#define seL4_NilData 0

enum {
	seL4_TCBFlag_NoFlag = 0,
	seL4_TCBFlag_fpuDisabled = 1,
	seL4_TCBFlag_MASK = 1,
};

enum {
	seL4_SchedContext_NoFlag = 0,
	seL4_SchedContext_Sporadic = 1,
};

// Payload of a FailedLookup by a mapping operation: which table is missing.
enum {
	SEL4_MAPPING_LOOKUP_LEVEL = 2,
	SEL4_MAPPING_LOOKUP_NO_PT = 21,
	SEL4_MAPPING_LOOKUP_NO_PD = 30,
	SEL4_MAPPING_LOOKUP_NO_PDPT = 39,
	SEL4_MAPPING_LOOKUP_NO_EPTPT = 21,
	SEL4_MAPPING_LOOKUP_NO_EPTPD = 30,
	SEL4_MAPPING_LOOKUP_NO_EPTPDPT = 39,
};
