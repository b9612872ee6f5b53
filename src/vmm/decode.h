// SPDX-License-Identifier: BSD-2-Clause
// The instruction behind a memory access: its length, operands and effect. Pure.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum code_size {
	CODE_16,
	CODE_32,
	CODE_64,
};

// The first eight are in the order of the opcode map, the rest follow.
enum operation {
	OPERATION_ADD,
	OPERATION_OR,
	OPERATION_ADC,
	OPERATION_SBB,
	OPERATION_AND,
	OPERATION_SUB,
	OPERATION_XOR,
	OPERATION_CMP,
	OPERATION_TEST,
	OPERATION_MOVE,
	OPERATION_EXCHANGE,
};

enum target {
	TARGET_MEMORY,
	TARGET_REGISTER,
};

enum { INSTRUCTION_MAX = 15 };

struct instruction {
	enum operation operation;
	enum target target; // what a result goes to
	uint8_t length;
	uint8_t width; // of the memory operand, in bytes
	uint8_t register_width; // of the register operand
	uint8_t register_number;
	bool high_byte; // AH, CH, DH or BH: bits 15..8 of registers 0 to 3
	bool sign_extend;
	bool has_immediate; // it replaces the register as source
	uint64_t immediate;
};

// False when the bytes end too early or the instruction is not one of those understood: MOV,
// MOVZX, MOVSX, MOVSXD, XCHG, TEST and the eight two-operand arithmetic ones, with one memory
// operand.
[[nodiscard]] bool instruction_decode(
	const uint8_t *bytes, uint8_t count, enum code_size size, struct instruction *instruction);

// Two operands of a width.
struct operands {
	uint64_t target, source;
	uint8_t width;
};

// The result of the operation on the operands; *flags gets the new arithmetic flags.
[[nodiscard]] uint64_t operation_compute(
	enum operation operation, const struct operands *operands, uint64_t *flags);
// Whether the operation stores its result.
[[nodiscard]] bool operation_stores(enum operation operation);
[[nodiscard]] uint64_t sign_extend(uint64_t value, uint8_t width);
