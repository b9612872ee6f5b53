// SPDX-License-Identifier: BSD-2-Clause
// The guest's virtio devices as the system description gives them.
#pragma once

#include <vmm/devices.h>

void describe_devices(struct devices *devices);
