// SPDX-License-Identifier: BSD-2-Clause
// Control of a guest as functions, for the component that <control guest="NAME"/> names in the
// description (docs/reference/guest-control.md). None of them waits. The monitor notifies the
// channel whenever the state changes and whenever it has answered a command.
//
//     uint64_t guest_vaddr __attribute__((section(".data"))); // set by the description
//     static struct guest guest;
//
//     void init(void) {
//         if (guest_open(&guest, guest_vaddr, GUEST_CHANNEL)) guest_pause(&guest);
//     }
//
//     void notified(microkit_channel channel) {
//         if (channel == GUEST_CHANNEL && guest_status(&guest).state == GUEST_PAUSED) ...
//     }
#pragma once

#include <abi/compiler.h>

#include <microkit.h>

#include <nacre/protocol/guest.h>

// The usual channel of the first guest that a component controls; the next one's is one higher.
enum { GUEST_CHANNEL = 16 };

struct guest {
	struct guest_control *control;
	microkit_channel channel;
	uint32_t request; // number of the last command
};

struct guest_status {
	enum guest_state state;
	enum guest_cause cause; // of the last stop or start
	uint16_t changes; // of the state so far, modulo 2^16: none is overlooked
	uint32_t restarts; // starts after the first one, since the monitor began
};

// Begins, or goes on where a controller before this one ended. `vaddr` is the address of the page
// (guest_vaddr, guest1_vaddr, ...), `channel` leads to the monitor. False without a page.
ABI_MUST_USE static inline bool guest_open(
	struct guest *guest, uint64_t vaddr, microkit_channel channel) {
	guest->control = (struct guest_control *)vaddr;
	guest->channel = channel;
	if (!vaddr) return false;
	guest->request = __atomic_load_n(&guest->control->request, __ATOMIC_RELAXED);
	return true;
}

// Whether the monitor has done the last command; its result, if so. Without any it is GUEST_DONE.
ABI_MUST_USE static inline bool guest_answered(
	const struct guest *guest, enum guest_result *result) {
	uint32_t answer = __atomic_load_n(&guest->control->answer, __ATOMIC_ACQUIRE);

	if (answer != guest->request) return false;
	*result = (enum guest_result)__atomic_load_n(&guest->control->result, __ATOMIC_RELAXED);
	return true;
}

// Sends a command. False, and nothing is sent, while the one before has no answer: try again when
// the monitor notifies. A command that was sent is done once the monitor runs, also by a monitor
// that is restarted meanwhile (by both, if the first ends just before its answer).
ABI_MUST_USE static inline bool guest_command(struct guest *guest, enum guest_command command) {
	enum guest_result before;

	if (!guest_answered(guest, &before)) return false;
	__atomic_store_n(&guest->control->command, (uint32_t)command, __ATOMIC_RELAXED);
	__atomic_store_n(&guest->control->request, ++guest->request, __ATOMIC_RELEASE);
	microkit_notify(guest->channel);
	return true;
}

// The guest does not run, and its time stands still, until guest_resume. Refused if it does not
// run.
ABI_MUST_USE static inline bool guest_pause(struct guest *guest) {
	return guest_command(guest, GUEST_PAUSE);
}

// A paused guest goes on where it was. Refused if it is not paused.
ABI_MUST_USE static inline bool guest_resume(struct guest *guest) {
	return guest_command(guest, GUEST_RESUME);
}

// The guest starts again from its kernel, whatever its state; what was in its memory is lost. The
// restarts of its policy are counted from 0 again. Refused if the description of the guest is
// incomplete.
ABI_MUST_USE static inline bool guest_reset(struct guest *guest) {
	return guest_command(guest, GUEST_RESET);
}

// The guest sees its power button pressed, and may power itself off. Refused if it neither runs nor
// is paused.
ABI_MUST_USE static inline bool guest_press_power(struct guest *guest) {
	return guest_command(guest, GUEST_POWER_BUTTON);
}

// The guest gets a non-maskable interrupt. Refused if it neither runs nor is paused.
ABI_MUST_USE static inline bool guest_inject_nmi(struct guest *guest) {
	return guest_command(guest, GUEST_NMI);
}

// The guest stops at once, as by a power cut. Refused if it has stopped already.
ABI_MUST_USE static inline bool guest_stop(struct guest *guest) {
	return guest_command(guest, GUEST_STOP);
}

// What the guest does now, and why.
static inline struct guest_status guest_status(const struct guest *guest) {
	uint64_t word = __atomic_load_n(&guest->control->status, __ATOMIC_ACQUIRE);
	struct guest_status status;

	status.state = (enum guest_state)(word & 0xff);
	status.cause = (enum guest_cause)(word >> GUEST_STATUS_CAUSE & 0xff);
	status.changes = (uint16_t)(word >> GUEST_STATUS_CHANGES);
	status.restarts = (uint32_t)(word >> GUEST_STATUS_RESTARTS);
	return status;
}

// A word for people.
static inline const char *guest_state_name(enum guest_state state) {
	switch (state) {
	case GUEST_RUNNING: return "running";
	case GUEST_PAUSED: return "paused";
	case GUEST_RESTARTING: return "restarting";
	case GUEST_OFF: return "off";
	case GUEST_CRASHED: return "crashed";
	case GUEST_STOPPED: return "stopped";
	case GUEST_UNKNOWN: break;
	}
	return "unknown";
}

static inline const char *guest_cause_name(enum guest_cause cause) {
	switch (cause) {
	case GUEST_BY_REBOOT: return "its reboot";
	case GUEST_BY_POWEROFF: return "its power-off";
	case GUEST_BY_FAULT: return "a fault";
	case GUEST_BY_PANIC: return "a panic";
	case GUEST_BY_WATCHDOG: return "its watchdog";
	case GUEST_BY_COMMAND: return "a command";
	case GUEST_BY_MONITOR: return "its monitor";
	case GUEST_BY_BOOT: break;
	}
	return "boot";
}
