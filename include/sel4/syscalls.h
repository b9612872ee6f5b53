// SPDX-License-Identifier: BSD-2-Clause
// All system calls.
#pragma once

#include <sel4/benchmark.h>
#include <sel4/debug.h>
#include <sel4/invoke.h>
#include <sel4/ipc.h>
#include <sel4/ipc_words.h>
