// SPDX-License-Identifier: BSD-2-Clause
// Host tests: virtual CPUs exist as capabilities only.
#pragma once

#include <kernel/cap.h>

struct cap vcpu_create(void *memory, unsigned size_bits, bool device);
void vcpu_destroy(struct slot *slot, bool last);
void vcpu_withdraw_ports(const struct cap *range);
