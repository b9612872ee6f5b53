// SPDX-License-Identifier: BSD-2-Clause
// What the initial task is given, under its official names (BOOT-6).
#pragma once

#include <abi/compiler.h>
#include <abi/bootinfo.h>

#include <sel4/types.h>

enum seL4_RootCNodeCapSlots {
	seL4_CapNull = ROOT_SLOT_NULL,
	seL4_CapInitThreadTCB = ROOT_SLOT_TCB,
	seL4_CapInitThreadCNode = ROOT_SLOT_CNODE,
	seL4_CapInitThreadVSpace = ROOT_SLOT_SPACE,
	seL4_CapIRQControl = ROOT_SLOT_IRQ_CONTROL,
	seL4_CapASIDControl = ROOT_SLOT_ASID_CONTROL,
	seL4_CapInitThreadASIDPool = ROOT_SLOT_ASID_POOL,
	seL4_CapIOPortControl = ROOT_SLOT_PORT_CONTROL,
	seL4_CapIOSpace = ROOT_SLOT_IO_SPACE,
	seL4_CapBootInfoFrame = ROOT_SLOT_BOOTINFO_FRAME,
	seL4_CapInitThreadIPCBuffer = ROOT_SLOT_IPC_BUFFER,
	seL4_CapDomain = ROOT_SLOT_DOMAIN,
	seL4_CapInitThreadSC = ROOT_SLOT_SCHED_CONTEXT,
	seL4_NumInitialCaps = ROOT_SLOT_FIRST_FREE,
};

typedef struct seL4_SlotRegion {
	seL4_SlotPos start;
	seL4_SlotPos end;
} seL4_SlotRegion;

typedef struct seL4_UntypedDesc {
	seL4_Word paddr;
	seL4_Uint8 sizeBits;
	seL4_Uint8 isDevice;
	seL4_Uint8 padding[6];
} seL4_UntypedDesc;

typedef struct seL4_BootInfo {
	seL4_Word extraLen;
	seL4_NodeId nodeID;
	seL4_Word numNodes;
	seL4_Word numIOPTLevels;
	seL4_IPCBuffer *ipcBuffer;
	seL4_SlotRegion empty;
	seL4_SlotRegion sharedFrames;
	seL4_SlotRegion userImageFrames;
	seL4_SlotRegion userImagePaging;
	seL4_SlotRegion ioSpaceCaps;
	seL4_SlotRegion extraBIPages;
	seL4_Uint8 initThreadCNodeSizeBits;
	seL4_Domain initThreadDomain;
	seL4_SlotRegion schedcontrol;
	seL4_SlotRegion untyped;
	seL4_UntypedDesc untypedList[BOOTINFO_MAX_UNTYPED];
} seL4_BootInfo;

ABI_ASSERT(sizeof(seL4_BootInfo) == sizeof(struct bootinfo));
ABI_ASSERT(offsetof(seL4_BootInfo, untypedList) == offsetof(struct bootinfo, untyped_list));
ABI_ASSERT(offsetof(seL4_BootInfo, schedcontrol) == offsetof(struct bootinfo, sched_control));

typedef struct seL4_BootInfoHeader {
	seL4_Word id;
	seL4_Word len;
} seL4_BootInfoHeader;

typedef enum {
	SEL4_BOOTINFO_HEADER_PADDING = BOOTINFO_PADDING,
	SEL4_BOOTINFO_HEADER_X86_VBE = BOOTINFO_VBE,
	SEL4_BOOTINFO_HEADER_X86_MBMMAP = BOOTINFO_MEMORY_MAP,
	SEL4_BOOTINFO_HEADER_X86_ACPI_RSDP = BOOTINFO_ACPI_RSDP,
	SEL4_BOOTINFO_HEADER_X86_FRAMEBUFFER = BOOTINFO_FRAMEBUFFER,
	SEL4_BOOTINFO_HEADER_X86_TSC_FREQ = BOOTINFO_TSC_FREQUENCY,
	SEL4_BOOTINFO_HEADER_FDT = 6,
	SEL4_BOOTINFO_HEADER_NUM = 7,
} seL4_BootInfoID;
