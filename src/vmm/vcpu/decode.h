// SPDX-License-Identifier: BSD-2-Clause
// The instruction behind a memory access: its length, operands and effect. Pure.
#pragma once

#include <abi/vcpu_state.h>

#include <stdbool.h>
#include <stdint.h>

enum code_size {
	CODE_16,
	CODE_32,
	CODE_64,
};

// The first eight are in the order of the opcode map, the bit operations in that of their group;
// the rest follow.
enum operation {
	OPERATION_ADD,
	OPERATION_OR,
	OPERATION_ADC,
	OPERATION_SBB,
	OPERATION_AND,
	OPERATION_SUB,
	OPERATION_XOR,
	OPERATION_CMP,
	OPERATION_BT,
	OPERATION_BTS,
	OPERATION_BTR,
	OPERATION_BTC,
	OPERATION_TEST,
	OPERATION_MOVE,
	OPERATION_EXCHANGE,
	OPERATION_EXCHANGE_ADD,
	OPERATION_COMPARE_EXCHANGE,
	OPERATION_INCREMENT,
	OPERATION_DECREMENT,
	OPERATION_NOT,
	OPERATION_NEGATE,
	OPERATION_FLUSH, // of a cache line: touches memory, changes nothing
	OPERATION_STATUS_WORD, // LMSW and SMSW (status_word.h)
};

enum instruction_kind {
	KIND_TO_MEMORY, // the result goes to memory
	KIND_TO_REGISTER,
	KIND_STRING_MOVE, // MOVS
	KIND_STRING_STORE, // STOS
	KIND_STRING_LOAD, // LODS
	KIND_STRING_COMPARE, // CMPS
	KIND_STRING_SCAN, // SCAS
};

enum repeat {
	REPEAT_NONE,
	REPEAT_WHILE_UNEQUAL, // F2h; the same as the other for strings that compare nothing
	REPEAT_WHILE_EQUAL, // F3h
};

enum rex_bits {
	REX_PRESENT = 0x40,
	REX_W = 1 << 3,
	REX_R = 1 << 2,
	REX_X = 1 << 1,
	REX_B = 1 << 0,
};

enum { INSTRUCTION_MAX = 15, NO_REGISTER = 0xff };

// What stands before an opcode.
struct prefixes {
	uint8_t count; // bytes
	uint8_t rex; // 0 without one that counts
	uint8_t address_size; // in bytes
	bool operand_swapped; // 66h
	bool lock;
	bool segment_given;
	enum vcpu_segment_number segment; // DS without one that counts
	enum vcpu_segment_number named_segment; // as the CPU reports it: the last, DS without
	enum repeat repeat;
};

// Of a memory operand: base + index * scale + displacement, as many bytes of it as `size` says.
struct address {
	enum vcpu_segment_number segment;
	uint8_t size;
	uint8_t base, index; // NO_REGISTER without
	uint8_t scale;
	bool rip_relative;
	uint64_t displacement;
};

struct instruction {
	enum operation operation;
	enum instruction_kind kind;
	enum repeat repeat;
	uint8_t length;
	uint8_t width; // of the memory operand, in bytes
	uint8_t register_width; // of the register operand
	uint8_t register_number;
	bool high_byte; // AH, CH, DH or BH: bits 15..8 of registers 0 to 3
	bool sign_extend;
	bool bit_offset; // the register numbers a bit that may lie outside the memory operand
	bool has_immediate; // it replaces the register as source
	bool truncated; // not understood because bytes are missing
	uint64_t immediate;
	struct address address; // strings: of the source
};

[[nodiscard]] struct prefixes prefixes_decode(
	const uint8_t *bytes, uint8_t count, enum code_size size);
// False when the bytes end too early, or the instruction has no memory operand or is not one of
// those that docs/limits.md lists.
[[nodiscard]] bool instruction_decode(
	const uint8_t *bytes, uint8_t count, enum code_size size, struct instruction *instruction);
// The offset of the memory operand in its segment; rip is that of the instruction.
[[nodiscard]] uint64_t instruction_offset(
	const struct instruction *instruction, const uint64_t registers[], uint64_t rip);

// Two operands of a width. The accumulator is that of a comparing exchange.
struct operands {
	uint64_t target, source;
	uint64_t accumulator;
	uint8_t width;
};

// The result of the operation on the operands; *flags gets the new arithmetic flags.
[[nodiscard]] uint64_t operation_compute(
	enum operation operation, const struct operands *operands, uint64_t *flags);
// Whether the operation stores its result.
[[nodiscard]] bool operation_stores(enum operation operation);
[[nodiscard]] uint64_t sign_extend(uint64_t value, uint8_t width);
// All ones in `width` bytes.
[[nodiscard]] uint64_t width_mask(uint8_t width);
