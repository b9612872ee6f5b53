// SPDX-License-Identifier: BSD-2-Clause
// What the VMM asks of the system below it: the vCPU object, the timer driver, the console channel.
// host.c speaks <microkit.h>; unit tests bring their own.
#pragma once

#include <vmm/host/vmx.h>
#include <vmm/host/x86.h>

#include <stdbool.h>
#include <stdint.h>

// Words of the exit record (VCPU-5).
enum host_exit_word {
	HOST_EXIT_RIP,
	HOST_EXIT_PRIMARY_CONTROLS,
	HOST_EXIT_ENTRY_INTERRUPTION,
	HOST_EXIT_REASON,
	HOST_EXIT_QUALIFICATION,
	HOST_EXIT_LENGTH,
	HOST_EXIT_PHYSICAL,
	HOST_EXIT_RFLAGS,
	HOST_EXIT_INTERRUPTIBILITY,
	HOST_EXIT_CR3,
	HOST_EXIT_REGISTERS, // rax rbx rcx rdx rsi rdi rbp r8..r15
};

// The order of general registers in exit records and register writes, as enum x86_register.
enum { HOST_REGISTERS = 15 };
extern const uint8_t host_register_order[HOST_REGISTERS];

enum host_channel {
	HOST_CHANNEL_CONSOLE = 0,
	HOST_CHANNEL_TIMER = 1,
	HOST_CHANNEL_PEER = 2, // the component at the guest's second serial port
	HOST_CHANNELS,
};

[[nodiscard]] uint64_t host_tsc(void);
void host_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t words[4]);

// XCR0 while the VMM runs.
[[nodiscard]] uint64_t host_xcr0(void);
// Whether XSAVEC writes AVX state where the compacted format has it; Bochs 2.7 writes it elsewhere,
// partly over the header. The VMM's vector registers are lost.
[[nodiscard]] bool host_xsave_compacts(void);

// False when there is no vCPU: the machine lacks VT-x, or the description gave none.
[[nodiscard]] bool host_has_vcpu(void);
[[nodiscard]] uint64_t host_vmcs_read(enum vmcs_field field);
void host_vmcs_write(enum vmcs_field field, uint64_t value);
[[nodiscard]] uint64_t host_state_read(uint64_t field);
void host_state_write(uint64_t field, uint64_t value);
[[nodiscard]] bool host_msr_direct(uint32_t number);
[[nodiscard]] uint64_t host_exit_word(unsigned index);
void host_registers_write(const uint64_t registers[X86_REGISTERS]);
void host_guest_run(void);
void host_guest_pause(void);

// Asks for a notification on HOST_CHANNEL_TIMER when the host's counter reaches the value.
// False when the timer driver refuses.
[[nodiscard]] bool host_timer_arm(uint64_t tsc);
// Seconds since 1970 UTC when the host's counter stood at *tsc.
[[nodiscard]] uint64_t host_wall_clock(uint64_t *tsc);
void host_console_signal(void);
void host_peer_signal(void);
