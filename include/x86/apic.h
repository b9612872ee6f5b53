// SPDX-License-Identifier: BSD-2-Clause
// Register map and bits of the local APIC (SDM 3A, table 11-1 and following; APM 2 16.3.4 for the
// extended space).
#pragma once

// Index = offset in the xAPIC page / 16 = MSR number - 800h.
enum lapic_register {
	LAPIC_ID = 0x02,
	LAPIC_VERSION_REGISTER = 0x03,
	LAPIC_TASK_PRIORITY = 0x08,
	LAPIC_ARBITRATION = 0x09,
	LAPIC_PROCESSOR_PRIORITY = 0x0a,
	LAPIC_EOI = 0x0b,
	LAPIC_LOGICAL_DESTINATION = 0x0d,
	LAPIC_DESTINATION_FORMAT = 0x0e,
	LAPIC_SPURIOUS = 0x0f,
	LAPIC_IN_SERVICE = 0x10, // eight words
	LAPIC_TRIGGER_MODE = 0x18,
	LAPIC_REQUESTED = 0x20,
	LAPIC_ERROR_STATUS = 0x28,
	LAPIC_COMMAND_LOW = 0x30,
	LAPIC_COMMAND_HIGH = 0x31,
	LAPIC_LVT_TIMER = 0x32, // six entries in the order of enum lapic_lvt
	LAPIC_LVT_ERROR = 0x37,
	LAPIC_INITIAL_COUNT = 0x38,
	LAPIC_CURRENT_COUNT = 0x39,
	LAPIC_DIVIDE = 0x3e,
	LAPIC_SELF_IPI = 0x3f,
	LAPIC_REGISTERS = 0x40,
};

enum lapic_lvt {
	LVT_TIMER,
	LVT_THERMAL,
	LVT_PERFORMANCE,
	LVT_LINT0,
	LVT_LINT1,
	LVT_ERROR,
	LVT_COUNT,
};

// IA32_APIC_BASE.
#define APIC_BASE_BSP (1u << 8)
#define APIC_BASE_X2APIC (1u << 10)
#define APIC_BASE_ENABLED (1u << 11)

// Not on every CPU.
enum lapic_optional_register {
	LAPIC_LVT_CMCI = 0x2f,
	LAPIC_EXTENDED = 0x40, // AMD: how many of the next there are
	LAPIC_EXTENDED_LVT = 0x50,
};

enum lapic_bits {
	XAPIC_ID_SHIFT = 24,

	SPURIOUS_ENABLED = 1 << 8,
	SPURIOUS_WRITABLE = 0x3ff,

	LVT_VECTOR = 0xff,
	LVT_DELIVERY_SHIFT = 8,
	LVT_NMI = 4 << LVT_DELIVERY_SHIFT,
	LVT_MASKED = 1 << 16,
	LVT_TIMER_MODE = 3 << 17,
	LVT_TIMER_ONE_SHOT = 0 << 17,
	LVT_TIMER_PERIODIC = 1 << 17,
	LVT_TIMER_DEADLINE = 2 << 17,

	COMMAND_DELIVERY_SHIFT = 8,
	COMMAND_INIT = 5 << COMMAND_DELIVERY_SHIFT,
	COMMAND_STARTUP = 6 << COMMAND_DELIVERY_SHIFT,
	COMMAND_LOGICAL = 1 << 11,
	COMMAND_PENDING = 1 << 12,
	COMMAND_ASSERT = 1 << 14,
	COMMAND_SHORTHAND_SHIFT = 18,
	COMMAND_OTHERS = 3 << COMMAND_SHORTHAND_SHIFT, // all cores but the sender
	// Delivery status and reserved bits never stick.
	COMMAND_WRITABLE_LOW = 0x000ccfff,

	DIVIDE_WRITABLE = 0x0b,
	DIVIDE_BY_1 = 0x0b,

	ERROR_SEND_ILLEGAL_VECTOR = 1 << 5,
	ERROR_RECEIVE_ILLEGAL_VECTOR = 1 << 6,
	ERROR_ILLEGAL_REGISTER = 1 << 7,
};

enum lapic_shorthand {
	SHORTHAND_NONE,
	SHORTHAND_SELF,
	SHORTHAND_ALL,
	SHORTHAND_OTHERS,
};

// Where a device writes its message: the target's id is in bits 12 to 19 (SDM 3A 11.11.1); or it
// is remapped, by the entry whose number is the data (VT-d 5.1.2.2).
#define MESSAGE_ADDRESS 0xfee00000u
#define MESSAGE_TARGET_SHIFT 12
#define MESSAGE_REMAPPED (1u << 4)
#define MESSAGE_BY_DATA (1u << 3)
