// SPDX-License-Identifier: BSD-2-Clause
// The client interface of the kernel: everything of <sel4/...>.
#pragma once

#include <kernel/gen_config.h>

#include <sel4/types.h>

#include <sel4/bootinfo_types.h>
#include <sel4/constants.h>
#include <sel4/errors.h>
#include <sel4/faults.h>
#include <sel4/invocation.h>
#include <sel4/objecttype.h>
#include <sel4/vmenter.h>

#include <sel4/ipc.h>
#include <sel4/ipc_words.h>
#include <sel4/syscalls.h>

#include <sel4/interfaces/cnode.h>
#include <sel4/interfaces/debug.h>
#include <sel4/interfaces/irq.h>
#include <sel4/interfaces/port.h>
#include <sel4/interfaces/sched.h>
#include <sel4/interfaces/space.h>
#include <sel4/interfaces/tcb.h>
#include <sel4/interfaces/vcpu.h>

#include <sel4/nacre.h>
