// SPDX-License-Identifier: BSD-2-Clause
// The interface of a protection domain: entry points it supplies, functions it may call, and the
// places of its capabilities. Names and meanings are Microkit's, for x86-64.
#pragma once

#include <stdbool.h>

#include <sel4/sel4.h>

typedef unsigned int microkit_channel;
typedef unsigned int microkit_child;
typedef unsigned int microkit_ioport;
typedef seL4_MessageInfo_t microkit_msginfo;

#define MICROKIT_MAX_CHANNELS 62
#define MICROKIT_MAX_CHANNEL_ID (MICROKIT_MAX_CHANNELS - 1)
#define MICROKIT_MAX_IOPORT_ID MICROKIT_MAX_CHANNELS
#define MICROKIT_MAX_USER_CAPS 128
#define MICROKIT_PD_NAME_LENGTH 64

// Capability addresses: slots of the main CNode, which is in slot 0 of the root CNode.
#define PD_ROOT_CAP_BITS 6
#define PD_ROOT_CAP_SIZE 64
#define INPUT_CAP 1
#define FAULT_EP_CAP 2
#define VSPACE_CAP 3
#define REPLY_CAP 4
#define MONITOR_EP 5
#define TCB_CAP 6
#define ARM_SMC_CAP 7
#define BASE_OUTPUT_NOTIFICATION_CAP 10
#define BASE_ENDPOINT_CAP 74
#define BASE_IRQ_CAP 138
#define BASE_TCB_CAP 202
#define BASE_VM_TCB_CAP 266
#define BASE_VCPU_CAP 330
#define BASE_IOPORT_CAP 394
#define BASE_USER_CAPS 458

// Fields of the virtual CPU that the library keeps and passes with each VM entry.
#define MICROKIT_VMX_GUEST_RIP 0x681E
#define MICROKIT_VMX_CONTROL_PRIMARY_PROCESSOR_CONTROLS 0x4002
#define MICROKIT_VMX_CONTROL_ENTRY_INTERRUPTION_INFO 0x4016

struct microkit_x86_vcpu_state {
	seL4_Bool is_on;
	seL4_Word rip;
	seL4_Word prim_proc_ctl;
	seL4_Word irq_info;
};

SEL4_C_BEGIN

// Patched by the system composer.
extern char microkit_name[MICROKIT_PD_NAME_LENGTH];
extern bool microkit_passive;
extern seL4_Word microkit_irqs;
extern seL4_Word microkit_notifications;
extern seL4_Word microkit_pps;
extern seL4_Word microkit_ioports;

// The one deferred operation; run after the entry point returns.
extern seL4_Bool microkit_have_signal;
extern seL4_CPtr microkit_signal_cap;
extern seL4_MessageInfo_t microkit_signal_msg;

extern struct microkit_x86_vcpu_state microkit_x86_vcpu_state;

// Defined by the protection domain. They never nest. C++ has a keyword where C has the function for
// protected calls; programs in C++ define microkit_protected.
void init(void);
void notified(microkit_channel ch);
#ifdef __cplusplus
microkit_msginfo microkit_protected(microkit_channel ch, microkit_msginfo msginfo) __asm__(
	"protected");
#else
microkit_msginfo protected(microkit_channel ch, microkit_msginfo msginfo);
#endif
seL4_Bool fault(microkit_child child, microkit_msginfo msginfo, microkit_msginfo *reply_msginfo);

// Text on the debug console of the kernel.
void microkit_dbg_putc(int c);
void microkit_dbg_puts(const char *s);
void microkit_dbg_put8(seL4_Uint8 x);
void microkit_dbg_put32(seL4_Uint32 x);

// Stop with a fault whose address is the error number.
static inline void microkit_internal_crash(seL4_Error err) {
	__asm__ volatile("movl $0, (%0)" : : "r"((seL4_Word)err) : "memory");
}

void microkit_notify(microkit_channel ch);
void microkit_irq_ack(microkit_channel ch);
void microkit_deferred_notify(microkit_channel ch);
void microkit_deferred_irq_ack(microkit_channel ch);
microkit_msginfo microkit_ppcall(microkit_channel ch, microkit_msginfo msginfo);

void microkit_pd_restart(microkit_child pd, seL4_Word entry_point);
void microkit_pd_stop(microkit_child pd);
void microkit_pd_resume(microkit_child pd);

// `port_addr` is the absolute port number, inside the range of the id.
void microkit_x86_ioport_write_8(microkit_ioport ioport_id, seL4_Word port_addr, seL4_Word data);
void microkit_x86_ioport_write_16(microkit_ioport ioport_id, seL4_Word port_addr, seL4_Word data);
void microkit_x86_ioport_write_32(microkit_ioport ioport_id, seL4_Word port_addr, seL4_Word data);
seL4_Uint8 microkit_x86_ioport_read_8(microkit_ioport ioport_id, seL4_Word port_addr);
seL4_Uint16 microkit_x86_ioport_read_16(microkit_ioport ioport_id, seL4_Word port_addr);
seL4_Uint32 microkit_x86_ioport_read_32(microkit_ioport ioport_id, seL4_Word port_addr);

void microkit_vcpu_x86_on(void);
void microkit_vcpu_x86_off(void);
seL4_Word microkit_vcpu_x86_read_vmcs(microkit_child vcpu, seL4_Word field);
void microkit_vcpu_x86_write_vmcs(microkit_child vcpu, seL4_Word field, seL4_Word value);
seL4_Word microkit_vcpu_x86_read_msr(microkit_child vcpu, seL4_Word field);
void microkit_vcpu_x86_write_msr(microkit_child vcpu, seL4_Word field, seL4_Word value);
void microkit_vcpu_x86_enable_ioport(
	microkit_child vcpu, microkit_ioport ioport_id, seL4_Word port_addr, seL4_Word length);
void microkit_vcpu_x86_disable_ioport(microkit_child vcpu, seL4_Word port_addr, seL4_Word length);
void microkit_vcpu_x86_write_regs(microkit_child vcpu, seL4_VCPUContext *regs);

SEL4_C_END

static inline microkit_msginfo microkit_msginfo_new(seL4_Word label, seL4_Uint16 count) {
	return seL4_MessageInfo_new(label, 0, 0, count);
}

static inline seL4_Word microkit_msginfo_get_label(microkit_msginfo msginfo) {
	return seL4_MessageInfo_get_label(msginfo);
}

static inline seL4_Word microkit_msginfo_get_count(microkit_msginfo msginfo) {
	return seL4_MessageInfo_get_length(msginfo);
}

static inline void microkit_mr_set(seL4_Uint8 mr, seL4_Word value) { seL4_SetMR(mr, value); }

static inline seL4_Word microkit_mr_get(seL4_Uint8 mr) { return seL4_GetMR(mr); }

// Address of the capability that the description put in a slot of the root CNode; null outside
// 1..63.
static inline seL4_CPtr microkit_cspace_root_slot_to_cptr(seL4_Word slot) {
	if (slot == 0 || slot >= PD_ROOT_CAP_SIZE) return 0;
	return slot << (seL4_WordBits - PD_ROOT_CAP_BITS);
}
