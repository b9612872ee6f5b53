// SPDX-License-Identifier: BSD-2-Clause
// What the system description says of the guest's devices and its life.
#pragma once

#include <vmm/machine.h>

void describe_devices(struct devices *devices);
void describe_life(struct machine *machine);
