// SPDX-License-Identifier: BSD-2-Clause
// Invents what fuzzing threads do.
#pragma once

// Fills a seat with a new script.
void script_make(unsigned index);
