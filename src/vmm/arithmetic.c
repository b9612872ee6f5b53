// SPDX-License-Identifier: BSD-2-Clause
// What the decoded instruction computes: results and arithmetic flags (SDM volume 1, 3.4.3.1).
#include <vmm/decode.h>

#include <vmm/x86.h>

static uint64_t width_mask(uint8_t width) {
	return width == 8 ? UINT64_MAX : (1ull << 8 * width) - 1;
}

static uint64_t add_flags(uint64_t a, uint64_t b, uint64_t carry, uint64_t sign) {
	uint64_t mask = sign | (sign - 1);
	uint64_t result = (a + b + carry) & mask;
	bool carried = carry ? result <= a : result < a;
	uint64_t flags = carried ? RFLAGS_CARRY : 0;
	flags |= (a ^ result) & (b ^ result) & sign ? RFLAGS_OVERFLOW : 0;
	return flags | ((a ^ b ^ result) & RFLAGS_ADJUST);
}

static uint64_t subtract_flags(uint64_t a, uint64_t b, uint64_t borrow, uint64_t sign) {
	uint64_t mask = sign | (sign - 1);
	uint64_t result = (a - b - borrow) & mask;
	bool borrowed = borrow ? a <= b : a < b;
	uint64_t flags = borrowed ? RFLAGS_CARRY : 0;
	flags |= (a ^ b) & (a ^ result) & sign ? RFLAGS_OVERFLOW : 0;
	return flags | ((a ^ b ^ result) & RFLAGS_ADJUST);
}

static uint64_t result_flags(uint64_t result, uint64_t sign) {
	uint64_t flags = result == 0 ? RFLAGS_ZERO : 0;
	flags |= result & sign ? RFLAGS_SIGN : 0;
	return flags | (__builtin_parityl(result & 0xff) ? 0 : RFLAGS_PARITY);
}

bool operation_stores(enum operation operation) {
	return operation != OPERATION_CMP && operation != OPERATION_TEST;
}

uint64_t operation_compute(
	enum operation operation, const struct operands *operands, uint64_t *flags) {
	uint64_t mask = width_mask(operands->width);
	uint64_t sign = mask ^ mask >> 1;
	uint64_t a = operands->target & mask;
	uint64_t b = operands->source & mask;
	uint64_t carry = *flags & RFLAGS_CARRY;
	uint64_t result = 0;
	uint64_t changed = 0;
	switch (operation) {
	case OPERATION_MOVE:
	case OPERATION_EXCHANGE: return b;
	case OPERATION_ADC:
		result = a + b + carry;
		changed = add_flags(a, b, carry, sign);
		break;
	case OPERATION_ADD:
		result = a + b;
		changed = add_flags(a, b, 0, sign);
		break;
	case OPERATION_SBB:
		result = a - b - carry;
		changed = subtract_flags(a, b, carry, sign);
		break;
	case OPERATION_SUB:
	case OPERATION_CMP:
		result = a - b;
		changed = subtract_flags(a, b, 0, sign);
		break;
	case OPERATION_OR: result = a | b; break;
	case OPERATION_AND:
	case OPERATION_TEST: result = a & b; break;
	case OPERATION_XOR: result = a ^ b; break;
	}
	result &= mask;
	changed |= result_flags(result, sign);
	*flags = (*flags & ~(uint64_t)RFLAGS_ARITHMETIC) | changed;
	return result;
}
