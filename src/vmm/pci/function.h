// SPDX-License-Identifier: BSD-2-Clause
// A PCI function: configuration registers, base addresses, interrupts (PCI 3.0, chapter 6). What it
// does is its model's; the host bridge leads the guest's accesses here.
#pragma once

#include <vmm/bus/bus.h>
#include <vmm/irq/line.h>

#include <nacre/protocol/pci.h>
#include <pci/pci.h>

enum {
	PCI_WORDS = PCI_SPACE / 4,
	PCI_MSIX_VECTORS = 32,
	PCI_MSIX_WORDS = PCI_MSIX_VECTORS * PCI_MSIX_ENTRY / 4,
	// The pending bits stand behind the longest table.
	PCI_MSIX_PENDING_OFFSET = PCI_MSIX_VECTORS * PCI_MSIX_ENTRY,
	PCI_MSIX_BYTES = PCI_MSIX_PENDING_OFFSET + 8,
};

struct pci_host;
struct pci_function;

// A kind of device; constant.
struct pci_ops {
	// An access inside a BAR; never to the part where the MSI-X table is.
	uint64_t (*read)(void *device, unsigned bar, uint64_t offset, enum bus_width width);
	void (*write)(
		void *device, unsigned bar, uint64_t offset, enum bus_width width, uint64_t value);
	// Before a word of a capability is read; or null.
	void (*register_read)(void *device, unsigned offset);
	// After a word of a capability, or the command, was written; or null.
	void (*register_written)(void *device, unsigned offset);
};

// A base address register, and where it answers while it does.
struct pci_bar {
	struct pci_function *function;
	struct bus_window window; // of size 0: there is no such BAR
	uint8_t flags; // its read-only low bits
	bool mapped; // the window is on its bus
	bool refused; // something else answers where it is; it was logged
};

struct pci_msix {
	uint8_t capability; // offset, or 0
	uint8_t bar;
	uint8_t vectors;
	uint32_t offset; // in the BAR
	uint32_t pending; // one bit a vector
	uint32_t words[PCI_MSIX_WORDS]; // the table
};

struct pci_function {
	const struct pci_ops *ops;
	void *device;
	struct pci_host *host; // set by pci_host_add
	uint8_t slot;
	uint8_t last_capability; // offset of the one added last, or 0
	uint8_t end; // of the capabilities so far
	uint8_t msi; // offset of its capability, or 0
	bool asserted; // the device wants INTA
	struct line line;
	struct pci_msix msix;
	struct pci_bar bars[PCI_BARS];
	uint32_t places[PCI_BARS]; // of BARs after a reset, where that is no 0
	// Bits that the guest cannot write keep what they have; all others are 0 after a reset.
	uint32_t words[PCI_WORDS];
	uint32_t writable[PCI_WORDS];
};

struct pci_identity {
	uint16_t vendor, device;
	uint16_t class; // class and subclass
	uint8_t revision;
	uint16_t subsystem_vendor, subsystem;
};

// Describes a function, before the host bridge gets it: first this, which clears it.
void pci_describe(struct pci_function *function, const struct pci_identity *identity,
	const struct pci_ops *ops, void *device);
// Then BARs. The size is a power of two, of at least 4 ports or 16 bytes; one with
// PCI_BAR_IS_64_BIT takes the next number, too.
void pci_describe_bar(struct pci_function *function, unsigned number, uint8_t flags, uint64_t size);
// Then capabilities, in the order in which the guest finds them. `size` is a multiple of 4, its
// first two bytes are written here. Returns the offset.
unsigned pci_describe_capability(
	struct pci_function *function, uint8_t kind, const void *bytes, unsigned size);
// A message of its own, with a mask.
void pci_describe_msi(struct pci_function *function);
// Messages with a table in a BAR, at an offset, of PCI_MSIX_BYTES.
void pci_describe_msix(
	struct pci_function *function, unsigned bar, uint32_t offset, unsigned vectors);
// An interrupt line, INTA.
void pci_describe_line(struct pci_function *function);

// The state after RST#: nothing answers, no interrupt is wanted. A device without host, too.
void pci_function_reset(struct pci_function *function);
// Of configuration registers; the access lies inside one word.
[[nodiscard]] uint32_t pci_register_read(
	struct pci_function *function, unsigned offset, enum bus_width width);
void pci_register_write(
	struct pci_function *function, unsigned offset, enum bus_width width, uint32_t value);

// For the model.

// Sends a vector by MSI-X, or the message of MSI. Nothing without them.
void pci_message(struct pci_function *function, unsigned vector);
// Whether the guest uses messages: then the line stays low.
[[nodiscard]] bool pci_uses_messages(const struct pci_function *function);
// The level that the device wants on INTA.
void pci_interrupt(struct pci_function *function, bool asserted);
// Whether it may access memory, messages included.
[[nodiscard]] static inline bool pci_is_master(const struct pci_function *function) {
	return function->words[PCI_REGISTER_COMMAND / 4] & PCI_COMMAND_BUS_MASTER;
}

// bar.c
// What the guest reads and writes in a BAR, wherever it is; nothing outside.
[[nodiscard]] uint64_t pci_bar_read(
	struct pci_function *function, unsigned number, uint64_t offset, enum bus_width width);
void pci_bar_write(struct pci_function *function, unsigned number, uint64_t offset,
	enum bus_width width, uint64_t value);
extern const struct bus_ops pci_bar_ops;
// Brings the BARs to where registers and command say.
void pci_bars_update(struct pci_function *function);
// Tries again with those whose place was taken.
void pci_bars_map(struct pci_function *function);
void pci_bars_unmap(struct pci_function *function);

// message.c
// Part of a BAR is the MSI-X table; whether this offset is in it.
[[nodiscard]] bool pci_msix_covers(
	const struct pci_function *function, unsigned bar, uint64_t offset);
[[nodiscard]] uint64_t pci_msix_read(
	struct pci_function *function, uint64_t offset, enum bus_width width);
void pci_msix_write(
	struct pci_function *function, uint64_t offset, enum bus_width width, uint64_t value);
void pci_messages_reset(struct pci_function *function);
// Registers were written: sends what is pending and masked no longer.
void pci_messages_update(struct pci_function *function);
