// SPDX-License-Identifier: BSD-2-Clause
// Makes the random scripts of fuzzing threads.
#pragma once

// Fills a script with new random steps.
void script_make(unsigned index);
