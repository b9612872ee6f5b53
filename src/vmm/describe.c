// SPDX-License-Identifier: BSD-2-Clause
// From the description's symbols to the devices' back ends, and to who and what decides on the
// guest's life.
#include <vmm/describe.h>

#include <vmm/host/description.h>
#include <vmm/host/host.h>
#include <vmm/host/log.h>

_Static_assert(DESCRIPTION_SOCKETS == (int)VSOCK_STREAMS);
_Static_assert(DESCRIPTION_PORTS == (int)CONSOLE_PORTS);

static void describe_disks(struct devices *devices) {
	for (unsigned i = 0; i < DEVICES_DISKS; i++) {
		const struct description_disk *disk = &description_disks[i];

		devices->disks[i] = (struct blk_client){
			.queue = (struct block_queue *)*disk->queue,
			.data = (uint8_t *)*disk->data,
			.data_size = *disk->data_size,
			.signal = host_signal,
			.context = host_context(HOST_CHANNEL_DISK + i),
		};
	}
}

// The switch says which address it expects; as a number its first byte is highest.
static void describe_net(struct devices *devices, unsigned number) {
	uint64_t address = host_net_address(HOST_CHANNEL_NET + number);

	if (address == 0) {
		log_line("no network device %u: the switch states no address for it", number);
		return;
	}
	devices->nets[number] = (struct net_station){
		.link = (void *)*description_links[number],
		.signal = host_signal,
		.context = host_context(HOST_CHANNEL_NET + number),
	};
	net_mac(address, devices->addresses[number]);
}

static void describe_nets(struct devices *devices) {
	for (unsigned i = 0; i < DEVICES_NETS; i++)
		if (*description_links[i] != 0) describe_net(devices, i);
}

static void describe_sockets(struct devices *devices) {
	struct vsock *vsock = &devices->vsock;

	devices->guest_cid = guest_cid;
	for (unsigned i = 0; i < DESCRIPTION_SOCKETS && *description_sockets[i].stream != 0; i++)
		vsock->streams[vsock->stream_count++] = (struct vsock_stream){
			.port = (uint32_t)*description_sockets[i].port,
			.region = (struct stream *)*description_sockets[i].stream,
			.signal = host_signal,
			.context = host_context(HOST_CHANNEL_SOCKET + i),
		};
}

static void describe_ports(struct devices *devices) {
	static const char *const names[CONSOLE_PORTS] = {NULL, "port1", "port2", "port3"};
	struct virtio_console *console = &devices->console;

	for (unsigned i = 0; i < CONSOLE_PORTS && *description_ports[i] != 0; i++) {
		terminal_open(&devices->ports[i], (struct console *)*description_ports[i],
			guest_name, CONSOLE_PLAIN);
		devices->ports[i].signal = host_signal;
		devices->ports[i].context = host_context(HOST_CHANNEL_PORT + i);
		console->ports[i].name = names[i];
		console->port_count++;
	}
}

void describe_devices(struct devices *devices) {
	if (guest_rng && host_has_random()) devices->rng.fill = host_random;
	if (guest_rng && !host_has_random()) log_line("no entropy device: this CPU has no RDRAND");
	devices->has_balloon = guest_balloon;
	describe_disks(devices);
	describe_nets(devices);
	describe_sockets(devices);
	describe_ports(devices);
	for (unsigned i = 0; i < DEVICES_PASSED; i++)
		devices->passed[i].window = *description_passed[i];
}

static void open_controller(struct controller *controller, const char *name,
	struct guest_control *page, unsigned channel) {
	*controller = (struct controller){
		.name = name, .signal = host_signal, .context = host_context(channel)};
	controller_open(controller, page);
}

void describe_life(struct machine *machine) {
	struct console *console = (struct console *)console_vaddr;

	machine->life.policy = (struct life_policy){
		.on_reboot = guest_on_reboot,
		.on_poweroff = guest_on_poweroff,
		.on_crash = guest_on_crash,
		.on_watchdog = guest_on_watchdog,
		.limit = (uint32_t)guest_restart_limit,
		.backoff = (uint32_t)guest_restart_backoff,
	};
	if (guest_watchdog) machine->devices.watchdog.clock = &machine->device_clock;
	open_controller(&machine->controllers[0], "the terminal", console ? &console->guest : NULL,
		HOST_CHANNEL_CONSOLE);
	open_controller(&machine->controllers[1], "its controller",
		(struct guest_control *)control_vaddr, HOST_CHANNEL_CONTROL);
}
