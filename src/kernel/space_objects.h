// SPDX-License-Identifier: BSD-2-Clause
// What the tables of object kinds (object.h) name of spaces, tables and frames.
#pragma once

#include <abi/error.h>
#include <kernel/cap.h>

// Creators, one a type number. A host space takes over the kernel's half.
struct cap space_create_host(void *memory, unsigned size_bits, bool device);
struct cap space_create_guest(void *memory, unsigned size_bits, bool device);
struct cap table_create_pdpt(void *memory, unsigned size_bits, bool device);
struct cap table_create_page_directory(void *memory, unsigned size_bits, bool device);
struct cap table_create_page_table(void *memory, unsigned size_bits, bool device);
struct cap table_create_guest_pdpt(void *memory, unsigned size_bits, bool device);
struct cap table_create_guest_page_directory(void *memory, unsigned size_bits, bool device);
struct cap table_create_guest_page_table(void *memory, unsigned size_bits, bool device);
struct cap table_create_dma(void *memory, unsigned size_bits, bool device);
struct cap frame_create(void *memory, unsigned size_bits, bool device);

enum error space_derive(const struct slot *slot, struct cap *cap);
enum error table_derive(const struct slot *slot, struct cap *cap);
enum error frame_derive(const struct slot *slot, struct cap *cap);

void space_destroy(struct slot *slot, bool last);
void table_destroy(struct slot *slot, bool last);
void frame_destroy(struct slot *slot, bool last);
