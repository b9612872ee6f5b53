// SPDX-License-Identifier: BSD-2-Clause
// Host tests: virtual CPUs exist as capabilities only.
#pragma once

#include <cpu/registers.h>
#include <cap/object.h>

enum { GUEST_EXIT_DONE = 256, GUEST_EXIT_KERNEL };

struct guest;
struct cpu;
struct thread;
bool guest_engine_is_on(void);
unsigned vcpu_exit(struct guest *guest);
bool vcpu_run_fast(struct cpu *cpu, struct thread *thread);

void vcpu_withdraw_ports(const struct cap *range);

cap_derive port_range_derive;
cap_destroy port_range_destroy, vcpu_destroy, vcpu_frame_destroy;
object_init vcpu_init;
