// SPDX-License-Identifier: BSD-2-Clause
// Instruction decoder for device memory (SDM volume 2, chapter 2 and appendix A).
#include <vmm/decode.h>

#include <vmm/x86.h>

#include <stddef.h>

enum row_flags {
	ROW_BYTE = 1 << 0, // both operands are bytes
	ROW_TO_REGISTER = 1 << 1, // ModRM.reg is the target
	ROW_IMMEDIATE_8 = 1 << 2,
	ROW_IMMEDIATE = 1 << 3, // of operand size, at most 32 bits
	ROW_GROUP = 1 << 4, // ModRM.reg selects the arithmetic operation
	ROW_REG_ZERO = 1 << 5, // ModRM.reg must be 0 (or 1, an alias, for TEST)
	ROW_OFFSET = 1 << 6, // absolute address instead of ModRM, register 0
	ROW_SOURCE_1 = 1 << 7, // memory operand is a byte, register of operand size
	ROW_SOURCE_2 = 1 << 8,
	ROW_SOURCE_4 = 1 << 9,
	ROW_SIGN = 1 << 10,
};

struct row {
	uint8_t first, last;
	uint8_t operation;
	uint16_t flags;
};

static const struct row one_byte_rows[] = {
	{0x63, 0x63, OPERATION_MOVE, ROW_TO_REGISTER | ROW_SOURCE_4 | ROW_SIGN},
	{0x80, 0x80, OPERATION_ADD, ROW_GROUP | ROW_BYTE | ROW_IMMEDIATE_8},
	{0x81, 0x81, OPERATION_ADD, ROW_GROUP | ROW_IMMEDIATE},
	{0x83, 0x83, OPERATION_ADD, ROW_GROUP | ROW_IMMEDIATE_8},
	{0x84, 0x84, OPERATION_TEST, ROW_BYTE},
	{0x85, 0x85, OPERATION_TEST, 0},
	{0x86, 0x86, OPERATION_EXCHANGE, ROW_BYTE},
	{0x87, 0x87, OPERATION_EXCHANGE, 0},
	{0x88, 0x88, OPERATION_MOVE, ROW_BYTE},
	{0x89, 0x89, OPERATION_MOVE, 0},
	{0x8a, 0x8a, OPERATION_MOVE, ROW_BYTE | ROW_TO_REGISTER},
	{0x8b, 0x8b, OPERATION_MOVE, ROW_TO_REGISTER},
	{0xa0, 0xa0, OPERATION_MOVE, ROW_OFFSET | ROW_BYTE | ROW_TO_REGISTER},
	{0xa1, 0xa1, OPERATION_MOVE, ROW_OFFSET | ROW_TO_REGISTER},
	{0xa2, 0xa2, OPERATION_MOVE, ROW_OFFSET | ROW_BYTE},
	{0xa3, 0xa3, OPERATION_MOVE, ROW_OFFSET},
	{0xc6, 0xc6, OPERATION_MOVE, ROW_REG_ZERO | ROW_BYTE | ROW_IMMEDIATE_8},
	{0xc7, 0xc7, OPERATION_MOVE, ROW_REG_ZERO | ROW_IMMEDIATE},
	{0xf6, 0xf6, OPERATION_TEST, ROW_REG_ZERO | ROW_BYTE | ROW_IMMEDIATE_8},
	{0xf7, 0xf7, OPERATION_TEST, ROW_REG_ZERO | ROW_IMMEDIATE},
};

static const struct row two_byte_rows[] = {
	{0xb6, 0xb6, OPERATION_MOVE, ROW_TO_REGISTER | ROW_SOURCE_1},
	{0xb7, 0xb7, OPERATION_MOVE, ROW_TO_REGISTER | ROW_SOURCE_2},
	{0xbe, 0xbe, OPERATION_MOVE, ROW_TO_REGISTER | ROW_SOURCE_1 | ROW_SIGN},
	{0xbf, 0xbf, OPERATION_MOVE, ROW_TO_REGISTER | ROW_SOURCE_2 | ROW_SIGN},
};

enum rex_bits {
	REX_PRESENT = 0x40,
	REX_W = 1 << 3,
	REX_R = 1 << 2,
};

struct cursor {
	const uint8_t *bytes;
	uint8_t position, count;
	bool overrun; // a byte beyond the end was asked for
	uint8_t rex;
	uint8_t operand_size;
	uint8_t address_size;
};

static uint8_t cursor_next(struct cursor *cursor) {
	if (cursor->position >= cursor->count) {
		cursor->overrun = true;
		return 0;
	}
	return cursor->bytes[cursor->position++];
}

static uint64_t cursor_value(struct cursor *cursor, uint8_t width) {
	uint64_t value = 0;
	for (uint8_t i = 0; i < width; i++)
		value |= (uint64_t)cursor_next(cursor) << 8 * i;
	return value;
}

uint64_t sign_extend(uint64_t value, uint8_t width) {
	unsigned shift = 64 - 8u * width;
	return (uint64_t)((int64_t)(value << shift) >> shift);
}

// Consumes prefixes and returns the first opcode byte; sizes are settled afterwards.
static uint8_t decode_prefixes(struct cursor *cursor, enum code_size size) {
	uint8_t swapped = size == CODE_16 ? 4 : 2;
	cursor->operand_size = size == CODE_16 ? 2 : 4;
	cursor->address_size = size == CODE_16 ? 2 : size == CODE_32 ? 4 : 8;
	while (!cursor->overrun) {
		uint8_t byte = cursor_next(cursor);
		bool segment = (byte & 0xe7) == 0x26 || byte == 0x64 || byte == 0x65;
		bool repeat = byte == 0xf0 || byte == 0xf2 || byte == 0xf3;
		if (byte == 0x66)
			cursor->operand_size = swapped;
		else if (byte == 0x67)
			cursor->address_size = size == CODE_32 ? 2 : 4;
		else if (size == CODE_64 && (byte & 0xf0) == REX_PRESENT)
			cursor->rex = byte;
		else if (!segment && !repeat)
			return byte;
		// A REX prefix counts only directly before the opcode.
		if ((byte & 0xf0) != REX_PRESENT) cursor->rex = 0;
	}
	return 0;
}

static void skip_address_16(struct cursor *cursor, uint8_t mode, uint8_t base) {
	if (mode == 2 || (mode == 0 && base == 6))
		(void)cursor_value(cursor, 2);
	else if (mode == 1)
		(void)cursor_next(cursor);
}

// Passes over SIB and displacement: the address itself is known from the exit.
static void skip_address(struct cursor *cursor, uint8_t modrm) {
	uint8_t mode = modrm >> 6;
	uint8_t base = modrm & 7;
	if (cursor->address_size == 2) {
		skip_address_16(cursor, mode, base);
		return;
	}
	if (base == 4) base = cursor_next(cursor) & 7;
	if (mode == 2 || (mode == 0 && base == 5))
		(void)cursor_value(cursor, 4);
	else if (mode == 1)
		(void)cursor_next(cursor);
}

static bool find_row(uint8_t opcode, const struct row *rows, size_t count, struct row *found) {
	for (size_t i = 0; i < count; i++) {
		if (opcode < rows[i].first || opcode > rows[i].last) continue;
		*found = rows[i];
		return true;
	}
	return false;
}

// Opcodes 00h to 3Bh repeat one pattern for the eight arithmetic operations.
static bool find_opcode(struct cursor *cursor, uint8_t opcode, struct row *row) {
	if ((opcode & 0xc4) == 0) {
		row->operation = opcode >> 3;
		row->flags = opcode & 1 ? 0 : ROW_BYTE;
		row->flags |= opcode & 2 ? ROW_TO_REGISTER : 0;
		return true;
	}
	if (opcode != 0x0f)
		return find_row(opcode, one_byte_rows,
			sizeof(one_byte_rows) / sizeof(one_byte_rows[0]), row);
	return find_row(cursor_next(cursor), two_byte_rows,
		sizeof(two_byte_rows) / sizeof(two_byte_rows[0]), row);
}

static uint8_t memory_width(const struct row *row, uint8_t operand_size) {
	if (row->flags & (ROW_BYTE | ROW_SOURCE_1)) return 1;
	if (row->flags & ROW_SOURCE_2) return 2;
	return row->flags & ROW_SOURCE_4 ? 4 : operand_size;
}

static void set_register(struct cursor *cursor, const struct row *row, uint8_t number,
	struct instruction *instruction) {
	bool byte = row->flags & ROW_BYTE;
	instruction->register_width = byte ? 1 : cursor->operand_size;
	instruction->register_number = number;
	if (byte && cursor->rex == 0 && number >= 4 && number < 8) {
		instruction->high_byte = true;
		instruction->register_number = number - 4;
	}
}

// ModRM with its address; false for a register operand or a group member not understood.
static bool decode_modrm(struct cursor *cursor, struct row *row, struct instruction *instruction) {
	uint8_t modrm = cursor_next(cursor);
	uint8_t reg = modrm >> 3 & 7;
	if (modrm >> 6 == 3) return false;
	skip_address(cursor, modrm);
	if (row->flags & ROW_GROUP) row->operation = reg;
	bool alias = row->operation == OPERATION_TEST && reg == 1;
	if ((row->flags & ROW_REG_ZERO) && reg != 0 && !alias) return false;
	set_register(cursor, row, reg | (cursor->rex & REX_R ? 8 : 0), instruction);
	return true;
}

static void decode_immediate(
	struct cursor *cursor, const struct row *row, struct instruction *instruction) {
	if (!(row->flags & (ROW_IMMEDIATE | ROW_IMMEDIATE_8))) return;
	uint8_t full = cursor->operand_size == 8 ? 4 : cursor->operand_size;
	uint8_t width = row->flags & ROW_IMMEDIATE_8 ? 1 : full;
	instruction->has_immediate = true;
	instruction->immediate = sign_extend(cursor_value(cursor, width), width);
}

bool instruction_decode(
	const uint8_t *bytes, uint8_t count, enum code_size size, struct instruction *instruction) {
	struct cursor cursor = {.bytes = bytes, .count = count};
	struct row row = {0};
	*instruction = (struct instruction){0};
	if (cursor.count > INSTRUCTION_MAX) cursor.count = INSTRUCTION_MAX;
	uint8_t opcode = decode_prefixes(&cursor, size);
	if (cursor.overrun || !find_opcode(&cursor, opcode, &row)) return false;
	if ((row.flags & ROW_SOURCE_4) && size != CODE_64) return false; // ARPL outside 64-bit mode
	if (cursor.rex & REX_W) cursor.operand_size = 8;
	if (row.flags & ROW_OFFSET) {
		(void)cursor_value(&cursor, cursor.address_size);
		set_register(&cursor, &row, X86_RAX, instruction);
	} else if (!decode_modrm(&cursor, &row, instruction)) {
		return false;
	}
	decode_immediate(&cursor, &row, instruction);
	instruction->operation = (enum operation)row.operation;
	instruction->target = row.flags & ROW_TO_REGISTER ? TARGET_REGISTER : TARGET_MEMORY;
	instruction->width = memory_width(&row, cursor.operand_size);
	instruction->sign_extend = row.flags & ROW_SIGN;
	instruction->length = cursor.position;
	return !cursor.overrun;
}
