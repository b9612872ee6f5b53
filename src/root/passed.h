// SPDX-License-Identifier: BSD-2-Clause
// Registers of devices that guests drive themselves: the memory behind their BARs, mapped in the
// guest and in its monitor.
#pragma once

#include <root/system.h>

// Whether the description passes the device to a guest.
[[nodiscard]] bool device_is_passed(const struct system *system, uint32_t index);

// Capabilities that the storage must hold, and bytes of tables that a group takes.
[[nodiscard]] seL4_Word passed_storage(const struct system *system);
[[nodiscard]] seL4_Word passed_bytes(const struct system *system, unsigned group);

// Map the registers for the guests and monitors of a group.
[[nodiscard]] seL4_Error passed_build(struct system *system, unsigned group);
