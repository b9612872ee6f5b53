// SPDX-License-Identifier: BSD-2-Clause
// The system below the VMM: every use of <microkit.h> is here.
#include <vmm/host/host.h>

#include <base/memory.h>
#include <microkit.h>
#include <nacre/pci_client.h>
#include <nacre/protocol/net.h>
#include <nacre/protocol/timer.h>
#include <nacre/vcpu.h>
#include <sel4/nacre.h>
#include <x86/cr.h>
#include <x86/instructions.h>

enum { RANDOM_ATTEMPTS = 10, CPUID_RDRAND = 1 << 30 };

uint64_t host_tsc(void) { return tsc_read(); }

void host_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t words[4]) {
	struct cpuid regs = cpuid(leaf, subleaf);

	memcpy(words, &regs, sizeof(regs));
}

uint64_t host_xcr0(void) {
	uint32_t low, high;

	asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (uint64_t)high << 32 | low;
}

bool host_has_random(void) { return cpuid(1, 0).ecx & CPUID_RDRAND; }

// A source that gives nothing ten times in a row has failed (SDM 1, 7.3.17.1).
static bool random_word(uint64_t *value) {
	bool given = false;

	for (unsigned i = 0; i < RANDOM_ATTEMPTS && !given; i++)
		asm volatile("rdrand %0" : "=r"(*value), "=@ccc"(given));
	return given;
}

bool host_random(void *, uint8_t *bytes, uint32_t length) {
	for (uint32_t done = 0; done < length; done += sizeof(uint64_t)) {
		uint64_t value;
		uint32_t left = length - done;

		if (!random_word(&value)) return false;
		memcpy(bytes + done, &value, left < sizeof(value) ? left : sizeof(value));
	}
	return true;
}

// An XSAVE area with AVX, in the standard or, for want of other components, the compacted format.
struct avx_area {
	uint16_t control;
	uint16_t unused[11];
	uint32_t mxcsr;
	uint32_t registers[121];
	uint64_t used;
	uint64_t header[7];
	uint8_t avx[256];
};
_Static_assert(sizeof(struct avx_area) == 832);

bool host_xsave_compacts(void) {
	static _Alignas(64) struct avx_area loaded = {.control = 0x37f, .mxcsr = 0x1f80};
	static _Alignas(64) struct avx_area stored;
	const uint32_t components = XCR0_X87 | XCR0_SSE | XCR0_AVX;
	uint32_t words[4];

	host_cpuid(0xd, 1, words);
	if ((host_xcr0() & components) != components || !(words[0] & 2)) return false;
	loaded.used = components;
	for (unsigned i = 0; i < sizeof(loaded.avx); i++)
		loaded.avx[i] = (uint8_t)(i + 1);
	asm volatile("xrstor64 %0" : : "m"(loaded), "a"(components), "d"(0));
	asm volatile("xsavec64 %0" : "=m"(stored) : "a"(components), "d"(0));
	return memcmp(loaded.avx, stored.avx, sizeof(loaded.avx)) == 0;
}

struct vcpu_state_page *host_vcpu_page(unsigned vcpu) {
	return microkit_vcpu_state(vcpu);
}

void host_vcpu_save(unsigned vcpu, uint64_t groups) { microkit_vcpu_save_state(vcpu, groups); }

bool host_msr_direct(unsigned vcpu, uint32_t number) {
	return nacre_VCPU_SetMSRAccess(BASE_VCPU_CAP + vcpu, number,
		       VCPU_MSR_READ | VCPU_MSR_WRITE) == seL4_NoError;
}

void host_guest_run(void) { microkit_vcpu_x86_on(); }

void host_guest_pause(void) { microkit_vcpu_x86_off(); }

bool host_timer_arm(uint64_t tsc) {
	microkit_msginfo answer;

	microkit_mr_set(0, tsc);
	answer = microkit_ppcall(HOST_CHANNEL_TIMER, microkit_msginfo_new(TIMER_SET, 1));
	return microkit_msginfo_get_label(answer) == TIMER_OK;
}

uint64_t host_wall_clock(uint64_t *tsc) {
	microkit_mr_set(0, 0);
	microkit_mr_set(1, 0);
	(void)microkit_ppcall(HOST_CHANNEL_TIMER, microkit_msginfo_new(TIMER_WALL_CLOCK, 0));
	*tsc = microkit_mr_get(1);
	return microkit_mr_get(0);
}

void host_signal(void *channel) { microkit_notify((microkit_channel)(uintptr_t)channel); }

uint64_t host_net_address(unsigned channel) {
	microkit_msginfo answer = microkit_ppcall(channel, microkit_msginfo_new(NET_ADDRESS, 0));

	return microkit_msginfo_get_label(answer) == NET_OK ? microkit_mr_get(0) : 0;
}

bool host_pci(enum pci_request request, uint64_t words[HOST_PCI_WORDS]) {
	return pci_ask(HOST_CHANNEL_PCI, request, words) == PCI_OK;
}

void host_message_write(uint64_t entry, unsigned channel) {
	pci_message_write((volatile uint32_t *)entry, channel);
}

void host_message_set(unsigned device, unsigned channel) {
	(void)!pci_set_msi(HOST_CHANNEL_PCI, device, channel);
}

void host_message_taken(unsigned channel) { microkit_irq_ack(channel); }
