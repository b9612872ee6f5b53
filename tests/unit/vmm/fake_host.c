// SPDX-License-Identifier: BSD-2-Clause
// The fake host.
#include "fake_host.h"

#include <string.h>

struct fake_host fake;

const uint8_t host_register_order[HOST_REGISTERS] = {
	0, 3, 1, 2, 6, 7, 5, 8, 9, 10, 11, 12, 13, 14, 15};

void fake_reset(void) {
	memset(&fake, 0, sizeof(fake));
	fake.tsc = 1000000;
	fake.secondary_allowed = UINT32_MAX;
	fake.compacted_size = 832;
}

uint64_t host_tsc(void) { return fake.tsc; }

// A CPU with everything: the masks decide.
void host_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t words[4]) {
	for (unsigned i = 0; i < 4; i++)
		words[i] = UINT32_MAX;
	if (leaf == 0) words[0] = 0x20;
	if (leaf == 0x80000000) words[0] = 0x80000021;
	if (leaf == 0xd) {
		words[0] = 256;
		words[1] = 576;
		words[2] = 0;
	}
	if (leaf == 0xd && subleaf == 1) {
		words[0] = 0x1f;
		words[1] = fake.compacted_size;
	}
}

bool host_has_vcpu(void) { return true; }

uint64_t host_vmcs_read(enum vmcs_field field) {
	fake.field_reads++;
	return fake.fields[field];
}

void host_vmcs_write(enum vmcs_field field, uint64_t value) {
	fake.field_writes++;
	if (field == VMCS_SECONDARY_CONTROLS) value &= fake.secondary_allowed;
	fake.fields[field] = value;
}

uint64_t host_state_read(uint64_t field) { return fake.states[field]; }

void host_state_write(uint64_t field, uint64_t value) { fake.states[field] = value; }

bool host_msr_direct(uint32_t number) { return number != 0; }

uint64_t host_exit_word(unsigned index) { return fake.words[index]; }

void host_registers_write(const uint64_t registers[X86_REGISTERS]) {
	fake.register_writes++;
	memcpy(fake.registers, registers, sizeof(fake.registers));
}

void host_guest_run(void) { fake.running = true; }

void host_guest_pause(void) { fake.running = false; }

bool host_timer_arm(uint64_t tsc) {
	fake.timer_calls++;
	fake.armed = tsc;
	return true;
}

uint64_t host_wall_clock(uint64_t *tsc) {
	*tsc = fake.tsc;
	return 1700000000;
}

void host_console_signal(void) { fake.console_signals++; }

void host_peer_signal(void) { fake.peer_signals++; }
