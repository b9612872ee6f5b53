// SPDX-License-Identifier: BSD-2-Clause
// Object types for seL4_Untyped_Retype under their official names.
#pragma once

#include <abi/object.h>

#include <sel4/types.h>

typedef enum {
	seL4_UntypedObject = OBJECT_UNTYPED,
	seL4_TCBObject = OBJECT_TCB,
	seL4_EndpointObject = OBJECT_ENDPOINT,
	seL4_NotificationObject = OBJECT_NOTIFICATION,
	seL4_CapTableObject = OBJECT_CNODE,
	seL4_SchedContextObject = OBJECT_SCHED_CONTEXT,
	seL4_ReplyObject = OBJECT_REPLY,
	seL4_NonArchObjectTypeCount = OBJECT_PDPT,
	seL4_X86_PDPTObject = OBJECT_PDPT,
	seL4_X64_PML4Object = OBJECT_PML4,
	seL4_X64_HugePageObject = OBJECT_HUGE_PAGE,
	seL4_X86_4K = OBJECT_PAGE,
	seL4_X86_LargePageObject = OBJECT_LARGE_PAGE,
	seL4_X86_PageTableObject = OBJECT_PAGE_TABLE,
	seL4_X86_PageDirectoryObject = OBJECT_PAGE_DIRECTORY,
	seL4_X86_IOPageTableObject = OBJECT_IO_PAGE_TABLE,
	seL4_X86_VCPUObject = OBJECT_VCPU,
	seL4_X86_EPTPML4Object = OBJECT_EPT_PML4,
	seL4_X86_EPTPDPTObject = OBJECT_EPT_PDPT,
	seL4_X86_EPTPDObject = OBJECT_EPT_PD,
	seL4_X86_EPTPTObject = OBJECT_EPT_PT,
	seL4_ObjectTypeCount = OBJECT_TYPE_COUNT,
} seL4_ObjectType;

typedef seL4_Word api_object_t;
