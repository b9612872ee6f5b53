// SPDX-License-Identifier: BSD-2-Clause
// FS and GS base of threads, and their data selectors.
#pragma once

#include <cpu/context.h>

// Stores the loaded bases in save (null: nobody's) and loads those of load. Programs may have
// changed them with WRFSBASE, so only this function knows them while a thread runs.
void bases_switch(struct context *save, const struct context *load);

// Stores the loaded bases without a switch, so that they can be read.
void bases_save(struct context *save);
