// SPDX-License-Identifier: BSD-2-Clause
// PCI functions with their memory and ports, as the initial task and the PCI component find them.
#include <root/report/report.h>

#include <lib/pci/group.h>

#include <root/pci_ports.h>

#include <user/print.h>

static struct pci_devices machine;

static void print_bases(const struct pci_device *device) {
	for (unsigned i = 0; i < PCI_BARS; i++) {
		const struct pci_base *base = &device->bases[i];

		if (base->size == 0) continue;
		print("report: bar function=" PCI_FORMAT " number=%u kind=%s address=0x%lx "
		      "size=0x%lx\n",
			PCI_WORDS(device->function), i,
			base->flags & PCI_BAR_PORTS ? "ports" : "memory", base->address,
			base->size);
	}
}

void report_pci(void) {
	seL4_CPtr ports = pci_ports_issue();

	pci_ports_use(ports);
	if (ports) pci_scan(&pci_ports_config, &machine);
	for (unsigned i = 0; ports && i < machine.count; i++) {
		const struct pci_device *device = &machine.rows[i];

		print("report: pci function=" PCI_FORMAT
		      " vendor=%04x device=%04x class=%06x group=%u pin=%u line=%u\n",
			PCI_WORDS(device->function), device->vendor, device->device, device->class,
			pci_group(&machine, i), device->interrupt_pin, device->interrupt_line);
		print_bases(device);
	}
	if (ports && machine.missed > 0) print("report: pci-missed functions=%u\n", machine.missed);
}
