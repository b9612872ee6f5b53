// SPDX-License-Identifier: BSD-2-Clause
// Frames in spaces.
#pragma once

#include <cap/cap.h>

// Puts a frame with all its rights into a new space and records that in the capability. Everything
// above must be mapped already.
void frame_attach(struct cap *frame, const struct cap *root, uint64_t address);
