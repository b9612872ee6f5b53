// SPDX-License-Identifier: BSD-2-Clause
// PCI devices that components drive: which function each one is, and what happens to it when its
// driver is stopped.
#pragma once

#include <root/system.h>

// Whether the machine has an IOMMU that the kernel uses.
[[nodiscard]] bool devices_are_confined(const struct system *system);

// Whether a unit of it does not work: which devices are behind that one, and reach all memory, is
// not known.
[[nodiscard]] bool devices_pass_a_unit(const struct system *system);

// Find the function of each described device, as the PCI component will: its grants, read by the
// same code. A domain is omitted whose device the IOMMU cannot tell apart from another's.
void devices_find(struct system *system);

// The restart group that a device is rebuilt with.
[[nodiscard]] unsigned group_of_device(const struct system *system, uint32_t index);

// The domain is stopped, and its restart group will be rebuilt, if it has one: no device of theirs
// reaches memory from now on, then each is stopped and its reset begins. Whether one does, which
// has to be left alone for PCI_RESET_TIME.
[[nodiscard]] bool devices_stop(struct system *system, uint32_t domain);

// The group's threads do not run any more: what other components of it made of their devices since
// is undone.
void devices_stop_again(struct system *system, unsigned group);

// The time has passed: the group's devices are ready for their drivers.
void devices_ready(struct system *system, unsigned group);
