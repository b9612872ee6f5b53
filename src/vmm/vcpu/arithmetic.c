// SPDX-License-Identifier: BSD-2-Clause
// What the decoded instruction computes: where its operand lies, results and arithmetic flags (SDM
// volume 1, 3.4.3.1).
#include <vmm/vcpu/decode.h>

#include <x86/cr.h>

uint64_t width_mask(uint8_t width) { return width == 8 ? UINT64_MAX : (1ull << 8 * width) - 1; }

uint64_t sign_extend(uint64_t value, uint8_t width) {
	unsigned shift = 64 - 8u * width;

	return (uint64_t)((int64_t)(value << shift) >> shift);
}

static uint64_t result_flags(uint64_t result, uint64_t sign) {
	uint64_t flags = result == 0 ? FLAGS_ZF : 0;

	flags |= result & sign ? FLAGS_SF : 0;
	return flags | (__builtin_parityl(result & 0xff) ? 0 : FLAGS_PF);
}

// Operands of a width, with its masks.
struct terms {
	uint64_t a, b, mask, sign;
};

static uint64_t add(const struct terms *terms, uint64_t carry, uint64_t *flags) {
	uint64_t a = terms->a, b = terms->b;
	uint64_t result = (a + b + carry) & terms->mask;
	bool carried = carry ? result <= a : result < a;

	*flags = carried ? FLAGS_CF : 0;
	*flags |= (a ^ result) & (b ^ result) & terms->sign ? FLAGS_OF : 0;
	*flags |= (a ^ b ^ result) & FLAGS_AF;
	return result;
}

static uint64_t subtract(const struct terms *terms, uint64_t borrow, uint64_t *flags) {
	uint64_t a = terms->a, b = terms->b;
	uint64_t result = (a - b - borrow) & terms->mask;
	bool borrowed = borrow ? a <= b : a < b;

	*flags = borrowed ? FLAGS_CF : 0;
	*flags |= (a ^ b) & (a ^ result) & terms->sign ? FLAGS_OF : 0;
	*flags |= (a ^ b ^ result) & FLAGS_AF;
	return result;
}

static uint64_t bit_compute(
	enum operation operation, const struct operands *operands, uint64_t *flags) {
	uint64_t bit = 1ull << (operands->source & (8u * operands->width - 1));
	uint64_t target = operands->target & width_mask(operands->width);

	*flags = (*flags & ~(uint64_t)FLAGS_CF) | (target & bit ? FLAGS_CF : 0);
	if (operation == OPERATION_BTS) return target | bit;
	if (operation == OPERATION_BTR) return target & ~bit;
	return operation == OPERATION_BTC ? target ^ bit : target;
}

bool operation_stores(enum operation operation) {
	return operation != OPERATION_CMP && operation != OPERATION_TEST &&
		operation != OPERATION_BT && operation != OPERATION_FLUSH;
}

static bool is_bit_operation(enum operation operation) {
	return operation >= OPERATION_BT && operation <= OPERATION_BTC;
}

// The operations that set all arithmetic flags. *changed gets those but zero, sign and parity.
static uint64_t arithmetic_compute(
	enum operation operation, struct terms terms, uint64_t carry, uint64_t *changed) {
	*changed = 0;
	switch ((unsigned)operation) {
	case OPERATION_ADC: return add(&terms, carry, changed);
	case OPERATION_ADD:
	case OPERATION_EXCHANGE_ADD: return add(&terms, 0, changed);
	case OPERATION_SBB: return subtract(&terms, carry, changed);
	case OPERATION_SUB:
	case OPERATION_CMP: return subtract(&terms, 0, changed);
	case OPERATION_INCREMENT: terms.b = 1; return add(&terms, 0, changed);
	case OPERATION_DECREMENT: terms.b = 1; return subtract(&terms, 0, changed);
	case OPERATION_NEGATE:
		terms.b = terms.a;
		terms.a = 0;
		return subtract(&terms, 0, changed);
	case OPERATION_OR: return terms.a | terms.b;
	case OPERATION_XOR: return terms.a ^ terms.b;
	default: return terms.a & terms.b;
	}
}

uint64_t operation_compute(
	enum operation operation, const struct operands *operands, uint64_t *flags) {
	uint64_t mask = width_mask(operands->width);
	struct terms terms = {
		operands->target & mask, operands->source & mask, mask, mask ^ mask >> 1};
	uint64_t kept = ~(uint64_t)FLAGS_ARITHMETIC;
	uint64_t changed, result;

	if (operation == OPERATION_MOVE || operation == OPERATION_EXCHANGE) return terms.b;
	if (operation == OPERATION_NOT) return ~terms.a & mask;
	if (operation == OPERATION_FLUSH) return terms.a;
	if (is_bit_operation(operation)) return bit_compute(operation, operands, flags);
	if (operation == OPERATION_INCREMENT || operation == OPERATION_DECREMENT) kept |= FLAGS_CF;
	if (operation == OPERATION_COMPARE_EXCHANGE) {
		// The flags are those of comparing the accumulator with the target.
		struct terms compared = {operands->accumulator & mask, terms.a, mask, terms.sign};

		result = subtract(&compared, 0, &changed);
	} else {
		result = arithmetic_compute(operation, terms, *flags & FLAGS_CF, &changed);
	}
	changed |= result_flags(result, terms.sign);
	*flags = (*flags & kept) | (changed & ~kept);
	if (operation != OPERATION_COMPARE_EXCHANGE) return result;
	return result == 0 ? terms.b : terms.a;
}

static uint64_t address_part(const uint64_t registers[], uint8_t number) {
	return number == NO_REGISTER ? 0 : registers[number];
}

uint64_t instruction_offset(
	const struct instruction *instruction, const uint64_t registers[], uint64_t rip) {
	const struct address *address = &instruction->address;
	uint64_t offset = address->rip_relative ? rip + instruction->length : 0;
	uint64_t bit;
	int64_t steps;

	offset += address_part(registers, address->base) + address->displacement;
	offset += address_part(registers, address->index) << address->scale;
	if (!instruction->bit_offset) return offset & width_mask(address->size);
	// The bit may lie far away, in either direction, in steps of the operand's width.
	bit = sign_extend(registers[instruction->register_number], instruction->register_width);
	steps = (int64_t)bit >> (3 + __builtin_ctz(instruction->width));
	return (offset + (uint64_t)steps * instruction->width) & width_mask(address->size);
}
