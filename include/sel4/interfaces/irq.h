// SPDX-License-Identifier: BSD-2-Clause
// Operations on interrupts.
#pragma once

#include <sel4/syscalls.h>

static inline seL4_Error seL4_IRQControl_Get(seL4_IRQControl _service, seL4_Word irq,
	seL4_CNode root, seL4_Word index, seL4_Uint8 depth) {
	struct sel4_invocation call = {.label = LABEL_IRQ_CONTROL_GET,
		.caps = 1,
		.length = 3,
		.words = {irq, index, depth}};

	seL4_SetCap(0, root);
	return sel4_invoke(_service, &call);
}

static inline seL4_Error seL4_IRQControl_GetIOAPIC(seL4_IRQControl _service, seL4_CNode root,
	seL4_Word index, seL4_Uint8 depth, seL4_Word ioapic, seL4_Word pin, seL4_Word level,
	seL4_Word polarity, seL4_Word vector) {
	struct sel4_invocation call = {.label = LABEL_IRQ_CONTROL_GET_IOAPIC,
		.caps = 1,
		.length = 7,
		.words = {index, depth, ioapic, pin}};

	seL4_SetCap(0, root);
	seL4_SetMR(4, level);
	seL4_SetMR(5, polarity);
	seL4_SetMR(6, vector);
	return sel4_invoke(_service, &call);
}

static inline seL4_Error seL4_IRQControl_GetMSI(seL4_IRQControl _service, seL4_CNode root,
	seL4_Word index, seL4_Uint8 depth, seL4_Word pci_bus, seL4_Word pci_dev, seL4_Word pci_func,
	seL4_Word handle, seL4_Word vector) {
	struct sel4_invocation call = {.label = LABEL_IRQ_CONTROL_GET_MSI,
		.caps = 1,
		.length = 7,
		.words = {index, depth, pci_bus, pci_dev}};

	seL4_SetCap(0, root);
	seL4_SetMR(4, pci_func);
	seL4_SetMR(5, handle);
	seL4_SetMR(6, vector);
	return sel4_invoke(_service, &call);
}

static inline seL4_Error seL4_IRQHandler_Ack(seL4_IRQHandler _service) {
	return sel4_invoke_plain(_service, LABEL_IRQ_HANDLER_ACK);
}

static inline seL4_Error seL4_IRQHandler_SetNotification(
	seL4_IRQHandler _service, seL4_CPtr notification) {
	return sel4_invoke_cap(_service, LABEL_IRQ_HANDLER_SET_NOTIFICATION, notification);
}

static inline seL4_Error seL4_IRQHandler_Clear(seL4_IRQHandler _service) {
	return sel4_invoke_plain(_service, LABEL_IRQ_HANDLER_CLEAR);
}
