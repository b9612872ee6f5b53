// SPDX-License-Identifier: BSD-2-Clause
// A terminal's cells and cursor.
#pragma once

#include <drivers/screen/terminal.h>

// Rows from top to before bottom move by `count` up or down; those that come are empty.
void grid_scroll_up(struct terminal *terminal, unsigned top, unsigned count);
void grid_scroll_down(struct terminal *terminal, unsigned top, unsigned count);

// Cells of one row, from `first` to before `end`.
void grid_erase(struct terminal *terminal, unsigned row, unsigned first, unsigned end);
void grid_erase_rows(struct terminal *terminal, unsigned first, unsigned end);

// In the cursor's row, from the cursor on.
void grid_insert(struct terminal *terminal, unsigned count);
void grid_delete(struct terminal *terminal, unsigned count);

// To a place of the screen, cut to it.
void grid_move(struct terminal *terminal, int column, int row);

// A row down or up, at the margin by scrolling.
void grid_line_feed(struct terminal *terminal);
void grid_reverse_feed(struct terminal *terminal);

// A character at the cursor.
void grid_write(struct terminal *terminal, uint8_t code);

// The page for full-screen programs, or the main one.
void grid_choose_page(struct terminal *terminal, bool is_alternate);
