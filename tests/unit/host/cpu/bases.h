// SPDX-License-Identifier: BSD-2-Clause
// Host tests: there are no bases to switch.
#pragma once

#include <cpu/context.h>

void bases_save(struct context *save);
bool bases_have_selectors(void);
void bases_load(const struct context *load);
void bases_exchange(struct context *save, const struct context *load);
void bases_save_fast(struct context *save);
void bases_load_fast(const struct context *load);
