// SPDX-License-Identifier: BSD-2-Clause
// VM exits: a row per reason.
#pragma once

#include <vmm/machine.h>

// Handles the exit that the processor's state page tells of. The caller settles the machine
// afterwards.
void exit_handle(struct processor *processor);
