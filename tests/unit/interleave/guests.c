// SPDX-License-Identifier: BSD-2-Clause
// No guests run here.
#include <object/vcpu.h>

uint64_t vcpu_exit(struct cpu *) { return GUEST_EXIT_DONE; }

bool vcpu_run_fast(struct cpu *, struct thread *) { return false; }
