// SPDX-License-Identifier: BSD-2-Clause
// Channels, interrupts and children: the capabilities of a protection domain, by id.
#include <user/microkit/internal.h>

// Initialised data of value 0, so that the ELF holds bytes for the composer to patch.
#define PATCHED __attribute__((section(".data")))

bool microkit_passive PATCHED;
seL4_Word microkit_irqs PATCHED;
seL4_Word microkit_notifications PATCHED;
seL4_Word microkit_pps PATCHED;
seL4_Word microkit_ioports PATCHED;
seL4_Uint8 nacre_irq_cores[64] PATCHED; // include/nacre/pci_client.h

seL4_Bool microkit_have_signal;
seL4_CPtr microkit_signal_cap;
seL4_MessageInfo_t microkit_signal_msg;

void signal_flush(void) {
	if (!microkit_have_signal) return;
	microkit_have_signal = seL4_False;
	seL4_Send(microkit_signal_cap, microkit_signal_msg);
}

void signal_defer(seL4_CPtr cap, microkit_msginfo message) {
	signal_flush();
	microkit_signal_cap = cap;
	microkit_signal_msg = message;
	microkit_have_signal = seL4_True;
}

void microkit_notify(microkit_channel ch) {
	if (check_id(microkit_notifications, ch, __func__, "channel"))
		seL4_Signal(BASE_OUTPUT_NOTIFICATION_CAP + ch);
}

void microkit_deferred_notify(microkit_channel ch) {
	if (check_id(microkit_notifications, ch, __func__, "channel"))
		signal_defer(BASE_OUTPUT_NOTIFICATION_CAP + ch, microkit_msginfo_new(0, 0));
}

void microkit_irq_ack(microkit_channel ch) {
	if (check_id(microkit_irqs, ch, __func__, "interrupt"))
		seL4_IRQHandler_Ack(BASE_IRQ_CAP + ch);
}

void microkit_deferred_irq_ack(microkit_channel ch) {
	if (check_id(microkit_irqs, ch, __func__, "interrupt"))
		signal_defer(BASE_IRQ_CAP + ch, microkit_msginfo_new(IRQAckIRQ, 0));
}

microkit_msginfo microkit_ppcall(microkit_channel ch, microkit_msginfo msginfo) {
	if (!check_id(microkit_pps, ch, __func__, "channel")) return (microkit_msginfo){{0}};
	return seL4_Call(BASE_ENDPOINT_CAP + ch, msginfo);
}

void microkit_pd_restart(microkit_child pd, seL4_Word entry_point) {
	seL4_UserContext context = {.rip = entry_point};
	seL4_Error error = seL4_TCB_WriteRegisters(BASE_TCB_CAP + pd, seL4_True, 0, 1, &context);

	if (error) crash_in(__func__, error);
}

void microkit_pd_stop(microkit_child pd) {
	seL4_Error error = seL4_TCB_Suspend(BASE_TCB_CAP + pd);

	if (error) crash_in(__func__, error);
}

void microkit_pd_resume(microkit_child pd) {
	seL4_Error error = seL4_TCB_Resume(BASE_TCB_CAP + pd);

	if (error) crash_in(__func__, error);
}
