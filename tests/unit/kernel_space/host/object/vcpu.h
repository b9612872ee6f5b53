// SPDX-License-Identifier: BSD-2-Clause
// Host tests: virtual CPUs only hear that ports go.
#pragma once

#include <cpu/registers.h>
#include <kernel/cap.h>

void vcpu_withdraw_ports(struct cap *range);
