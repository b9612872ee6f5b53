// SPDX-License-Identifier: BSD-2-Clause
// What the portable kernel needs of virtual CPUs. The table is in arch/x86_64/object/vcpu.c; like
// object_ops it is a name that points outward.
#pragma once

#include <sched/thread.h>

struct guest_hooks {
	// System call VMEnter of the current thread, which has a VCPU (VCPU-4): after it the
	// thread runs or is in the guest.
	void (*enter)(struct thread *thread);

	// schedule() picked thread, which is THREAD_IN_GUEST: loads its VCPU on this core and sets
	// this_cpu()->guest. Address space, FPU and DR need nothing else.
	enum exit_path (*prepare)(struct thread *thread);

	// The notification bound to thread, which is THREAD_IN_GUEST, was signalled: the thread
	// leaves the guest, VMEnter returns reason 0 and the state words, the state becomes
	// THREAD_RUNNING. The badge register is the caller's.
	void (*notify)(struct thread *thread);

	// thread, which is THREAD_IN_GUEST, stops for a reason outside: it is to execute VMEnter
	// again (THREAD_RESTART), whose words in its registers become those of where the guest
	// stands.
	void (*pause)(struct thread *thread);

	// thread is destroyed: its VCPU, if any, forgets it.
	void (*detach)(struct thread *thread);
};

extern const struct guest_hooks guest_hooks;
