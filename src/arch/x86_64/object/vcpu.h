// SPDX-License-Identifier: BSD-2-Clause
// Virtual CPU objects: life, partner thread, ports and invocations (VCPU-1 to VCPU-34). What runs
// them is guest/engine.h.
//
//   page 0  the engine's
//   page 1  I/O bitmap, ports 0 to 0x7fff
//   page 2  I/O bitmap, ports 0x8000 to 0xffff
//   page 3  first bits of its third page, and the rest, up to the XSAVE area, which fills the page
#pragma once

#include <guest/engine.h>
#include <cap/object.h>
#include <sched/thread.h>

struct vcpu {
	alignas(GUEST_PAGE) uint8_t control[GUEST_PAGE];
	uint64_t io_bitmap[65536 / 64 + 1]; // 1: exits; the last word: what ends beyond the ports
	struct thread *thread; // partner, or null
	struct vcpu *next; // list of all VCPUs (vcpu.c)
	struct slot page_slot; // holds a capability derived from that to the state page
	alignas(64) struct guest guest;
};

_Static_assert(sizeof(struct vcpu) == 1 << VCPU_BITS);
_Static_assert(offsetof(struct vcpu, io_bitmap) == GUEST_PAGE);

// What the tables of object kinds name of this machine's objects (PORT-1, VCPU-1). Without
// an engine there are no VCPUs (object.h, is_available).
cap_derive port_range_derive;
// A frame may be the state page of a VCPU.
cap_destroy port_range_destroy, vcpu_destroy, vcpu_frame_destroy;
object_init vcpu_init;

// A port range capability goes: the VCPU it is enabled in loses the range.
void vcpu_withdraw_ports(struct cap *range);

// The guest of this core left: reports to the monitor, unless the exit is the kernel's own
// business. Returns the outcome (guest/engine.h). The caller goes on with schedule(), but after
// GUEST_EXIT_DONE and more the current thread may go on at once, if time allows it.
uint64_t vcpu_exit(struct cpu *cpu);

// VCPURun where the VCPU is prepared on this core and nothing dirty changes that: true, and
// the guest is to be entered. False: syscall_handle() does it.
[[nodiscard]] bool vcpu_run_fast(struct cpu *cpu, struct thread *thread);

// Between the files of this object:

// The order of registers in WriteRegisters and VMEnter: eax ebx ecx edx esi edi ebp r8..r15.
extern const uint8_t vcpu_register_order[VCPU_REGISTERS];
