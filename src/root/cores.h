// SPDX-License-Identifier: BSD-2-Clause
// Cores of the machine: where each domain runs. Its thread is where its scheduling context is.
#pragma once

#include <root/system.h>

// Find each domain's core. Where the machine lacks a core that a domain or an interrupt of it is
// for, the description says whether core 0 stands in, of which one line tells, or the domain is
// omitted.
void cores_place(struct system *system);

// The capability that configures a scheduling context for the core of a domain.
[[nodiscard]] seL4_CPtr cores_control(const struct system *system, uint32_t domain);

// The core that an interrupt comes to.
[[nodiscard]] seL4_Word cores_of_irq(const struct system *system, const struct system_irq *irq);
