// SPDX-License-Identifier: BSD-2-Clause
// KVM's clock for guests: a record in guest memory says how the TSC becomes nanoseconds, so a guest
// calibrates nothing on a CPU of any maker (Linux, Documentation/virt/kvm/x86/msr.rst).
#pragma once

#include <vmm/host/clock.h>
#include <vmm/host/memory.h>

struct paravirtual_clock {
	const struct guest_memory *memory;
	const struct clock *clock;
	uint64_t start; // the host's counter at the guest's nanosecond 0
	uint64_t wall_seconds; // since 1970 UTC, at that moment
	uint32_t wall_nanoseconds;
	uint32_t version; // of the record, even
	uint64_t system_time; // as the guest wrote it: address and bit 0, on
};

// Nanosecond 0 is at `start`; the record is off.
void paravirtual_clock_reset(struct paravirtual_clock *clock, uint64_t start, uint64_t wall_seconds,
	uint32_t wall_nanoseconds);
// The guest wants the record there and, of the wall clock's, once. False if no memory is there.
[[nodiscard]] bool paravirtual_clock_place(struct paravirtual_clock *clock, uint64_t value);
[[nodiscard]] bool paravirtual_clock_tell_wall(struct paravirtual_clock *clock, uint64_t address);
// The guest's TSC was moved.
void paravirtual_clock_update(struct paravirtual_clock *clock);
