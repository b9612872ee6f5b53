// SPDX-License-Identifier: BSD-2-Clause
// What the supervisor does to the fuzzing threads and their objects while they run.
#pragma once

// A few random operations with capabilities that only the supervisor has.
void control_disturb(void);
