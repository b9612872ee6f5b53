// SPDX-License-Identifier: BSD-2-Clause
// What the portable kernel needs of virtual CPUs. The table is in arch/x86_64/object/vcpu.c; like
// object_ops it is a name that points outward.
#pragma once

#include <sched/thread.h>

struct guest_hooks {
	// System call VMEnter or VCPURun (VCPU-4) of the current thread, which has a VCPU: after it
	// the thread runs or is in the guest. False: it has no state page to run by.
	bool (*enter)(struct thread *thread, uint64_t number);

	// schedule() picked thread, which is THREAD_IN_GUEST: loads its VCPU on this core and sets
	// this_cpu()->guest. Address space, FPU and DR need nothing else. False if the bound
	// notification is active: the system call returned instead.
	bool (*prepare)(struct thread *thread);

	// thread is destroyed: its VCPU, if any, forgets it.
	void (*detach)(struct thread *thread);
};

extern const struct guest_hooks guest_hooks;
