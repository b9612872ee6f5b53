// SPDX-License-Identifier: BSD-2-Clause
// Virtual CPUs of tests that run none.
#include "host.h"

#include <cap/invocation.h>
#include <object/vcpu.h>
#include <sched/thread.h>

void vcpu_init(void *) {}

void vcpu_destroy(struct slot *, bool) {}

void vcpu_frame_destroy(struct slot *slot, bool last) { frame_destroy(slot, last); }

void vcpu_withdraw_ports(struct cap *range) { host.withdrawn = *range; }

bool vcpu_enter(struct thread *, uint64_t) { return true; }

bool vcpu_is_own(const struct thread *) { return true; }

bool vcpu_prepare(struct thread *) { return true; }

void vcpu_detach(struct thread *) {}

#define NO_HANDLER(name) \
	enum error name(struct invocation *) { return ERROR_ILLEGAL_OPERATION; }

NO_HANDLER(vcpu_set_tcb)
NO_HANDLER(vcpu_read_vmcs)
NO_HANDLER(vcpu_write_vmcs)
NO_HANDLER(vcpu_read_msr)
NO_HANDLER(vcpu_write_msr)
NO_HANDLER(vcpu_enable_io_port)
NO_HANDLER(vcpu_disable_io_port)
NO_HANDLER(vcpu_write_registers)
NO_HANDLER(vcpu_set_msr_access)
NO_HANDLER(vcpu_set_state_page)
NO_HANDLER(vcpu_save_state)
#undef NO_HANDLER
