// SPDX-License-Identifier: BSD-2-Clause
// What the tables of object kinds name of this machine's objects (semantics.md K and L, vtx.md).
#pragma once

#include <kernel/object.h>

cap_derive port_range_derive;
cap_destroy port_range_destroy, vcpu_destroy;

// Without VT-x there are none (object.h, is_available).
object_init vcpu_init;
