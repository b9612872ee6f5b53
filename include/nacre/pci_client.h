// SPDX-License-Identifier: BSD-2-Clause
// The PCI component's protocol as functions, for drivers. `channel` leads to the component,
// `number` names one of the client's devices.
#pragma once

#include <abi/compiler.h>

#include <microkit.h>

#include <nacre/protocol/pci.h>
#include <sel4/nacre.h>

struct pci_found {
	uint16_t function; // bus << 8 | device << 3 | function
	uint16_t vendor;
	uint16_t device;
	uint32_t class_code; // class, subclass, interface
	uint8_t interrupt_line;
	uint8_t interrupt_pin; // 1: INTA#, 0: none
};

struct pci_range {
	uint64_t address;
	uint64_t size;
	uint32_t flags; // enum pci_bar_flags
};

static inline enum pci_status pci_call(
	microkit_channel channel, enum pci_request request, seL4_Uint16 words) {
	return (enum pci_status)microkit_msginfo_get_label(
		microkit_ppcall(channel, microkit_msginfo_new(request, words)));
}

// A request with four words, which those of the answer replace.
ABI_MUST_USE static inline enum pci_status pci_ask(
	microkit_channel channel, enum pci_request request, uint64_t words[4]) {
	enum pci_status status;

	for (seL4_Uint8 i = 0; i < 4; i++)
		microkit_mr_set(i, words[i]);
	status = pci_call(channel, request, 4);
	for (seL4_Uint8 i = 0; i < 4; i++)
		words[i] = microkit_mr_get(i);
	return status;
}

ABI_MUST_USE static inline enum pci_status pci_find(
	microkit_channel channel, unsigned number, struct pci_found *found) {
	enum pci_status status;

	microkit_mr_set(0, number);
	status = pci_call(channel, PCI_DEVICE, 1);
	__builtin_memset(found, 0, sizeof(*found));
	if (status != PCI_OK) return status;
	found->function = (uint16_t)microkit_mr_get(0);
	found->vendor = (uint16_t)microkit_mr_get(1);
	found->device = (uint16_t)(microkit_mr_get(1) >> 16);
	found->class_code = (uint32_t)microkit_mr_get(2);
	found->interrupt_line = (uint8_t)microkit_mr_get(3);
	found->interrupt_pin = (uint8_t)(microkit_mr_get(3) >> 8);
	return PCI_OK;
}

ABI_MUST_USE static inline enum pci_status pci_bar(
	microkit_channel channel, unsigned number, unsigned bar, struct pci_range *range) {
	enum pci_status status;

	microkit_mr_set(0, number);
	microkit_mr_set(1, bar);
	status = pci_call(channel, PCI_BAR, 2);
	__builtin_memset(range, 0, sizeof(*range));
	if (status != PCI_OK) return status;
	range->address = microkit_mr_get(0);
	range->size = microkit_mr_get(1);
	range->flags = (uint32_t)microkit_mr_get(2);
	return PCI_OK;
}

ABI_MUST_USE static inline enum pci_status pci_enable(
	microkit_channel channel, unsigned number, unsigned what) {
	microkit_mr_set(0, number);
	microkit_mr_set(1, what);
	return pci_call(channel, PCI_ENABLE, 2);
}

// The core of each interrupt of the program, by its id, as the description says.
extern seL4_Uint8 nacre_irq_cores[64];

// What a device sends to raise the program's interrupt with this id on its core; on core 0 if the
// machine lacks that one, or no message reaches it. False if there is no such interrupt.
ABI_MUST_USE static inline bool pci_message_of(
	microkit_channel interrupt, struct nacre_message *message) {
	seL4_CPtr handler = BASE_IRQ_CAP + interrupt;

	return !nacre_IRQHandler_SetCore(handler, nacre_irq_cores[interrupt], message) ||
		!nacre_IRQHandler_SetCore(handler, 0, message);
}

// The device interrupts by MSI the core of the program's interrupt with this id; core 0 if the
// machine lacks that one, or no message reaches it. Only the kernel knows what a message has to be.
ABI_MUST_USE static inline enum pci_status pci_set_msi(
	microkit_channel channel, unsigned number, microkit_channel interrupt) {
	struct nacre_message message = {0, 0, 0};

	(void)pci_message_of(interrupt, &message);
	microkit_mr_set(0, number);
	microkit_mr_set(1, message.address);
	return pci_call(channel, PCI_SET_MSI, 2);
}

// The entry of the device's table of messages (MSI-X) becomes the message of the program's
// interrupt with this id; it stays masked if there is no such interrupt.
static inline void pci_message_write(volatile uint32_t entry[4], microkit_channel interrupt) {
	enum { MASKED = 1 };
	struct nacre_message message;

	entry[3] = MASKED;
	if (!pci_message_of(interrupt, &message)) return;
	entry[0] = (uint32_t)message.address;
	entry[1] = (uint32_t)(message.address >> 32);
	entry[2] = (uint32_t)message.data;
	entry[3] = 0;
}

ABI_MUST_USE static inline enum pci_status pci_read(microkit_channel channel, unsigned number,
	unsigned offset, unsigned width, uint32_t *value) {
	enum pci_status status;

	microkit_mr_set(0, number);
	microkit_mr_set(1, offset);
	microkit_mr_set(2, width);
	status = pci_call(channel, PCI_READ, 3);
	*value = status == PCI_OK ? (uint32_t)microkit_mr_get(0) : 0;
	return status;
}

ABI_MUST_USE static inline enum pci_status pci_write(microkit_channel channel, unsigned number,
	unsigned offset, unsigned width, uint32_t value) {
	microkit_mr_set(0, number);
	microkit_mr_set(1, offset);
	microkit_mr_set(2, width);
	microkit_mr_set(3, value);
	return pci_call(channel, PCI_WRITE, 4);
}
