// SPDX-License-Identifier: BSD-2-Clause
// VM exits: a row per reason.
#pragma once

#include <vmm/machine.h>

// Handles the exit whose record the processor's vCPU holds. The caller settles the machine
// afterwards.
void exit_handle(struct processor *processor);
