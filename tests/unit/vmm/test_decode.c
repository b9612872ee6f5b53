// SPDX-License-Identifier: BSD-2-Clause
// Unit tests of the instruction decoder and its arithmetic.
#include "../check.h"

#include <vmm/vcpu/decode.h>
#include <vmm/vcpu/x86.h>

#include <x86/cr.h>

#include <string.h>

struct vector {
	uint8_t bytes[16];
	uint8_t length; // also the number of bytes given
	enum code_size size;
	enum operation operation;
	enum instruction_kind kind;
	uint8_t width, register_width, register_number;
	bool immediate;
	uint64_t value;
};

#define C16 CODE_16
#define C32 CODE_32
#define C64 CODE_64
#define MOV OPERATION_MOVE
#define XCHG OPERATION_EXCHANGE
#define OR OPERATION_OR
#define AND OPERATION_AND
#define ADD OPERATION_ADD
#define SUB OPERATION_SUB
#define CMP OPERATION_CMP
#define XOR OPERATION_XOR
#define TEST OPERATION_TEST
#define REG KIND_TO_REGISTER
#define MEM KIND_TO_MEMORY

// clang-format off
static const struct vector vectors[] = {
	{{0x8b, 0x80, 0, 3, 0, 0}, 6, C64, MOV, REG, 4, 4, 0, 0, 0},
	{{0x89, 0x4f, 0x10}, 3, C64, MOV, MEM, 4, 4, 1, 0, 0},
	{{0x47, 0x89, 0x0c, 0x90}, 4, C64, MOV, MEM, 4, 4, 9, 0, 0},
	{{0xc7, 0x43, 0x20, 0x78, 0x56, 0x34, 0x12}, 7, C64, MOV, MEM, 4, 4, 0, 1, 0x12345678},
	{{0x48, 0xc7, 0x04, 0x24, 0xfe, 0xff, 0xff, 0xff}, 8, C64, MOV, MEM, 8, 8, 0, 1, ~1ull},
	{{0x66, 0xc7, 0x44, 0x05, 0x00, 0x34, 0x12}, 7, C64, MOV, MEM, 2, 2, 0, 1, 0x1234},
	{{0xc6, 0x04, 0x25, 0x78, 0x56, 0x34, 0x12, 0x07}, 8, C64, MOV, MEM, 1, 1, 0, 1, 7},
	{{0x40, 0x88, 0x31}, 3, C64, MOV, MEM, 1, 1, 6, 0, 0},
	{{0x4c, 0x8b, 0x3d, 0, 0, 0, 0}, 7, C64, MOV, REG, 8, 8, 15, 0, 0},
	{{0xa1, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11}, 9, C64, MOV, REG, 4, 4, 0, 0, 0},
	{{0xa2, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11}, 9, C64, MOV, MEM, 1, 1, 0, 0, 0},
	{{0x0f, 0xb6, 0x08}, 3, C64, MOV, REG, 1, 4, 1, 0, 0},
	{{0x48, 0x0f, 0xb7, 0x50, 0x04}, 5, C64, MOV, REG, 2, 8, 2, 0, 0},
	{{0x4c, 0x0f, 0xbf, 0x18}, 4, C64, MOV, REG, 2, 8, 11, 0, 0},
	{{0x48, 0x63, 0x10}, 3, C64, MOV, REG, 4, 8, 2, 0, 0},
	{{0x66, 0x63, 0x10}, 3, C64, MOV, REG, 2, 2, 2, 0, 0},
	{{0x81, 0x88, 0xf0, 0, 0, 0, 0, 1, 0, 0}, 10, C64, OR, MEM, 4, 4, 1, 1, 0x100},
	{{0x83, 0x20, 0xfb}, 3, C64, AND, MEM, 4, 4, 4, 1, ~4ull},
	{{0x80, 0x00, 0x01}, 3, C64, ADD, MEM, 1, 1, 0, 1, 1},
	{{0x01, 0x03}, 2, C64, ADD, MEM, 4, 4, 0, 0, 0},
	{{0x2b, 0x03}, 2, C64, SUB, REG, 4, 4, 0, 0, 0},
	{{0x48, 0x39, 0x08}, 3, C64, CMP, MEM, 8, 8, 1, 0, 0},
	{{0x85, 0x00}, 2, C64, TEST, MEM, 4, 4, 0, 0, 0},
	{{0xf7, 0x80, 0x20, 3, 0, 0, 0, 0, 1, 0}, 10, C64, TEST, MEM, 4, 4, 0, 1, 0x10000},
	{{0xf6, 0x00, 0x01}, 3, C64, TEST, MEM, 1, 1, 0, 1, 1},
	{{0x87, 0x00}, 2, C64, XCHG, MEM, 4, 4, 0, 0, 0},
	{{0xf0, 0x83, 0x08, 0x01}, 4, C64, OR, MEM, 4, 4, 1, 1, 1},
	{{0x64, 0x8b, 0x00}, 3, C64, MOV, REG, 4, 4, 0, 0, 0},
	{{0x67, 0x89, 0x03}, 3, C64, MOV, MEM, 4, 4, 0, 0, 0},
	{{0x66, 0x45, 0x31, 0x65, 0x7f}, 5, C64, XOR, MEM, 2, 2, 12, 0, 0},
	{{0xc7, 0x05, 0x78, 0x56, 0x34, 0x12, 1, 0, 0, 0}, 10, C32, MOV, MEM, 4, 4, 0, 1, 1},
	{{0x67, 0x66, 0x8b, 0x00}, 4, C32, MOV, REG, 2, 2, 0, 0, 0},
	{{0xa1, 0x34, 0x12}, 3, C16, MOV, REG, 2, 2, 0, 0, 0},
	{{0x66, 0x89, 0x07}, 3, C16, MOV, MEM, 4, 4, 0, 0, 0},
	{{0x8b, 0x86, 0x34, 0x12}, 4, C16, MOV, REG, 2, 2, 0, 0, 0},
};
// clang-format on

static void test_vectors(void) {
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		const struct vector *expected = &vectors[i];
		struct instruction got;
		bool ok = instruction_decode(expected->bytes, 15, expected->size, &got);

		check(ok);
		check_equal(got.length, expected->length);
		check_equal(got.operation, expected->operation);
		check_equal(got.kind, expected->kind);
		check_equal(got.width, expected->width);
		check_equal(got.register_width, expected->register_width);
		if (!expected->immediate)
			check_equal(got.register_number, expected->register_number);
		check_equal(got.has_immediate, expected->immediate);
		check_equal(got.immediate, expected->value);
		for (uint8_t part = 0; part < expected->length; part++)
			check(!instruction_decode(expected->bytes, part, expected->size, &got));
	}
}

static void test_high_bytes(void) {
	struct instruction got;
	const uint8_t dh[] = {0x88, 0x31};

	check(instruction_decode(dh, 2, CODE_64, &got));
	check(got.high_byte && got.register_number == X86_RDX);
	const uint8_t sil[] = {0x40, 0x88, 0x31};

	check(instruction_decode(sil, 3, CODE_64, &got));
	check(!got.high_byte && got.register_number == X86_RSI);
}

static void test_refused(void) {
	static const uint8_t rows[][4] = {
		{0x90},
		{0x8b, 0xc0},
		{0xc7, 0x08},
		{0x0f, 0x01},
		{0xff, 0x10},
		{0x8f, 0x00},
		{0xf0, 0x89, 0x03},
		{0xf0, 0x39, 0x03},
		{0xf0, 0xa4},
		{0x0f, 0xae, 0x30},
		{0x66, 0x0f, 0xc3, 0x03},
		{0x0f, 0xc7, 0x0b},
		{0x0f, 0x28, 0x00},
		{0xf7, 0x20},
		{0xc4, 0xe2, 0x00},
		{0x62, 0x00},
		{0x66, 0x66, 0x66, 0x66},
	};
	struct instruction got;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(!instruction_decode(rows[i], 4, CODE_64, &got));
	uint8_t prefixes[32];

	memset(prefixes, 0x66, sizeof(prefixes));
	check(!instruction_decode(prefixes, sizeof(prefixes), CODE_64, &got));
	const uint8_t arpl[] = {0x63, 0x00};

	check(!instruction_decode(arpl, 2, CODE_32, &got));
}

static void test_random_bytes(void) {
	uint32_t seed = 11;

	for (unsigned i = 0; i < 500000; i++) {
		uint8_t bytes[15];
		struct instruction got;

		for (unsigned k = 0; k < sizeof(bytes); k++) {
			seed = seed * 1664525 + 1013904223;
			bytes[k] = (uint8_t)(seed >> 24);
		}
		enum code_size size = (enum code_size)(seed % 3);

		if (!instruction_decode(bytes, sizeof(bytes), size, &got)) continue;
		bool width = got.width == 1 || got.width == 2 || got.width == 4 || got.width == 8;

		check(width && got.length <= 15 && got.register_number < 16);
	}
}

#define NATIVE(mnemonic, suffix, constraint, type) \
	static uint64_t native_##mnemonic##_##suffix(uint64_t a, uint64_t b, uint64_t *flags) { \
		type target = (type)a, source = (type)b; \
		uint64_t loaded = *flags | 2; \
		asm volatile("push %1\n\tpopf\n\t" #mnemonic " %2, %0\n\tpushf\n\tpop %1" \
			     : "+" constraint(target), "+r"(loaded) \
			     : constraint(source) \
			     : "cc"); \
		*flags = loaded & FLAGS_ARITHMETIC; \
		return target; \
	}
#define NATIVES(mnemonic) \
	NATIVE(mnemonic, 1, "q", uint8_t) \
	NATIVE(mnemonic, 2, "r", uint16_t) \
	NATIVE(mnemonic, 4, "r", uint32_t) \
	NATIVE(mnemonic, 8, "r", uint64_t)
NATIVES(add)
NATIVES(or)
NATIVES(adc)
NATIVES(sbb)
NATIVES(and)
NATIVES(sub)
NATIVES(xor)
NATIVES(cmp)
NATIVES(test)
#define ROW(mnemonic) \
	{ \
		native_##mnemonic##_1, native_##mnemonic##_2, native_##mnemonic##_4, \
			native_##mnemonic##_8 \
	}

static uint64_t (*const natives[9][4])(uint64_t, uint64_t, uint64_t *) = {
	ROW(add), ROW(or), ROW(adc), ROW(sbb), ROW(and), ROW(sub), ROW(xor), ROW(cmp), ROW(test)};

static void test_arithmetic(void) {
	uint64_t seed = 5;

	for (unsigned i = 0; i < 200000; i++) {
		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		unsigned row = i % 9;
		enum operation operation = row == 8 ? OPERATION_TEST : (enum operation)row;
		unsigned size = i / 9 % 4;
		uint64_t a = seed >> (i % 60), b = (seed * 31) >> (i % 53);
		uint64_t carry = seed >> 33 & 1;
		struct operands operands = {
			.target = a, .source = b, .width = (uint8_t)(1 << size)};
		uint64_t flags = carry, native_flags = carry;
		uint64_t result = operation_compute(operation, &operands, &flags);
		uint64_t native = natives[row][size](a, b, &native_flags);
		// Logic leaves the adjust flag undefined.
		bool logic = operation == OPERATION_OR || operation == OPERATION_AND ||
			operation == OPERATION_XOR || operation == OPERATION_TEST;
		uint64_t compared = logic ? ~(uint64_t)FLAGS_AF : ~0ull;

		check_equal(flags & compared, native_flags & compared);
		if (operation_stores(operation)) check_equal(result, native);
	}
}

int main(void) {
	static const struct test tests[] = {
		{"decode.vectors", "instructions decode as the assembler made them", test_vectors},
		{"decode.high_bytes", "AH to BH are distinguished from SPL to DIL",
			test_high_bytes},
		{"decode.refused", "other instructions are refused", test_refused},
		{"decode.random", "random bytes never break the decoder", test_random_bytes},
		{"arithmetic.native", "results and flags agree with this CPU's", test_arithmetic},
	};

	return check_run(tests, sizeof(tests) / sizeof(tests[0]));
}
