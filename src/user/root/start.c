// SPDX-License-Identifier: BSD-2-Clause
// Start of an initial task in C: IPC buffer, allocators, then the task itself.
#include <stdarg.h>

#include <base/panic.h>

#include <user/print.h>
#include <user/root/root.h>
#include <user/slots.h>
#include <user/untyped.h>

enum {
	QEMU_EXIT_PORT = 0xf4,
	BOCHS_SHUTDOWN_PORT = 0x8900,
};

// Written once, before root_main.
seL4_IPCBuffer *__sel4_ipc_buffer;

void root_start(const seL4_BootInfo *bootinfo) {
	__sel4_ipc_buffer = bootinfo->ipcBuffer;
	slots_init(bootinfo->empty.start, bootinfo->empty.end);
	untyped_init(bootinfo);
	root_main(bootinfo);
	for (;;)
		seL4_TCB_Suspend(seL4_CapInitThreadTCB);
}

const seL4_BootInfoHeader *bootinfo_find(const seL4_BootInfo *bootinfo, seL4_Word id) {
	const char *chunk = (const char *)bootinfo + (1ul << seL4_BootInfoFrameBits);
	seL4_Word left = bootinfo->extraLen;

	while (left >= sizeof(seL4_BootInfoHeader)) {
		const seL4_BootInfoHeader *header = (const void *)chunk;

		if (header->len < sizeof(*header) || header->len > left) return NULL;
		if (header->id == id) return header;
		chunk += header->len;
		left -= header->len;
	}
	return NULL;
}

static void port_write(seL4_Word port, const char *bytes, seL4_Word count) {
	seL4_CPtr slot = slots_allocate(1);

	if (!slot ||
		seL4_X86_IOPortControl_Issue(seL4_CapIOPortControl, port, port,
			seL4_CapInitThreadCNode, slot, seL4_WordBits))
		return;
	for (seL4_Word i = 0; i < count; i++)
		seL4_X86_IOPort_Out8(slot, port, (seL4_Uint8)bytes[i]);
}

void machine_exit(seL4_Uint8 status) {
	port_write(QEMU_EXIT_PORT, (const char *)&status, 1);
	port_write(BOCHS_SHUTDOWN_PORT, "Shutdown", 8);
}

void panic(const char *format, ...) {
	va_list arguments;

	print("panic: ");
	va_start(arguments, format);
	print_list(format, arguments);
	va_end(arguments);
	print("\n");
	for (;;)
		seL4_TCB_Suspend(seL4_CapInitThreadTCB);
}
