// SPDX-License-Identifier: BSD-2-Clause
// Host tests: virtual CPUs exist as capabilities only.
#pragma once

#include <cpu/registers.h>
#include <cap/object.h>

enum { GUEST_EXIT_KERNEL = 256, GUEST_EXIT_DONE = 512 };

struct guest;
struct cpu;
struct thread;
bool guest_engine_is_on(void);
uint64_t vcpu_exit(struct cpu *cpu);
bool vcpu_run_fast(struct cpu *cpu, struct thread *thread);

void vcpu_withdraw_ports(struct cap *range);

cap_derive port_range_derive;
cap_destroy port_range_destroy, vcpu_destroy, vcpu_frame_destroy;
object_init vcpu_init;
