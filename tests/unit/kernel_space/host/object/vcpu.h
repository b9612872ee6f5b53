// SPDX-License-Identifier: BSD-2-Clause
// Host tests: virtual CPUs are notified that ports are withdrawn, nothing else.
#pragma once

#include <cpu/registers.h>
#include <cap/object.h>

void vcpu_withdraw_ports(struct cap *range);

cap_derive port_range_derive;
cap_destroy port_range_destroy, vcpu_destroy;
object_init vcpu_init;
