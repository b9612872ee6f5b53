// SPDX-License-Identifier: BSD-2-Clause
// Guests on the host.
#pragma once

#include <guest/engine.h>

extern const struct guest_engine guest_idle;
