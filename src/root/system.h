// SPDX-License-Identifier: BSD-2-Clause
// The system being built: what the initial task keeps of each protection domain and guest.
#pragma once

#include <stdbool.h>

#include <abi/bootinfo.h>

#include <lib/pci/passed.h>
#include <lib/pci/reset.h>

#include <root/image.h>
#include <root/selftest/selftest.h>

#include <user/microkit/domain.h>
#include <user/root/root.h>
#include <user/space.h>

struct domain {
	bool omitted; // not started: its guest cannot run on this machine
	uint32_t core; // that of the description, or 0 where it is missing
	uint32_t restarts; // so far
	uint32_t restart_wait; // microseconds to its next restart; 0: none is due
	seL4_Word stack_stored; // place in the storage of the lowest stack page
	struct space space;
	seL4_CPtr tcb;
	seL4_CPtr sched_context;
	seL4_CPtr notification;
	seL4_CPtr endpoint; // 0 when it receives on its notification only
	seL4_CPtr reply;
	seL4_CPtr cnode;
	seL4_CPtr root_cnode;
	seL4_CPtr ipc_frame;
};

struct guest {
	struct space space;
	seL4_CPtr vcpu;
	seL4_CPtr state_frame; // of the state page
};

// A device whose reach is described: a record of SYSTEM_IO_SPACES.
struct device {
	bool found; // the machine has it, and its owner, if any, is started
	bool is_built; // at least once
	bool in_reset;
	uint16_t function; // bus << 8 | device << 3 | function, of its configuration registers
	uint16_t requester; // the same of its accesses to memory
	seL4_CPtr space; // 0: it has none
	struct pci_kept kept; // while it is in reset
	struct pci_passed passed; // of one that a guest drives, as the next
	seL4_Word passed_stored; // where the pages of its registers begin
};

// Where a region is on this machine.
struct extent {
	seL4_Word paddr; // or SYSTEM_ANY_ADDRESS
	seL4_Word size; // 0: this machine has no screen
	seL4_Word bits; // of a page
};

struct system {
	const seL4_BootInfo *bootinfo;
	struct bootinfo_start start; // for regions that ask for it
	struct selftest_faults faults; // what is not used
	struct image image;
	struct extent screen; // no size: there is none
	bool one_time_domain; // the kernel has only one, so the schedule is not used
	bool debug_calls; // the kernel answers them: a debug build
	seL4_CPtr fault_endpoint; // of all domains; the initial task receives on it
	seL4_CPtr notification; // bound to the initial task's first thread
	seL4_CPtr storage; // CNode that keeps frame capabilities
	seL4_Word storage_bits;
	seL4_Word storage_used;
	seL4_Word group_stored[SYSTEM_MAX_DOMAINS + 1]; // where each group's pages begin
	bool region_missing[SYSTEM_MAX_RECORDS]; // this machine has no memory there
	seL4_Word region_stored[SYSTEM_MAX_RECORDS]; // where each region's pages begin
	// Taken before anything is built, 0 when the domain is omitted. An interrupt has two slots:
	// the handler, and the badged notification it signals.
	seL4_CPtr irqs[SYSTEM_MAX_IRQS];
	seL4_CPtr ports[SYSTEM_MAX_RECORDS];
	seL4_Word
		io_stored[SYSTEM_MAX_RECORDS]; // where the pages of each mapping for a device begin
	struct device devices[SYSTEM_MAX_DEVICES];
	struct domain domains[SYSTEM_MAX_DOMAINS];
	struct guest guests[SYSTEM_MAX_GUESTS];
};

// A capability to signal the initial task's first thread with a badge; 0 when there is no room.
[[nodiscard]] seL4_CPtr system_signal(const struct system *system, seL4_Word badge);

// Prints what failed and where; returns the error.
seL4_Error system_report(seL4_Error error, const char *what, const char *name);
