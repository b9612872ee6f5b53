// SPDX-License-Identifier: BSD-2-Clause
// Control sequences of a terminal: what ESC [ begins.
#pragma once

#include <drivers/screen/terminal.h>

// The one that has been read, with this final byte.
void sequence_run(struct terminal *terminal, uint8_t final);

// Colours and the like: the pen as the parameters have it (ECMA-48 8.3.117).
void style_set(struct pen *pen, const uint16_t *parameters, unsigned count);

// The pen at the start.
struct pen style_plain(void);
