// SPDX-License-Identifier: BSD-2-Clause
// Has memory and interrupts, and does nothing with them: whatever happens there is another's doing.
#include <microkit.h>
#include <nacre/pci_client.h>

#include "tally.h"

// Patched by the composer.
uint64_t secret_size;
volatile uint8_t *secret_vaddr;
struct tally *tally_vaddr;

void init(void) {
	struct nacre_message message;

	if (pci_message_of(VICTIM_IRQ_FIRST, &message)) tally_vaddr->message = message.address;
	for (uint64_t i = 0; i < secret_size; i++)
		secret_vaddr[i] = SECRET_BYTE;
}

void notified(microkit_channel channel) {
	if (channel < VICTIM_IRQ_FIRST) return;
	tally_vaddr->interrupts++;
	microkit_irq_ack(channel);
}

microkit_msginfo protected(microkit_channel, microkit_msginfo) {
	uint32_t changed = 0;

	for (uint64_t i = 0; i < secret_size; i++)
		changed += secret_vaddr[i] != SECRET_BYTE;
	tally_vaddr->changed = changed;
	return microkit_msginfo_new(0, 0);
}
