// SPDX-License-Identifier: BSD-2-Clause
// A virtio device (virtio 1.2), between a transport, which shows it to the guest, and its model.
// Pure: what it needs of the outside are the callbacks that it is given.
#pragma once

#include <vmm/host/memory.h>

#include <virtio/virtio.h>

struct virtio_device;
struct virtqueue;

// A type of device; constant.
struct virtio_ops {
	const char *name;
	uint16_t id; // enum virtio_id
	// The driver may write bytes [writable, writable_end) of the configuration.
	uint16_t writable, writable_end;
	// The driver resets the device: forget what it asked for. The queues are reset already. May
	// be null, as the two below.
	void (*reset)(struct virtio_device *device);
	// The driver has set DRIVER_OK: device->features are those in use, and no longer change.
	void (*started)(struct virtio_device *device);
	// The driver has changed writable bytes of the configuration.
	void (*configured)(struct virtio_device *device);
	// The driver has added to a queue. Only after DRIVER_OK, and for enabled queues.
	void (*notified)(struct virtio_device *device, struct virtqueue *queue);
};

// How the transport takes interrupts to the guest.
struct virtio_transport {
	void *context;
	void (*queue_interrupt)(void *context, unsigned queue);
	void (*config_interrupt)(void *context);
};

// The first members are set by the model before the machine starts, memory and transport by the
// one who puts the machine together; the rest is written by the functions below.
struct virtio_device {
	const struct virtio_ops *ops;
	uint64_t offered; // features of the device's type; those of rings are added
	struct virtqueue *queues; // with their maximum sizes
	uint16_t queue_count;
	uint16_t config_size;
	void *config; // of the type, as the guest reads it
	const struct guest_memory *memory;
	struct virtio_transport transport;

	bool cut_off; // by the transport: the device may not access memory
	uint8_t status; // enum virtio_status
	bool resetting; // when nothing is held any more, the status becomes 0
	uint16_t held; // chains that back ends work on; counted by the model
	uint8_t generation; // of the configuration; counts its changes by the device (2.5)
	uint64_t features; // accepted by the driver
};

// For the transport.

// Sets device and queues to the state of a fresh start, once; those of a reset later are the
// driver's writes of 0 to the status.
void virtio_reset(struct virtio_device *device);
// The driver writes the device status (3.1): 0 resets, other values can only add bits. FEATURES_OK
// stays clear if the device cannot work with the features accepted. While back ends use guest
// memory, the driver reads another status than 0, and waits (2.1.1).
void virtio_set_status(struct virtio_device *device, uint8_t status);
// Windows of 32 features; window 2 and up are empty.
[[nodiscard]] uint32_t virtio_offered(const struct virtio_device *device, uint32_t window);
[[nodiscard]] uint32_t virtio_accepted(const struct virtio_device *device, uint32_t window);
// Ignored after FEATURES_OK.
void virtio_accept(struct virtio_device *device, uint32_t window, uint32_t features);
// The queue with a number, or null.
[[nodiscard]] struct virtqueue *virtio_queue(struct virtio_device *device, uint32_t number);
// The driver notifies the device of a queue; a number without an enabled queue is ignored.
void virtio_notify(struct virtio_device *device, uint32_t queue);
// Whether the device may not access memory now. When it may again, it looks at its queues.
void virtio_cut_off(struct virtio_device *device, bool cut_off);
// Access to the configuration. Bytes outside are read as 0; those that are not writable stay.
void virtio_config_read(
	const struct virtio_device *device, uint64_t offset, void *bytes, uint32_t length);
void virtio_config_write(
	struct virtio_device *device, uint64_t offset, const void *bytes, uint32_t length);

// For the model.

// Whether the driver has set up the device and works with it.
static inline bool virtio_works(const struct virtio_device *device) {
	const unsigned bits = VIRTIO_DRIVER_OK | VIRTIO_NEEDS_RESET;

	return !device->cut_off && (device->status & bits) == VIRTIO_DRIVER_OK;
}

// Whether all of these features were accepted.
static inline bool virtio_has(const struct virtio_device *device, uint64_t features) {
	return (device->features & features) == features;
}

// A chain is no longer held.
void virtio_release(struct virtio_device *device);
// The model has changed the configuration (2.5.1): the driver gets an interrupt.
void virtio_config_changed(struct virtio_device *device);
// The driver broke the rules: nothing more is done until it resets the device (2.1.1). `why` is
// for the log.
void virtio_break(struct virtio_device *device, const char *why);
