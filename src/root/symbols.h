// SPDX-License-Identifier: BSD-2-Clause
// Names for code addresses of a domain, from the symbols in the image. Pure: runs in a host test.
#pragma once

#include <stdbool.h>

#include <root/image.h>

struct place {
	const char *function;
	uint64_t offset; // from the function's start
};

// The function around an address, or the last one before it in the same segment.
[[nodiscard]] bool symbols_find(
	const struct image *image, uint32_t domain, uint64_t address, struct place *place);

// Whether a call instruction ends just before the address in the domain's code: then a word with
// this value on the stack may be a return address.
[[nodiscard]] bool symbols_follow_call(
	const struct image *image, uint32_t domain, uint64_t address);
