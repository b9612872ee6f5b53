// SPDX-License-Identifier: BSD-2-Clause
// Commands: pause, resume, reset, power button, NMI, stop.
#include <vmm/command.h>

#include <vmm/host/log.h>

static enum guest_result do_pause(struct machine *machine, const char *by) {
	if (machine->life.state != GUEST_RUNNING) return GUEST_REFUSED;
	log_line("guest paused by %s", by);
	machine->paused = host_tsc();
	life_set(&machine->life, GUEST_PAUSED);
	return GUEST_DONE;
}

// The guest's counter goes on where it was, and all of its timers with it.
static enum guest_result do_resume(struct machine *machine, const char *by) {
	if (machine->life.state != GUEST_PAUSED) return GUEST_REFUSED;
	log_line("guest resumed by %s", by);
	machine_stand_still(machine, host_tsc() - machine->paused);
	life_set(&machine->life, GUEST_RUNNING);
	return GUEST_DONE;
}

static enum guest_result do_reset(struct machine *machine, const char *by) {
	if (!machine->complete) {
		log_line("guest cannot be restarted: it was never complete");
		return GUEST_REFUSED;
	}
	log_line("guest reset by %s; it starts again", by);
	machine_halt(machine);
	life_reset(&machine->life);
	return GUEST_DONE;
}

static enum guest_result do_stop(struct machine *machine, const char *by) {
	if (machine->life.state != GUEST_RESTARTING && !machine_is_alive(machine))
		return GUEST_REFUSED;
	log_line("guest stopped by %s", by);
	machine_halt(machine);
	life_stop(&machine->life, GUEST_BY_COMMAND);
	return GUEST_DONE;
}

static enum guest_result do_power_button(struct machine *machine, const char *by) {
	if (!machine_is_alive(machine)) return GUEST_REFUSED;
	log_line("power button pressed by %s", by);
	power_press(&machine->power);
	return GUEST_DONE;
}

static enum guest_result do_nmi(struct machine *machine, const char *by) {
	if (!machine_is_alive(machine)) return GUEST_REFUSED;
	log_line("NMI injected by %s", by);
	machine->processors[0].lapic.nmi_pending = true;
	return GUEST_DONE;
}

enum guest_result command_do(struct machine *machine, uint32_t command, const char *by) {
	switch (command) {
	case GUEST_PAUSE: return do_pause(machine, by);
	case GUEST_RESUME: return do_resume(machine, by);
	case GUEST_RESET: return do_reset(machine, by);
	case GUEST_STOP: return do_stop(machine, by);
	case GUEST_POWER_BUTTON: return do_power_button(machine, by);
	case GUEST_NMI: return do_nmi(machine, by);
	default: return GUEST_NO_COMMAND;
	}
}

void command_take_all(struct machine *machine) {
	uint32_t command;

	for (unsigned i = 0; i < MACHINE_CONTROLLERS; i++) {
		struct controller *controller = &machine->controllers[i];

		if (controller_take(controller, &command))
			controller_answer(
				controller, command_do(machine, command, controller->name));
	}
}
