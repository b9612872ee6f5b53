// SPDX-License-Identifier: BSD-2-Clause
// Tables: the inner nodes of page tables of every format. A table is empty whenever it is put into
// a space (unmapping clears it), so entries never come back whose frames have gone.
#include <memory/page_table.h>

#include <base/memory.h>
#include <memory/mapping.h>

// Level of the table in which a table is named.
static unsigned table_parent_level(const struct cap *table) { return table->map.level + 1u; }

// Takes the table out of its space, if it is in one and that still has it.
static void table_detach(struct cap *cap) {
	const struct paging_format *paging = paging_formats[cap->map.format];
	unsigned level = table_parent_level(cap);
	struct mapping mapping = mapping_of(cap, level);

	cap->map.mapped = 0;
	cap->map.asid = 0;
	cap->map.page = 0;
	if (!mapping.entry || !paging_is_table(*mapping.entry, level) ||
		physical_pointer(paging_target(*mapping.entry, 1)) != cap_object(cap))
		return;
	*mapping.entry = 0;
	paging->invalidate(space_physical(mapping.root), mapping.asid);
}

void table_attach(struct cap *table, const struct cap *root, uint64_t address) {
	unsigned level = table_parent_level(table);
	uint64_t *entry = paging_walk(cap_object(root), address, level).entry;

	*entry = paging_table_entry(
		paging_formats[root->map.format], physical_of(cap_object(table)), 0);
	table->word = mapping_place(root, address, table->map.level);
}

// Some tables may name a root that never had an ASID, and then get the error of an ASID that is
// gone (MEM-22).
static bool table_may_name(
	const struct cap *table, const struct paging_format *paging, const struct cap *root) {
	return root->type == CAP_SPACE && root->map.format == table->map.format &&
		(root->map.asid != ASID_NONE || paging->late_asid >> table->map.level & 1);
}

enum error table_map(struct invocation *invocation) {
	struct cap *table = &invocation->slot->cap;
	const struct cap *root = &invocation->caps[0]->cap;
	const struct paging_format *paging = paging_formats[table->map.format];
	unsigned level = table_parent_level(table);
	uint64_t address = align_down(invocation_word(invocation, 0), paging_span(level));
	uint64_t *entry;
	enum error error;

	if (table->map.mapped) return error_capability(invocation, 0);
	if (!table_may_name(table, paging, root)) return error_capability(invocation, 1);
	if (address > paging->limit) return error_argument(invocation, 0);
	entry = mapping_find(invocation, address, level, &error);
	if (!entry) return error;
	if (!paging_is_free(*entry)) return ERROR_DELETE_FIRST;

	*entry = paging_table_entry(
		paging, physical_of(cap_object(table)), invocation_word(invocation, 1));
	table->word = mapping_place(root, address, table->map.level);
	return ERROR_NONE;
}

enum error table_unmap(struct invocation *invocation) {
	struct slot *slot = invocation->slot;

	if (!derive_is_last(slot)) return ERROR_REVOKE_FIRST;
	if (slot->cap.map.mapped) {
		table_detach(&slot->cap);
		memory_clear(cap_object(&slot->cap), 1 << TABLE_BITS);
	}
	return ERROR_NONE;
}

void table_destroy(struct slot *slot, bool last) {
	if (last && slot->cap.map.mapped) table_detach(&slot->cap);
}
