// SPDX-License-Identifier: BSD-2-Clause
// Capability rights word (OBJ-4).
#pragma once

enum {
	RIGHT_WRITE = 1 << 0,
	RIGHT_READ = 1 << 1,
	RIGHT_GRANT = 1 << 2,
	RIGHT_GRANT_REPLY = 1 << 3,
	RIGHTS_ALL = 0xf,
};
