// SPDX-License-Identifier: BSD-2-Clause
// The fuzzer of virtio devices: an input is a list of what a guest's driver and a back end do.
#pragma once

#include <vmm/virtio/queue.h>

#include <stddef.h>

enum { FUZZ_RAM = 1 << 18 };

// What is left of an input; bytes behind its end are 0.
struct input {
	const uint8_t *bytes;
	size_t left;
};

uint8_t input_byte(struct input *input);
uint64_t input_number(struct input *input, unsigned bytes);

// A device with its back end. The RAM stays the same.
struct rig {
	const char *name;
	struct virtio_device *(*open)(const struct guest_memory *memory, unsigned variant);
	// Writes what begins a request that the device understands, and returns its length; or
	// null.
	uint32_t (*request)(struct input *input, uint8_t *bytes);
	// The back end does something, as the input says.
	void (*act)(struct input *input);
	// The back end does all that it was asked for, and is honest from now on.
	void (*settle)(void);
};

extern const struct rig rigs[];
extern const unsigned rig_count;

// Runs an input: its first byte chooses the device. Returns the number of operations; a device that
// does not come back from a reset, or writes outside RAM, ends the program.
unsigned fuzz_run(const uint8_t *bytes, size_t size);

// libFuzzer's name for that.
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
