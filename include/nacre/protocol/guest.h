// SPDX-License-Identifier: BSD-2-Clause
// The control of a guest: memory that its monitor shares with a component, the controller, which
// commands the guest and sees its state. docs/reference/guest-control.md explains it, and
// <nacre/guest.h> has it as functions.
#pragma once

#include <abi/compiler.h>

#include <stdint.h>

// What the guest does now.
enum guest_state {
	GUEST_UNKNOWN = 0, // no monitor has written the page yet
	GUEST_RUNNING = 1,
	GUEST_PAUSED = 2, // by a command
	GUEST_RESTARTING = 3, // waits for its back-off, or for the drivers of its disks
	GUEST_OFF = 4, // it powered itself off
	GUEST_CRASHED = 5,
	GUEST_STOPPED =
		6, // by a command, by a reboot that is to stop it, or it could not be started
};

// Why it last stopped or started again.
enum guest_cause {
	GUEST_BY_BOOT = 0, // the system's: it has never stopped
	GUEST_BY_REBOOT = 1, // its own
	GUEST_BY_POWEROFF = 2, // its own
	GUEST_BY_FAULT = 3, // a triple fault, or what its monitor cannot do for it
	GUEST_BY_PANIC = 4, // that its kernel told of
	GUEST_BY_WATCHDOG = 5,
	GUEST_BY_COMMAND = 6,
	GUEST_BY_MONITOR = 7, // which could not start it
};

enum guest_command {
	GUEST_PAUSE = 1, // a running guest
	GUEST_RESUME = 2, // a paused one
	GUEST_RESET = 3, // starts it again, whatever its state
	GUEST_POWER_BUTTON = 4, // pressed, of a running or paused guest: it may power itself off
	GUEST_NMI = 5, // a running or paused guest gets a non-maskable interrupt
	GUEST_STOP = 6, // cuts the power
};

enum guest_result {
	GUEST_DONE = 0,
	GUEST_REFUSED = 1, // not possible in the state of the guest
	GUEST_NO_COMMAND = 2, // there is none of this number
};

// Zeroed memory is a page before its first use.
struct guest_control {
	// By the controller: the number of its last command, written after the command itself.
	uint32_t request;
	uint32_t command; // enum guest_command
	// By the monitor: the number of the last command that was done, written after the result.
	uint32_t answer;
	uint32_t result; // enum guest_result
	// By the monitor, in one piece.
	uint64_t status;
};

// Bits of the status: state, cause, changes of the state modulo 2^16, starts after the first one.
enum {
	GUEST_STATUS_CAUSE = 8,
	GUEST_STATUS_CHANGES = 16,
	GUEST_STATUS_RESTARTS = 32,
};

ABI_ASSERT(sizeof(struct guest_control) == 24);
