// SPDX-License-Identifier: BSD-2-Clause
// The fuzzer's entry, by the name that libFuzzer and AFL++ give it.
#pragma once

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
