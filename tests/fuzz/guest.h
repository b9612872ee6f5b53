// SPDX-License-Identifier: BSD-2-Clause
// Virtual CPUs for fuzzing threads, on machines that have VT-x.
#pragma once

enum { GUESTS = 2 };

// Gives thread n a virtual CPU that can be entered: it executes whatever lies in the arena.
void guest_prepare(unsigned n);
