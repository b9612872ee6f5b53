// SPDX-License-Identifier: BSD-2-Clause
// Invocations: one row an operation (INV-1 to INV-14; the labels
// from 0x1000 are Nacre extensions, docs/abi-extensions.md). The kernel's decoder, the stubs
// and the tests all expand this table.
//
// Row: label number, name, handler, kind of the invoked capability, fewest message words and extra
// capabilities (below: TruncatedMessage). An operation that checks lengths later has smaller
// numbers here and the rest in its handler.
#pragma once

#define ABI_INVOCATIONS(ROW) \
	ROW(1, UNTYPED_RETYPE, untyped_retype, UNTYPED, 6, 1) \
	ROW(2, TCB_READ_REGISTERS, tcb_read_registers, TCB, 2, 0) \
	ROW(3, TCB_WRITE_REGISTERS, tcb_write_registers, TCB, 2, 0) \
	ROW(4, TCB_COPY_REGISTERS, tcb_copy_registers, TCB, 1, 1) \
	ROW(5, TCB_CONFIGURE, tcb_configure, TCB, 3, 3) \
	ROW(6, TCB_SET_PRIORITY, tcb_set_priority, TCB, 1, 1) \
	ROW(7, TCB_SET_MC_PRIORITY, tcb_set_mc_priority, TCB, 1, 1) \
	ROW(8, TCB_SET_SCHED_PARAMS, tcb_set_sched_params, TCB, 2, 3) \
	ROW(9, TCB_SET_TIMEOUT_ENDPOINT, tcb_set_timeout_endpoint, TCB, 0, 1) \
	ROW(10, TCB_SET_IPC_BUFFER, tcb_set_ipc_buffer, TCB, 1, 1) \
	ROW(11, TCB_SET_SPACE, tcb_set_space, TCB, 2, 3) \
	ROW(12, TCB_SUSPEND, tcb_suspend, TCB, 0, 0) \
	ROW(13, TCB_RESUME, tcb_resume, TCB, 0, 0) \
	ROW(14, TCB_BIND_NOTIFICATION, tcb_bind_notification, TCB, 0, 1) \
	ROW(15, TCB_UNBIND_NOTIFICATION, tcb_unbind_notification, TCB, 0, 0) \
	ROW(16, TCB_SET_TLS_BASE, tcb_set_tls_base, TCB, 1, 0) \
	ROW(17, TCB_SET_FLAGS, tcb_set_flags, TCB, 2, 0) \
	ROW(18, CNODE_REVOKE, cnode_revoke, CNODE, 2, 0) \
	ROW(19, CNODE_DELETE, cnode_delete, CNODE, 2, 0) \
	ROW(20, CNODE_CANCEL_BADGED_SENDS, cnode_cancel_badged_sends, CNODE, 2, 0) \
	ROW(21, CNODE_COPY, cnode_copy, CNODE, 2, 0) \
	ROW(22, CNODE_MINT, cnode_mint, CNODE, 2, 0) \
	ROW(23, CNODE_MOVE, cnode_move, CNODE, 2, 0) \
	ROW(24, CNODE_MUTATE, cnode_mutate, CNODE, 2, 0) \
	ROW(25, CNODE_ROTATE, cnode_rotate, CNODE, 2, 0) \
	ROW(26, IRQ_CONTROL_GET, irq_control_get, IRQ_CONTROL, 3, 1) \
	ROW(27, IRQ_HANDLER_ACK, irq_handler_ack, IRQ_HANDLER, 0, 0) \
	ROW(28, IRQ_HANDLER_SET_NOTIFICATION, irq_handler_set_notification, IRQ_HANDLER, 0, 1) \
	ROW(29, IRQ_HANDLER_CLEAR, irq_handler_clear, IRQ_HANDLER, 0, 0) \
	ROW(30, DOMAIN_SET, domain_set, DOMAIN, 1, 0) \
	ROW(31, DOMAIN_SCHEDULE_CONFIGURE, domain_schedule_configure, DOMAIN, 3, 0) \
	ROW(32, DOMAIN_SCHEDULE_SET_START, domain_schedule_set_start, DOMAIN, 1, 0) \
	ROW(33, SCHED_CONTROL_CONFIGURE_FLAGS, sched_control_configure_flags, SCHED_CONTROL, 5, 1) \
	ROW(34, SCHED_CONTEXT_BIND, sched_context_bind, SCHED_CONTEXT, 0, 1) \
	ROW(35, SCHED_CONTEXT_UNBIND, sched_context_unbind, SCHED_CONTEXT, 0, 0) \
	ROW(36, SCHED_CONTEXT_UNBIND_OBJECT, sched_context_unbind_object, SCHED_CONTEXT, 0, 1) \
	ROW(37, SCHED_CONTEXT_CONSUMED, sched_context_consumed, SCHED_CONTEXT, 0, 0) \
	ROW(38, SCHED_CONTEXT_YIELD_TO, sched_context_yield_to, SCHED_CONTEXT, 0, 0) \
	ROW(39, PDPT_MAP, table_map, PDPT, 2, 1) \
	ROW(40, PDPT_UNMAP, table_unmap, PDPT, 0, 0) \
	ROW(41, VCPU_READ_MSR, vcpu_read_msr, VCPU, 0, 0) \
	ROW(42, VCPU_WRITE_MSR, vcpu_write_msr, VCPU, 0, 0) \
	ROW(43, PAGE_DIRECTORY_MAP, table_map, PAGE_DIRECTORY, 2, 1) \
	ROW(44, PAGE_DIRECTORY_UNMAP, table_unmap, PAGE_DIRECTORY, 0, 0) \
	ROW(45, PAGE_TABLE_MAP, table_map, PAGE_TABLE, 2, 1) \
	ROW(46, PAGE_TABLE_UNMAP, table_unmap, PAGE_TABLE, 0, 0) \
	ROW(47, IO_PAGE_TABLE_MAP, io_table_map, IO_PAGE_TABLE, 1, 1) \
	ROW(48, IO_PAGE_TABLE_UNMAP, table_unmap, IO_PAGE_TABLE, 0, 0) \
	ROW(49, FRAME_MAP, frame_map, FRAME, 3, 1) \
	ROW(50, FRAME_UNMAP, frame_unmap, FRAME, 0, 0) \
	ROW(51, FRAME_MAP_IO, io_frame_map, FRAME, 2, 1) \
	ROW(52, FRAME_GET_ADDRESS, frame_get_address, FRAME, 0, 0) \
	ROW(53, FRAME_MAP_EPT, frame_map_ept, FRAME, 3, 1) \
	ROW(54, ASID_CONTROL_MAKE_POOL, asid_control_make_pool, ASID_CONTROL, 2, 2) \
	ROW(55, ASID_POOL_ASSIGN, asid_pool_assign, ASID_POOL, 0, 1) \
	ROW(56, PORT_CONTROL_ISSUE, port_control_issue, PORT_CONTROL, 4, 1) \
	ROW(57, PORT_RANGE_IN8, port_range_in8, PORT_RANGE, 1, 0) \
	ROW(58, PORT_RANGE_IN16, port_range_in16, PORT_RANGE, 1, 0) \
	ROW(59, PORT_RANGE_IN32, port_range_in32, PORT_RANGE, 1, 0) \
	ROW(60, PORT_RANGE_OUT8, port_range_out8, PORT_RANGE, 2, 0) \
	ROW(61, PORT_RANGE_OUT16, port_range_out16, PORT_RANGE, 2, 0) \
	ROW(62, PORT_RANGE_OUT32, port_range_out32, PORT_RANGE, 2, 0) \
	ROW(63, IRQ_CONTROL_GET_IOAPIC, irq_control_get_ioapic, IRQ_CONTROL, 7, 1) \
	ROW(64, IRQ_CONTROL_GET_MSI, irq_control_get_msi, IRQ_CONTROL, 7, 1) \
	ROW(65, TCB_SET_EPT_ROOT, tcb_set_ept_root, TCB, 0, 1) \
	ROW(66, VCPU_SET_TCB, vcpu_set_tcb, VCPU, 0, 1) \
	ROW(67, VCPU_READ_VMCS, vcpu_read_vmcs, VCPU, 0, 0) \
	ROW(68, VCPU_WRITE_VMCS, vcpu_write_vmcs, VCPU, 0, 0) \
	ROW(69, VCPU_ENABLE_IO_PORT, vcpu_enable_io_port, VCPU, 2, 1) \
	ROW(70, VCPU_DISABLE_IO_PORT, vcpu_disable_io_port, VCPU, 2, 0) \
	ROW(71, VCPU_WRITE_REGISTERS, vcpu_write_registers, VCPU, 15, 0) \
	ROW(72, EPT_PDPT_MAP, table_map, EPT_PDPT, 2, 1) \
	ROW(73, EPT_PDPT_UNMAP, table_unmap, EPT_PDPT, 0, 0) \
	ROW(74, EPT_PD_MAP, table_map, EPT_PD, 2, 1) \
	ROW(75, EPT_PD_UNMAP, table_unmap, EPT_PD, 0, 0) \
	ROW(76, EPT_PT_MAP, table_map, EPT_PT, 2, 1) \
	ROW(77, EPT_PT_UNMAP, table_unmap, EPT_PT, 0, 0)

#define ABI_INVOCATION_EXTENSIONS(ROW) \
	ROW(0x1000, VCPU_SET_MSR_ACCESS, vcpu_set_msr_access, VCPU, 2, 0) \
	ROW(0x1001, VCPU_SET_STATE_PAGE, vcpu_set_state_page, VCPU, 0, 0) \
	ROW(0x1002, VCPU_SAVE_STATE, vcpu_save_state, VCPU, 1, 0) \
	ROW(0x1003, IRQ_HANDLER_SET_CORE, irq_handler_set_core, IRQ_HANDLER, 1, 0)

enum invocation_label {
#define ABI_LABEL(number, name, handler, kind, words, caps) LABEL_##name = number,
	ABI_INVOCATIONS(ABI_LABEL) ABI_INVOCATION_EXTENSIONS(ABI_LABEL)
#undef ABI_LABEL
		LABEL_LAST = 77,
	LABEL_EXTENSION_FIRST = 0x1000,
	LABEL_EXTENSION_LAST = 0x1003,
};
