// SPDX-License-Identifier: BSD-2-Clause
// How a driver finds its virtio device on PCI, and the registers that the description maps.
#pragma once

#include <lib/virtio/places.h>
#include <nacre/pci_open.h>
#include <virtio/virtio.h>

// Patched by the composer: where the BAR of the device's registers is, in the driver's source.
extern uint64_t registers_vaddr, registers_size;

// Finds the structures of a device of that type, those of the modern interface if it is a
// transitional one, and opens it; of `wanted` the BAR is what they say. False when it cannot be
// used; prints the reason.
[[nodiscard]] bool virtio_open(
	struct pci_wanted wanted, enum virtio_id type, struct virtio_places *places);
