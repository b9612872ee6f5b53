// SPDX-License-Identifier: BSD-2-Clause
// The DSDT, the same for every guest (ACPI specification 6.4, chapters 6 and 19; PCI Firmware
// specification 3.2, chapter 4). dsdt.py compiles it.
#include <vmm/pci/layout.h>

#define SLOT(number, pin) Package () { ((number) << 16) | 0xffff, 0, 0, PCI_PIN_BASE + pin }
#define SLOTS(first) \
	SLOT (first, 0), SLOT (first + 1, 1), SLOT (first + 2, 2), SLOT (first + 3, 3), \
	SLOT (first + 4, 4), SLOT (first + 5, 5), SLOT (first + 6, 6), SLOT (first + 7, 7)

DefinitionBlock ("dsdt.aml", "DSDT", 2, "NACRE ", "NACREVMM", 2) {
	Scope (\_SB) {
		// Its one idle state is HLT (ACPI 8.4.2.1). A Linux that knows of none keeps its tick when
		// it begins to wait, and wakes up once more. It takes no time to leave, so that none is
		// spent on polling instead.
		Device (CPU0) {
			Name (_HID, "ACPI0007")
			Name (_UID, 0)
			Name (_CST, Package () {
				1,
				Package () {
					ResourceTemplate () { Register (FFixedHW, 0, 0, 0) },
					1, 0, 1000
				}
			})
		}
		Device (PCI0) {
			Name (_HID, EisaId ("PNP0A08"))
			Name (_CID, EisaId ("PNP0A03"))
			Name (_UID, 0)
			Name (_BBN, 0)
			Name (_SEG, 0)
			Name (_CBA, PCI_ECAM_BASE)
			Name (_CRS, ResourceTemplate () {
				WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode,
					0, 0, 0, 0, 1)
				IO (Decode16, 0xcf8, 0xcf8, 1, 8)
				WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode,
					EntireRange, 0, PCI_PORTS_BASE, PCI_PORTS_LAST, 0,
					PCI_PORTS_SIZE)
				DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
					NonCacheable, ReadWrite, 0, PCI_MEMORY_BASE,
					PCI_MEMORY_LAST, 0, PCI_MEMORY_SIZE)
				QWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
					NonCacheable, ReadWrite, 0, PCI_HIGH_MEMORY_BASE,
					PCI_HIGH_MEMORY_LAST, 0, PCI_HIGH_MEMORY_SIZE)
			})
			// The pin INTA of each slot.
			Name (_PRT, Package () { SLOTS (0), SLOTS (8), SLOTS (16), SLOTS (24) })
		}
		// The host bridge's registers in memory (PCI Firmware 3.2, 4.1.2).
		Device (ECAM) {
			Name (_HID, EisaId ("PNP0C02"))
			Name (_CRS, ResourceTemplate () {
				Memory32Fixed (ReadWrite, PCI_ECAM_BASE, PCI_ECAM_SIZE)
			})
		}
		// Ports and pins as uart_places in vmm/device/uart.c.
		Device (COM1) {
			Name (_HID, EisaId ("PNP0501"))
			Name (_UID, 0)
			Name (_CRS, ResourceTemplate () {
				IO (Decode16, 0x3f8, 0x3f8, 1, 8)
				Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive) { 4 }
			})
		}
		Device (COM2) {
			Name (_HID, EisaId ("PNP0501"))
			Name (_UID, 1)
			Name (_CRS, ResourceTemplate () {
				IO (Decode16, 0x2f8, 0x2f8, 1, 8)
				Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive) { 3 }
			})
		}
		Device (RTC0) {
			Name (_HID, EisaId ("PNP0B00"))
			Name (_CRS, ResourceTemplate () {
				IO (Decode16, 0x70, 0x70, 1, 2)
			})
		}
		// By which a kernel tells of its panic: POWER_PANIC_PORT.
		Device (PEVT) {
			Name (_HID, "QEMU0001")
			Name (_CRS, ResourceTemplate () {
				IO (Decode16, 0x505, 0x505, 1, 1)
			})
		}
		// The power button (ACPI 4.8.3.1.1, 5.6.9.1); the pin is POWER_BUTTON_PIN.
		Device (PWRB) {
			Name (_HID, EisaId ("PNP0C0C"))
			Name (_UID, 0)
		}
		Device (GED0) {
			Name (_HID, "ACPI0013")
			Name (_UID, 0)
			Name (_CRS, ResourceTemplate () {
				Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive) { 9 }
			})
			Method (_EVT, 1, Serialized) {
				If (Arg0 == 9) {
					Notify (\_SB.PWRB, 0x80)
				}
			}
		}
	}
	// POWER_OFF_SLEEP_TYPE
	Name (\_S5, Package (4) { 5, 0, 0, 0 })
}
