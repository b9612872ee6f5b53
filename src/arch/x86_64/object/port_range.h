// SPDX-License-Identifier: BSD-2-Clause
// Ranges of I/O ports: what the tables of object kinds name (semantics.md L).
#pragma once

#include <abi/error.h>
#include <kernel/cap.h>

enum error port_range_derive(const struct slot *slot, struct cap *cap);
void port_range_destroy(struct slot *slot, bool last);
