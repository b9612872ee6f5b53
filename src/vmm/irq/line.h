// SPDX-License-Identifier: BSD-2-Clause
// An interrupt line: one wire from a device model to one input of an interrupt controller.
#pragma once

enum line_level {
	LINE_LOW,
	LINE_HIGH,
};

struct line {
	void (*changed)(void *controller, unsigned input, enum line_level level);
	void *controller;
	unsigned input;
	enum line_level level; // written by line_set only
};

// Reports only changes to the controller, so models may set the level as often as they like.
static inline void line_set(struct line *line, enum line_level level) {
	if (line->level == level) return;
	line->level = level;
	line->changed(line->controller, line->input, level);
}
