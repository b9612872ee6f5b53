// SPDX-License-Identifier: BSD-2-Clause
// The record of a guest's device accesses: memory that the recorder in the guest's monitor fills,
// and the tracer prints.
#pragma once

#include <stdint.h>

enum { TRACE_NAME = 30 };

struct trace_record {
	char device[TRACE_NAME]; // terminated
	char kind; // (r)ead, (w)rite, (i)nterrupt that a CPU takes
	uint8_t width; // bytes
	uint64_t address; // memory, port or MSR; of an interrupt its vector
	uint64_t value; // all ones if there is no such register
};

_Static_assert(sizeof(struct trace_record) == 48);

struct trace {
	uint64_t count; // accesses ever; those for which there was no room are not in `records`
	struct trace_record records[];
};
