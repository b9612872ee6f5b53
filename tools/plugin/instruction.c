// SPDX-License-Identifier: BSD-2-Clause
// Distinguishes conditional branches, reads of the time stamp counter, PAUSE and locked
// instructions from others (SDM volume 2, appendix A).
#include "instruction.h"
#include <string.h>

enum {
	ESCAPE = 0x0f,
	TIME_STAMP = 0x31, // after ESCAPE: RDTSC
	GROUP_7 = 0x01, // after ESCAPE; with TIME_STAMP_FENCED: RDTSCP
	TIME_STAMP_FENCED = 0xf9,
	BRANCH_NEAR = 0x80, // after ESCAPE: Jcc with 32 bits of distance, a row of 16
	BRANCH_SHORT = 0x70, // Jcc with 8 bits of distance, a row of 16
	LOOP = 0xe0, // LOOPNE, LOOPE, LOOP, JRCXZ
	ROW_MASK = 0xf0,
	LOOP_MASK = 0xfc,
	NOP = 0x90, // behind REPEAT: PAUSE
	REPEAT = 0xf3,
	LOCK = 0xf0,
	EXCHANGE = 0x86, // and the next: XCHG, which locks memory without a prefix (SDM 3A 9.1.2.1)
	MODE_SHIFT = 6, // of the byte behind it
	MODE_REGISTER = 3,
	REX = 0x40,
};

static int is_prefix(uint8_t byte) {
	static const uint8_t prefixes[] = {
		0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3};

	return (byte & ROW_MASK) == REX || memchr(prefixes, byte, sizeof(prefixes));
}

static enum instruction_kind escaped_kind(const uint8_t *bytes, size_t size) {
	if (size < 1) return KIND_OTHER;
	if ((bytes[0] & ROW_MASK) == BRANCH_NEAR) return KIND_CONDITIONAL_BRANCH;
	if (bytes[0] == TIME_STAMP) return KIND_TIME_STAMP;
	if (size >= 2 && bytes[0] == GROUP_7 && bytes[1] == TIME_STAMP_FENCED)
		return KIND_TIME_STAMP;
	return KIND_OTHER;
}

enum instruction_kind instruction_kind(const uint8_t *bytes, size_t size) {
	_Bool repeats = 0;

	for (; size > 0 && is_prefix(*bytes); bytes++, size--) {
		if (*bytes == LOCK) return KIND_LOCKED;
		repeats |= *bytes == REPEAT;
	}
	if (size == 0) return KIND_OTHER;
	if (repeats && *bytes == NOP) return KIND_PAUSE;
	if ((*bytes | 1) == (EXCHANGE | 1) && size > 1 && bytes[1] >> MODE_SHIFT != MODE_REGISTER)
		return KIND_LOCKED;
	if (*bytes == ESCAPE) return escaped_kind(bytes + 1, size - 1);
	if ((*bytes & ROW_MASK) == BRANCH_SHORT || (*bytes & LOOP_MASK) == LOOP)
		return KIND_CONDITIONAL_BRANCH;
	return KIND_OTHER;
}
