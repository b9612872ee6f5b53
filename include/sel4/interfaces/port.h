// SPDX-License-Identifier: BSD-2-Clause
// Operations on I/O port ranges.
#pragma once

#include <sel4/syscalls.h>

static inline seL4_Error seL4_X86_IOPortControl_Issue(seL4_X86_IOPortControl _service,
	seL4_Word first_port, seL4_Word last_port, seL4_CNode root, seL4_Word index,
	seL4_Uint8 depth) {
	struct sel4_invocation call = {.label = LABEL_PORT_CONTROL_ISSUE,
		.caps = 1,
		.length = 4,
		.words = {first_port, last_port, index, depth}};

	seL4_SetCap(0, root);
	return sel4_invoke(_service, &call);
}

// One word in, one out: the shape of all port operations.
static inline seL4_Error sel4_invoke_port(
	seL4_X86_IOPort service, seL4_Word label, seL4_Word port, seL4_Word *result) {
	struct sel4_invocation call = {.label = label, .length = 1, .words = {port}};
	seL4_Error error = sel4_invoke(service, &call);

	*result = call.words[0];
	return error;
}

typedef struct seL4_X86_IOPort_In8 {
	int error;
	seL4_Uint8 result;
} seL4_X86_IOPort_In8_t;

static inline seL4_X86_IOPort_In8_t seL4_X86_IOPort_In8(
	seL4_X86_IOPort _service, seL4_Uint16 port) {
	seL4_Word result;
	seL4_Error error = sel4_invoke_port(_service, LABEL_PORT_RANGE_IN8, port, &result);

	return (seL4_X86_IOPort_In8_t){(int)error, (seL4_Uint8)result};
}

static inline seL4_Error seL4_X86_IOPort_Out8(
	seL4_X86_IOPort _service, seL4_Word port, seL4_Word data) {
	struct sel4_invocation call = {
		.label = LABEL_PORT_RANGE_OUT8, .length = 2, .words = {port, data}};

	return sel4_invoke(_service, &call);
}

typedef struct seL4_X86_IOPort_In16 {
	int error;
	seL4_Uint16 result;
} seL4_X86_IOPort_In16_t;

static inline seL4_X86_IOPort_In16_t seL4_X86_IOPort_In16(
	seL4_X86_IOPort _service, seL4_Uint16 port) {
	seL4_Word result;
	seL4_Error error = sel4_invoke_port(_service, LABEL_PORT_RANGE_IN16, port, &result);

	return (seL4_X86_IOPort_In16_t){(int)error, (seL4_Uint16)result};
}

static inline seL4_Error seL4_X86_IOPort_Out16(
	seL4_X86_IOPort _service, seL4_Word port, seL4_Word data) {
	struct sel4_invocation call = {
		.label = LABEL_PORT_RANGE_OUT16, .length = 2, .words = {port, data}};

	return sel4_invoke(_service, &call);
}

typedef struct seL4_X86_IOPort_In32 {
	int error;
	seL4_Uint32 result;
} seL4_X86_IOPort_In32_t;

static inline seL4_X86_IOPort_In32_t seL4_X86_IOPort_In32(
	seL4_X86_IOPort _service, seL4_Uint16 port) {
	seL4_Word result;
	seL4_Error error = sel4_invoke_port(_service, LABEL_PORT_RANGE_IN32, port, &result);

	return (seL4_X86_IOPort_In32_t){(int)error, (seL4_Uint32)result};
}

static inline seL4_Error seL4_X86_IOPort_Out32(
	seL4_X86_IOPort _service, seL4_Word port, seL4_Word data) {
	struct sel4_invocation call = {
		.label = LABEL_PORT_RANGE_OUT32, .length = 2, .words = {port, data}};

	return sel4_invoke(_service, &call);
}
