// SPDX-License-Identifier: BSD-2-Clause
// The entry of libFuzzer, which AFL++ understands, too.
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
	(void)fuzz_run(bytes, size);
	return 0;
}
