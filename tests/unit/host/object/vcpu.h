// SPDX-License-Identifier: BSD-2-Clause
// Host tests: virtual CPUs exist as capabilities only.
#pragma once

#include <kernel/cap.h>

void vcpu_withdraw_ports(const struct cap *range);
