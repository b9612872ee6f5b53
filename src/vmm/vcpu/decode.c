// SPDX-License-Identifier: BSD-2-Clause
// Instruction decoder for device memory (SDM 2A, chapter 2; 2D, appendix A).
#include <vmm/vcpu/decode.h>

#include <vmm/vcpu/x86.h>

#include <base/compiler.h>

#include <stddef.h>

enum row_flags {
	ROW_PAIR = 1 << 0, // the even opcode has operands of a byte, the odd one of full size
	ROW_IMMEDIATE_8 = 1 << 1,
	ROW_IMMEDIATE = 1 << 2, // of the operands' size, at most 32 bits
	ROW_ARITHMETIC = 1 << 3, // ModRM.reg selects among the first eight operations
	ROW_OFFSET = 1 << 4, // absolute address instead of ModRM, register 0
	ROW_SOURCE_1 = 1 << 5, // memory operand is a byte, register of operand size
	ROW_SOURCE_2 = 1 << 6,
	ROW_SOURCE_4 = 1 << 7, // at most 4 bytes; not outside 64-bit mode
	ROW_SIGN = 1 << 8,
	ROW_BIT = 1 << 9, // the register numbers a bit
	ROW_STRING = 1 << 10, // no ModRM
	ROW_LOCK = 1 << 11, // may be locked
	// Other prefixes make the opcode another instruction.
	ROW_NO_REPEAT = 1 << 12,
	ROW_NO_66 = 1 << 13,
	ROW_66 = 1 << 14,
};

enum { ANY = 0xff };

// An opcode with any ModRM.reg or with some.
struct row {
	uint8_t opcode;
	uint8_t members; // a bit for each ModRM.reg
	uint8_t operation;
	uint8_t kind;
	uint16_t flags;
};

#define MEMBER(reg) (1 << (reg))
#define MEMORY KIND_TO_MEMORY
#define REGISTER KIND_TO_REGISTER

static const struct row one_byte_rows[] = {
	{0x63, ANY, OPERATION_MOVE, REGISTER, ROW_SOURCE_4 | ROW_SIGN},
	{0x80, ANY, OPERATION_ADD, MEMORY, ROW_PAIR | ROW_ARITHMETIC | ROW_IMMEDIATE},
	{0x83, ANY, OPERATION_ADD, MEMORY, ROW_ARITHMETIC | ROW_IMMEDIATE_8},
	{0x84, ANY, OPERATION_TEST, MEMORY, ROW_PAIR},
	{0x86, ANY, OPERATION_EXCHANGE, MEMORY, ROW_PAIR | ROW_LOCK},
	{0x88, ANY, OPERATION_MOVE, MEMORY, ROW_PAIR},
	{0x8a, ANY, OPERATION_MOVE, REGISTER, ROW_PAIR},
	{0xa0, ANY, OPERATION_MOVE, REGISTER, ROW_PAIR | ROW_OFFSET},
	{0xa2, ANY, OPERATION_MOVE, MEMORY, ROW_PAIR | ROW_OFFSET},
	{0xa4, ANY, OPERATION_MOVE, KIND_STRING_MOVE, ROW_PAIR | ROW_STRING},
	{0xa6, ANY, OPERATION_CMP, KIND_STRING_COMPARE, ROW_PAIR | ROW_STRING},
	{0xaa, ANY, OPERATION_MOVE, KIND_STRING_STORE, ROW_PAIR | ROW_STRING},
	{0xac, ANY, OPERATION_MOVE, KIND_STRING_LOAD, ROW_PAIR | ROW_STRING},
	{0xae, ANY, OPERATION_CMP, KIND_STRING_SCAN, ROW_PAIR | ROW_STRING},
	{0xc6, MEMBER(0), OPERATION_MOVE, MEMORY, ROW_PAIR | ROW_IMMEDIATE},
	{0xf6, MEMBER(0) | MEMBER(1), OPERATION_TEST, MEMORY, ROW_PAIR | ROW_IMMEDIATE},
	{0xf6, MEMBER(2), OPERATION_NOT, MEMORY, ROW_PAIR | ROW_LOCK},
	{0xf6, MEMBER(3), OPERATION_NEGATE, MEMORY, ROW_PAIR | ROW_LOCK},
	{0xfe, MEMBER(0), OPERATION_INCREMENT, MEMORY, ROW_PAIR | ROW_LOCK},
	{0xfe, MEMBER(1), OPERATION_DECREMENT, MEMORY, ROW_PAIR | ROW_LOCK},
};

static const struct row two_byte_rows[] = {
	{0x01, MEMBER(4) | MEMBER(6), OPERATION_STATUS_WORD, MEMORY, ROW_SOURCE_2},
	{0xa3, ANY, OPERATION_BT, MEMORY, ROW_BIT},
	{0xab, ANY, OPERATION_BTS, MEMORY, ROW_BIT | ROW_LOCK},
	{0xae, MEMBER(7), OPERATION_FLUSH, MEMORY, ROW_SOURCE_1 | ROW_NO_REPEAT}, // CLFLUSH(OPT)
	{0xae, MEMBER(6), OPERATION_FLUSH, MEMORY, ROW_SOURCE_1 | ROW_NO_REPEAT | ROW_66}, // CLWB
	{0xb0, ANY, OPERATION_COMPARE_EXCHANGE, MEMORY, ROW_PAIR | ROW_LOCK},
	{0xb3, ANY, OPERATION_BTR, MEMORY, ROW_BIT | ROW_LOCK},
	{0xb6, ANY, OPERATION_MOVE, REGISTER, ROW_SOURCE_1},
	{0xb7, ANY, OPERATION_MOVE, REGISTER, ROW_SOURCE_2},
	{0xba, MEMBER(4), OPERATION_BT, MEMORY, ROW_IMMEDIATE_8},
	{0xba, MEMBER(5), OPERATION_BTS, MEMORY, ROW_IMMEDIATE_8 | ROW_LOCK},
	{0xba, MEMBER(6), OPERATION_BTR, MEMORY, ROW_IMMEDIATE_8 | ROW_LOCK},
	{0xba, MEMBER(7), OPERATION_BTC, MEMORY, ROW_IMMEDIATE_8 | ROW_LOCK},
	{0xbb, ANY, OPERATION_BTC, MEMORY, ROW_BIT | ROW_LOCK},
	{0xbe, ANY, OPERATION_MOVE, REGISTER, ROW_SOURCE_1 | ROW_SIGN},
	{0xbf, ANY, OPERATION_MOVE, REGISTER, ROW_SOURCE_2 | ROW_SIGN},
	{0xc0, ANY, OPERATION_EXCHANGE_ADD, MEMORY, ROW_PAIR | ROW_LOCK},
	{0xc3, ANY, OPERATION_MOVE, MEMORY, ROW_NO_REPEAT | ROW_NO_66}, // MOVNTI
};

struct cursor {
	const uint8_t *bytes;
	uint8_t position, count;
	bool overrun; // a byte beyond the end was asked for
	bool odd_opcode;
	uint8_t operand_size;
	enum code_size code_size;
	struct prefixes prefixes;
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

static uint64_t cursor_signed(struct cursor *cursor, uint8_t width) {
	return sign_extend(cursor_value(cursor, width), width);
}

// In 64-bit mode only FS and GS are more than names.
static void take_segment(
	struct prefixes *prefixes, enum code_size size, enum vcpu_segment_number segment) {
	prefixes->named_segment = segment;
	if (size == CODE_64 && segment < VCPU_FS) return;
	prefixes->segment = segment;
	prefixes->segment_given = true;
}

// Whether the byte is a prefix. A REX prefix counts only directly before the opcode.
static bool take_prefix(struct prefixes *prefixes, enum code_size size, uint8_t byte) {
	uint8_t rex = size == CODE_64 && (byte & 0xf0) == REX_PRESENT ? byte : 0;

	if ((byte & 0xe7) == 0x26)
		take_segment(prefixes, size, (enum vcpu_segment_number)(byte >> 3 & 3));
	else if (byte == 0x64 || byte == 0x65)
		take_segment(prefixes, size, byte == 0x64 ? VCPU_FS : VCPU_GS);
	else if (byte == 0x66)
		prefixes->operand_swapped = true;
	else if (byte == 0x67)
		prefixes->address_size = size == CODE_32 ? 2 : 4;
	else if (byte == 0xf0)
		prefixes->lock = true;
	else if (byte == 0xf2 || byte == 0xf3)
		prefixes->repeat = byte == 0xf2 ? REPEAT_WHILE_UNEQUAL : REPEAT_WHILE_EQUAL;
	else if (rex == 0)
		return false;
	prefixes->rex = rex;
	return true;
}

struct prefixes prefixes_decode(const uint8_t *bytes, uint8_t count, enum code_size size) {
	static const uint8_t sizes[] = {[CODE_16] = 2, [CODE_32] = 4, [CODE_64] = 8};
	struct prefixes prefixes = {
		.segment = VCPU_DS, .named_segment = VCPU_DS, .address_size = sizes[size]};

	while (prefixes.count < count && take_prefix(&prefixes, size, bytes[prefixes.count]))
		prefixes.count++;
	return prefixes;
}

// Consumes prefixes and returns the first opcode byte.
static uint8_t skip_prefixes(struct cursor *cursor, struct address *address) {
	struct prefixes prefixes = prefixes_decode(cursor->bytes, cursor->count, cursor->code_size);
	bool word = prefixes.operand_swapped != (cursor->code_size == CODE_16);

	address->segment = prefixes.segment;
	address->size = prefixes.address_size;
	cursor->operand_size = prefixes.rex & REX_W ? 8 : word ? 2 : 4;
	cursor->position = prefixes.count;
	cursor->prefixes = prefixes;
	return cursor_next(cursor);
}

static void decode_address_16(struct cursor *cursor, struct address *address, uint8_t modrm) {
	static const uint8_t bases[] = {
		X86_RBX, X86_RBX, X86_RBP, X86_RBP, X86_RSI, X86_RDI, X86_RBP, X86_RBX};
	static const uint8_t indices[] = {X86_RSI, X86_RDI, X86_RSI, X86_RDI, NO_REGISTER,
		NO_REGISTER, NO_REGISTER, NO_REGISTER};
	uint8_t mode = modrm >> 6;
	bool absolute = mode == 0 && (modrm & 7) == 6;

	address->base = absolute ? NO_REGISTER : bases[modrm & 7];
	address->index = indices[modrm & 7];
	if (mode == 2 || absolute)
		address->displacement = cursor_signed(cursor, 2);
	else if (mode == 1)
		address->displacement = cursor_signed(cursor, 1);
}

static void decode_scaled(struct cursor *cursor, struct address *address) {
	uint8_t sib = cursor_next(cursor);
	uint8_t index = (sib >> 3 & 7) | (cursor->prefixes.rex & REX_X ? 8 : 0);

	address->base = sib & 7;
	address->index = index == X86_RSP ? NO_REGISTER : index;
	address->scale = sib >> 6;
}

static void decode_address(struct cursor *cursor, struct address *address, uint8_t modrm) {
	uint8_t mode = modrm >> 6;
	bool scaled = (modrm & 7) == 4;

	address->base = modrm & 7;
	if (scaled) decode_scaled(cursor, address);
	if (mode == 0 && address->base == 5) {
		address->base = NO_REGISTER;
		address->rip_relative = !scaled && cursor->code_size == CODE_64;
		mode = 2;
	} else {
		address->base |= cursor->prefixes.rex & REX_B ? 8 : 0;
	}
	if (mode == 2)
		address->displacement = cursor_signed(cursor, 4);
	else if (mode == 1)
		address->displacement = cursor_signed(cursor, 1);
}

static const struct row *find_row(
	uint8_t opcode, uint8_t reg, const struct row *rows, size_t count) {
	for (size_t i = 0; i < count; i++) {
		uint8_t first = rows[i].flags & ROW_PAIR ? opcode & 0xfe : opcode;

		if (rows[i].opcode == first && (rows[i].members >> reg & 1)) return &rows[i];
	}
	return NULL;
}

// Opcodes 00h to 3Bh repeat one pattern for the eight arithmetic operations. The byte after an
// opcode is the ModRM byte, if it has one.
static bool find_opcode(struct cursor *cursor, uint8_t opcode, struct row *row) {
	const struct row *found;
	bool two_bytes = opcode == 0x0f;
	uint8_t reg;

	if (two_bytes) opcode = cursor_next(cursor);
	cursor->odd_opcode = opcode & 1;
	if (!two_bytes && (opcode & 0xc4) == 0) {
		row->operation = opcode >> 3;
		row->kind = opcode & 2 ? KIND_TO_REGISTER : KIND_TO_MEMORY;
		row->flags = ROW_PAIR;
		row->flags |= opcode & 2 || row->operation == OPERATION_CMP ? 0 : ROW_LOCK;
		return true;
	}
	reg = cursor->position < cursor->count ? cursor->bytes[cursor->position] >> 3 & 7 : 0;
	found = two_bytes ? find_row(opcode, reg, two_byte_rows, array_count(two_byte_rows))
			  : find_row(opcode, reg, one_byte_rows, array_count(one_byte_rows));
	if (found) *row = *found;
	return found;
}

// What prefixes make of an opcode.
static bool row_applies(const struct cursor *cursor, const struct row *row) {
	if ((row->flags & ROW_SOURCE_4) && cursor->code_size != CODE_64) return false;
	if ((row->flags & ROW_NO_REPEAT) && cursor->prefixes.repeat != REPEAT_NONE) return false;
	if ((row->flags & ROW_66) && !cursor->prefixes.operand_swapped) return false;
	return !(row->flags & ROW_NO_66) || !cursor->prefixes.operand_swapped;
}

static uint8_t operand_width(const struct cursor *cursor, const struct row *row) {
	return (row->flags & ROW_PAIR) && !cursor->odd_opcode ? 1 : cursor->operand_size;
}

static uint8_t memory_width(const struct cursor *cursor, const struct row *row) {
	if (row->flags & ROW_SOURCE_1) return 1;
	if (row->flags & ROW_SOURCE_2) return 2;
	if ((row->flags & ROW_SOURCE_4) && cursor->operand_size > 4) return 4;
	return operand_width(cursor, row);
}

static void set_register(const struct cursor *cursor, const struct row *row, uint8_t number,
	struct instruction *instruction) {
	instruction->register_width = operand_width(cursor, row);
	instruction->register_number = number;
	if (instruction->register_width == 1 && cursor->prefixes.rex == 0 && number >= 4 &&
		number < 8) {
		instruction->high_byte = true;
		instruction->register_number = number - 4;
	}
}

// ModRM with its address; false for a register operand.
static bool decode_modrm(struct cursor *cursor, struct row *row, struct instruction *instruction) {
	struct address *address = &instruction->address;
	uint8_t modrm = cursor_next(cursor);
	uint8_t reg = modrm >> 3 & 7;
	bool stack;

	if (modrm >> 6 == 3) return false;
	if (address->size == 2)
		decode_address_16(cursor, address, modrm);
	else
		decode_address(cursor, address, modrm);
	stack = address->base == X86_RBP || address->base == X86_RSP;
	if (stack && !cursor->prefixes.segment_given) address->segment = VCPU_SS;
	if (row->flags & ROW_ARITHMETIC) {
		row->operation = reg;
		row->flags |= reg != OPERATION_CMP ? ROW_LOCK : 0;
	}
	set_register(cursor, row, reg | (cursor->prefixes.rex & REX_R ? 8 : 0), instruction);
	return true;
}

static bool decode_operands(
	struct cursor *cursor, struct row *row, struct instruction *instruction) {
	struct address *address = &instruction->address;

	address->base = NO_REGISTER;
	address->index = NO_REGISTER;
	if (row->flags & ROW_STRING) {
		address->base = X86_RSI;
		set_register(cursor, row, X86_RAX, instruction);
	} else if (row->flags & ROW_OFFSET) {
		address->displacement = cursor_value(cursor, address->size);
		set_register(cursor, row, X86_RAX, instruction);
	} else if (!decode_modrm(cursor, row, instruction)) {
		return false;
	}
	if (row->flags & (ROW_IMMEDIATE | ROW_IMMEDIATE_8)) {
		uint8_t width = row->flags & ROW_IMMEDIATE_8 ? 1 : operand_width(cursor, row);

		instruction->has_immediate = true;
		instruction->immediate = cursor_signed(cursor, width > 4 ? 4 : width);
	}
	return !cursor->prefixes.lock || (row->flags & ROW_LOCK);
}

static bool decode(struct cursor *cursor, struct instruction *instruction) {
	struct row row = {0};
	uint8_t opcode = skip_prefixes(cursor, &instruction->address);

	if (cursor->overrun || !find_opcode(cursor, opcode, &row) || !row_applies(cursor, &row))
		return false;
	if (!decode_operands(cursor, &row, instruction)) return false;
	instruction->operation = (enum operation)row.operation;
	instruction->kind = (enum instruction_kind)row.kind;
	instruction->repeat = row.flags & ROW_STRING ? cursor->prefixes.repeat : REPEAT_NONE;
	instruction->width = memory_width(cursor, &row);
	instruction->sign_extend = row.flags & ROW_SIGN;
	instruction->bit_offset = row.flags & ROW_BIT;
	return true;
}

bool instruction_decode(
	const uint8_t *bytes, uint8_t count, enum code_size size, struct instruction *instruction) {
	uint8_t limit = count < INSTRUCTION_MAX ? count : INSTRUCTION_MAX;
	struct cursor cursor = {.bytes = bytes, .count = limit, .code_size = size};
	bool understood;

	*instruction = (struct instruction){0};
	understood = decode(&cursor, instruction);
	instruction->length = cursor.position;
	instruction->truncated = cursor.overrun;
	return understood && !cursor.overrun;
}
