// SPDX-License-Identifier: BSD-2-Clause
// What is printed about a fault: component, kind, address, registers and call chain.
#pragma once

#include <root/system.h>

// The fault's message is in the IPC buffer; its label says the kind.
void fault_report(const struct system *system, uint32_t domain, seL4_Word label);
